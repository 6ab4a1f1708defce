#include "daemon/translate/hook_container.hpp"

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"
#include "tests/unit/daemon/translate/samples.hpp"

using namespace stackd;
using namespace stackd::translate;
using nlohmann::json;
using test::Demo;

namespace {

// A pre_start of `web`.
model::Hook hook() {
  model::Hook hook;
  hook.phase = model::Phase::pre_start;
  hook.service = "web";
  hook.argv = {"prepare", "it"};
  return hook;
}

struct Given : Demo {
  HookContainerInputs inputs() const {
    HookContainerInputs in{spec, facts, entry, stack_hook ? nullptr : &spec.services[0]};
    in.service_container = stack_hook ? "" : "id-of-web";
    in.service_image = "web-image";
    in.operation = "op-1";
    in.container_of = {{"db", "id-of-db"}};
    return in;
  }
  json body() const { return hook_container(inputs()).body; }

  model::Hook entry = hook();
  bool stack_hook = false;
};

json labels(const std::string& service, const std::string& phase) {
  return {{"com.docker.compose.project", "demo"},         {"com.docker.compose.service", service},
          {"com.docker.compose.version", STACKD_VERSION}, {"com.docker.compose.hook", phase},
          {"dev.stackd.stack", "demo-12345678"},          {"dev.stackd.operation", "op-1"}};
}

}  // namespace

TEST_CASE("C4.5: the container of a pre_start has the service's volumes and networks, and nothing else of it",
          "[translate][hook_container]") {
  Given given;
  given.set("labels", {{"own", "x"}});
  given.set("restart", "always");
  given.set("command", {"serve"});
  given.set("entrypoint", {"entry"});
  given.set("tmpfs", {"/run"});
  given.set("mounts", json::array({{{"type", "bind"}, {"source", "/a"}, {"target", "/b"}}}));
  given.set("healthcheck", {{"test", {"CMD", "x"}}});
  given.set("expose", {"80"});
  given.set("privileged", true);
  given.set("cap_add", {"ALL"});
  given.set("mem_limit", 1000000);
  given.web().ports.push_back(test::from_json<model::Port>({{"key", "0"}, {"target", 80}}));
  CHECK(given.body() ==
        json{{"Image", "web-image"},
             {"Cmd", {"prepare", "it"}},  // the image's ENTRYPOINT is kept
             {"Env", json::array()},
             {"Healthcheck", {{"Test", {"NONE"}}}},
             {"Labels", labels("web", "pre_start")},
             {"HostConfig", {{"VolumesFrom", {"id-of-web"}}, {"NetworkMode", "demo_default"}}},
             {"NetworkingConfig",
              {{"EndpointsConfig", {{"demo_default", {{"Aliases", {"web", "demo-web-1"}}}}}}}}});
}

TEST_CASE("C4.5: exactly the service's networks, with its name, aliases, addresses and hosts",
          "[translate][hook_container]") {
  Given given;
  auto& attachment = given.container().networks["default"];
  attachment.aliases = {"side"};
  attachment.ipv4_address = "10.0.0.5";
  attachment.mac_address = "02:42:ac:11:65:43";
  given.container().networks["other"];
  given.set("extra_hosts", {"a:10.0.0.1"});
  given.set("mac_address", "02:42:ac:11:65:44");
  given.set("platform", "linux/arm64");
  const auto request = hook_container(given.inputs());
  CHECK(request.body["NetworkingConfig"]["EndpointsConfig"]["demo_default"] ==
        json{{"Aliases", {"web", "side", "demo-web-1"}},
             {"IPAMConfig", {{"IPv4Address", "10.0.0.5"}}},
             {"MacAddress", "02:42:ac:11:65:43"}});
  CHECK(request.more_networks.at("demo_other")["Aliases"] == json{"web", "demo-web-1"});
  CHECK(request.body["HostConfig"]["ExtraHosts"] == json{"a:10.0.0.1"});
  CHECK(request.body["MacAddress"] == "02:42:ac:11:65:44");
  CHECK(request.platform == "linux/arm64");
  given.set("network_mode", "service:db");
  const auto body = given.body();
  CHECK(body["HostConfig"]["NetworkMode"] == "container:id-of-db");
  CHECK_FALSE(body.contains("NetworkingConfig"));
}

TEST_CASE("C1.5: its image is the entry's, else what the service's container runs, its own command or not",
          "[translate][hook_container]") {
  Given given;
  CHECK(given.body()["Image"] == "web-image");
  auto in = given.inputs();
  in.service_image = "stackd-hooks:0123";  // with build hooks: not the file's
  CHECK(hook_container(in).body["Image"] == "stackd-hooks:0123");
  given.entry.image = "alpine";
  CHECK(given.body()["Image"] == "alpine");
  given.entry.image = "registry/${stack.name}";
  CHECK(given.body()["Image"] == "registry/demo");
  given.entry.argv.clear();
  CHECK_FALSE(given.body().contains("Cmd"));
}

TEST_CASE("X2: with the service's image its user and directory are the defaults; an entry's own word wins",
          "[translate][hook_container]") {
  struct ImageRow {
    const char *image, *user, *cwd;
    json told_user, told_directory;
  };
  const json none;
  const std::vector<ImageRow> rows{
      {"", "", "", "1000", "/app"},
      {"web-image", "", "", "1000", "/app"},  // it is the service's, though it is named
      {"alpine", "", "", none, none},         // that image's own
      {"", "root", "/tmp", "root", "/tmp"},
      {"alpine", "root", "/tmp", "root", "/tmp"},
  };
  for (const auto& row : rows) {
    INFO("image '" << row.image << "', user '" << row.user << "'");
    Given given;
    given.set("user", "1000");
    given.set("working_dir", "/app");
    given.entry.image = row.image;
    given.entry.user = row.user;
    given.entry.cwd = row.cwd;
    const auto body = given.body();
    CHECK(body.value("User", json()) == row.told_user);
    CHECK(body.value("WorkingDir", json()) == row.told_directory);
  }
}

TEST_CASE("C4.5: privileged is the entry's only", "[translate][hook_container]") {
  Given given;
  given.entry.privileged = true;
  CHECK(given.body()["HostConfig"]["Privileged"] == true);
}

TEST_CASE(
    "C4.5, C1.3: the hook's own, then the service's, then the entry's variables, the later of which wins",
    "[translate][hook_container]") {
  Given given;
  given.facts.caller = {{"HOME", "/home/me"}};
  given.web().environment.env = {{"A", "service"}, {"B", "service"}};
  given.entry.env = {{"A", "entry"}, {"BARE", std::nullopt}};
  auto in = given.inputs();
  in.variables = {{"STACKD_PHASE", "pre_start"}};
  CHECK(hook_container(in).body["Env"] ==
        json{"STACKD_PHASE=pre_start", "A=service", "B=service", "A=entry", "BARE"});
}

TEST_CASE("C1.2, X16: an entry's values are resolved as an exec's are, and the service's not a second time",
          "[translate][hook_container]") {
  Given given;
  given.web().environment.env = {{"OWN", "$${stack.name} $$ $${x}"}};
  given.facts.env_from["service:web"] = {{"PRINTED", "${services.nope.host_port}"}};
  given.entry.env = {{"E", "a$$b ${stack.name}"}};
  CHECK(given.body()["Env"] ==
        json{"OWN=$demo $$ $${x}", "PRINTED=${services.nope.host_port}", "E=a$b demo"});
  given.entry.env = {{"E", "${services.nope.host_port}"}};
  CHECK_THROWS_AS(given.body(), util::Error);
}

TEST_CASE("C1.2: a dollar that Compose has left in a pre_start's environment is one dollar in its container",
          "[translate][hook_container]") {
  const auto spec =
      test::Loading(test::one_service("    pre_start:\n      - command: [a, $$b]\n"
                                      "        environment: {PRICE: 5$$, HOME_OF: '$${HOME}'}\n"))
          .load();
  const auto& web = *spec.find("web");
  const model::Facts facts;
  const HookContainerInputs in{spec, facts, web.hooks[0], &web};
  const auto body = hook_container(in).body;
  CHECK(body["Env"] == json{"HOME_OF=${HOME}", "PRICE=5$"});
  CHECK(body["Cmd"] == json{"a", "$b"});
}

TEST_CASE("run_in: {image}: an entry for a shell is given to that image's, on the service's network",
          "[translate][hook_container]") {
  Given given;
  given.entry.phase = model::Phase::after_ready;
  given.entry.argv.clear();
  given.entry.shell = "psql $$PASS ${stack.name}";
  given.entry.run_in_image = "postgres";
  given.set("user", "1000");
  const auto body = given.body();
  CHECK(body["Image"] == "postgres");
  CHECK(body["Entrypoint"] == json{"/bin/sh", "-c"});
  CHECK(body["Cmd"] == json{"psql $$PASS demo"});  // $$ is the shell's (X18)
  CHECK_FALSE(body.contains("User"));
  CHECK(body["HostConfig"]["NetworkMode"] == "demo_default");
  CHECK(body["Labels"] == labels("web", "after_ready"));
}

TEST_CASE(
    "a stack's entry in a container is on the stack's network, when that is there, and lends no volumes",
    "[translate][hook_container]") {
  Given given;
  given.stack_hook = true;
  given.entry.phase = model::Phase::after_up;
  given.entry.service.clear();
  given.entry.run_in_image = "alpine";
  given.spec.format = "stackd";
  given.spec.env.env = {{"TOP", "t"}};
  auto body = given.body();
  CHECK(body["HostConfig"] == json{{"VolumesFrom", json::array()}, {"NetworkMode", "demo_default"}});
  CHECK(body["Labels"] == labels("", "after_up"));
  const auto env = body["Env"].get<std::vector<std::string>>();
  CHECK(std::find(env.begin(), env.end(), "TOP=t") != env.end());
  auto in = given.inputs();
  in.network_is_there = false;  // after_down
  CHECK_FALSE(hook_container(in).body["HostConfig"].contains("NetworkMode"));
}

TEST_CASE("the entry of a process in a container gets what the file gives to all",
          "[translate][hook_container]") {
  Given given;
  given.web().container.reset();
  given.web().process.emplace().cmd = "x";
  given.entry.phase = model::Phase::after_ready;
  given.entry.run_in_image = "alpine";
  given.spec.env.env = {{"TOP", "t"}};
  given.web().environment.env = {{"OWN", "of the process"}};
  auto in = given.inputs();
  in.service_container.clear();
  const auto env = hook_container(in).body["Env"].get<std::vector<std::string>>();
  CHECK(std::find(env.begin(), env.end(), "TOP=t") != env.end());
  CHECK(std::find(env.begin(), env.end(), "OWN=of the process") == env.end());
}
