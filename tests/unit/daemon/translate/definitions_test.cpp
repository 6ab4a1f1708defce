#include "daemon/translate/definitions.hpp"

#include <functional>

#include "daemon/resolve/identity.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/translate/samples.hpp"

using namespace stackd;
using namespace stackd::translate;
using nlohmann::json;
using test::Demo;
using test::fields_in;
using test::fields_of;

namespace {

using Change = std::function<void(Demo&)>;

std::string container_hash(const Demo& demo, const std::map<std::string, std::string>& container_of = {}) {
  return container_definition(demo.stack(), demo.spec.services[0], container_of);
}
bool changes_container(const Change& change) {
  Demo demo;
  demo.web().ports.push_back(test::from_json<model::Port>({{"key", "0"}, {"target", 80}}));
  const auto before = container_hash(demo);
  change(demo);
  return container_hash(demo) != before;
}

model::Hook hook_of(model::Phase phase) {
  model::Hook hook;
  hook.phase = phase;
  hook.service = "web";
  hook.shell = "true";
  return hook;
}

// A process `web`, in a directory of its own.
struct ProcessDemo : Demo {
  ProcessDemo() {
    spec.format = "lich";
    web().container.reset();
    web().owned = true;
    web().kind = model::ServiceKind::process;
    web().process = model::Process{"serve", "stop", "/home/me/demo/web"};
    web().environment.env = {{"OWN", "mine"}};
    facts.caller = {{"HOME", "/home/me"}, {"PATH", "/usr/bin"}};
  }
  std::string hash() const { return process_definition(stack(), spec.services[0]); }
};
bool changes_process(const std::function<void(ProcessDemo&)>& change) {
  ProcessDemo demo;
  const auto before = demo.hash();
  change(demo);
  return demo.hash() != before;
}

struct Changed {
  const char* field;
  json value;
  bool counts;
};
template <class T, class Change>
void check_fields(const std::vector<Changed>& rows, Change changes) {
  std::set<std::string> fields;
  for (const auto& row : rows) {
    INFO(row.field << ": " << row.value);
    fields.insert(row.field);
    CHECK(changes(row) == row.counts);
  }
  CHECK(fields == fields_of<T>());
}

}  // namespace

TEST_CASE(
    "C8.1: every field of a container counts, but for build, pull_policy, scale and where they were given",
    "[translate][definitions]") {
  const std::set<std::string> beside{"build", "pull_policy", "scale", "deploy"};
  for (const auto& row : test::container_rows()) {
    INFO(row.field << ": " << row.value);
    const auto set = [&](Demo& demo) { demo.set(row.field, row.value); };
    CHECK(changes_container(set) == !beside.contains(row.field));
  }
}

TEST_CASE("C8.1: of the rest of a service what it depends on, its profiles and its readiness do not count",
          "[translate][definitions]") {
  const std::vector<Changed> rows{
      {"name", "other", true},
      {"kind", "oneshot", true},
      {"owned", true, true},
      {"container", {{"image", "httpd"}}, true},
      {"process", nullptr, false},  // it has none
      {"depends_on", {{"db", {{"condition", "healthy"}}}}, false},
      {"depends_on_given", true, false},
      {"ports", json::array({{{"key", "0"}, {"target", 81}}}), true},
      {"environment", {{"env", {{"A", "1"}}}}, true},
      {"ready_when", {{"timeout", 1000}}, false},
      {"hooks", json::array({model::encode(hook_of(model::Phase::post_start))}), true},  // C1.7
      {"profiles", {"full"}, false},
      {"place", {{"line", 7}}, false},
  };
  check_fields<model::Service>(rows, [](const Changed& row) {
    return changes_container([&](Demo& demo) { test::set_field(demo.web(), row.field, row.value); });
  });
}

TEST_CASE("C1.7, X21: Compose's three hooks and pre_run count for their container, and every field of them",
          "[translate][definitions]") {
  using model::Phase;
  const std::set<Phase> defining{Phase::pre_start, Phase::pre_run, Phase::post_start, Phase::pre_stop};
  for (const auto& row : model::k_phases) {
    INFO(row.name);
    const auto add = [&](Demo& demo) { demo.web().hooks = {hook_of(row.phase)}; };
    CHECK(changes_container(add) == defining.contains(row.phase));
  }
  const auto edited = [](const std::function<void(model::Hook&)>& edit) {
    Demo demo;
    demo.web().hooks = {hook_of(Phase::post_start)};
    const auto before = container_hash(demo);
    edit(demo.web().hooks[0]);
    return container_hash(demo) != before;
  };
  CHECK(edited([](auto& hook) { hook.shell = "false"; }));
  CHECK(edited([](auto& hook) { hook.env["A"] = "1"; }));  // T12
  CHECK(edited([](auto& hook) { hook.user = "root"; }));
  CHECK_FALSE(edited([](auto& hook) { hook.place.line = 9; }));
}

TEST_CASE("C8.1: what the container will have counts, not how it is written or who asks",
          "[translate][definitions]") {
  struct ChangeRow {
    const char* sentence;
    bool counts;
    Change change;
  };
  const std::vector<ChangeRow> rows{
      {"the host port that it was given", true, [](Demo& d) { d.facts.ports["web"]["0"] = 9000; }},
      {"the host port of a further replica", false, [](Demo& d) { d.facts.ports["web"]["0@2"] = 9000; }},
      {"the host port of another service", false, [](Demo& d) { d.facts.ports["db"]["0"] = 9000; }},
      {"where a port is written", false, [](Demo& d) { d.web().ports[0].place.line = 9; }},
      {"a variable of its env_file", true, [](Demo& d) { d.web().environment.file_env["A"] = "1"; }},
      {"a variable that is taken away", false, [](Demo& d) { d.web().environment.env["A"] = std::nullopt; }},
      {"what env_from printed for it", true, [](Demo& d) { d.facts.env_from["service:web"]["A"] = "1"; }},
      {"the environment of the caller", false, [](Demo& d) { d.facts.caller["HOME"] = "/elsewhere"; }},
      {"the profile", false, [](Demo& d) { d.spec.profile = "dev"; }},
      {"where the file lies", false, [](Demo& d) { d.spec.files = {"/elsewhere.yaml"}; }},
      {"what was seen on the disk", false, [](Demo& d) { d.facts.seen.secret_texts = {"swordfish"}; }},
      {"another service", false, [](Demo& d) { d.db().container->image = "other"; }},
  };
  for (const auto& row : rows) {
    INFO(row.sentence);
    CHECK(changes_container(row.change) == row.counts);
  }
}

TEST_CASE("what a secret or config holds counts for who has it, when stackd itself puts it there",
          "[translate][definitions]") {
  const auto changes = [](const Change& change) {
    Demo demo;
    demo.set("secrets", json::array({{{"source", "by_text"}, {"target", "/t"}},
                                     {{"source", "by_name"}, {"target", "/n"}},
                                     {{"source", "by_file"}, {"target", "/f"}}}));
    demo.spec.secrets["by_name"].environment = "TOKEN";
    demo.facts.caller["TOKEN"] = "one";
    const auto before = container_hash(demo);
    change(demo);
    return container_hash(demo) != before;
  };
  CHECK(changes([](Demo& d) { d.spec.secrets["by_text"].content = "other"; }));
  CHECK(changes([](Demo& d) { d.facts.caller["TOKEN"] = "two"; }));
  CHECK(changes([](Demo& d) { d.spec.secrets["by_file"].file = "/elsewhere"; }));
  CHECK_FALSE(changes([](Demo& d) { d.spec.secrets["another"].content = "nobody's"; }));
}

TEST_CASE("a reference counts by its answer, and by its text as long as there is none",
          "[translate][definitions]") {
  Demo demo;
  demo.spec.services[1].ready_when.emplace().capture["url"] = "(.*)";
  demo.set("command", {"${services.db.captured.url}"});
  const auto unknown = container_hash(demo);
  CHECK(container_hash(demo) == unknown);
  demo.facts.captured["db"]["url"] = "https://x";
  const auto known = container_hash(demo);
  CHECK(known != unknown);
  demo.set("command", {"https://x"});
  CHECK(container_hash(demo) == known);
}

TEST_CASE("C8.1: the containers that it shares namespaces or volumes with count by their ids",
          "[translate][definitions]") {
  using Ids = std::map<std::string, std::string>;
  const std::vector<std::pair<const char*, json>> sharing{{"network_mode", "service:db"},
                                                          {"ipc", "service:db"},
                                                          {"pid", "service:db"},
                                                          {"volumes_from", {"db:ro"}}};
  for (const auto& [field, value] : sharing) {
    INFO(field);
    Demo demo;
    demo.set(field, value);
    CHECK(services_referred_to(demo.container()) == std::vector<std::string>{"db"});
    CHECK(container_hash(demo, Ids{{"db", "one"}}) != container_hash(demo, Ids{{"db", "two"}}));
    CHECK(container_hash(demo, Ids{{"db", "one"}, {"log", "x"}}) == container_hash(demo, Ids{{"db", "one"}}));
  }
  Demo demo;
  demo.set("volumes_from", {"container:others"});
  demo.set("network_mode", "container:others");
  CHECK(services_referred_to(demo.container()).empty());
  CHECK(container_hash(demo, Ids{{"db", "one"}}) == container_hash(demo));
}

TEST_CASE("C8.7: a network is another when its fields are, whatever it is called",
          "[translate][definitions]") {
  const std::vector<Changed> rows{
      {"name", "other", false},  // that is another network
      {"external", true, false},
      {"driver", "overlay", true},
      {"driver_opts", {{"a", "b"}}, true},
      {"labels", {{"a", "b"}}, true},
      {"internal", true, true},
      {"attachable", true, true},
      {"enable_ipv4", false, true},
      {"enable_ipv4", true, false},  // as without it
      {"enable_ipv6", true, true},
      {"enable_ipv6", false, false},  // as without it
      {"ipam_driver", "null", true},
      {"ipam", json::array({{{"subnet", "10.9.0.0/16"}}}), true},
  };
  check_fields<model::Network>(rows, [](const Changed& row) {
    model::Network network;
    const auto before = definition_of(network);
    test::set_field(network, row.field, row.value);
    return definition_of(network) != before;
  });
  const std::vector<Changed> pools{
      {"subnet", "10.8.0.0/16", true},
      {"gateway", "10.9.0.1", true},
      {"ip_range", "10.9.8.0/24", true},
      {"aux_addresses", {{"router", "10.9.0.2"}}, true},
  };
  check_fields<model::Network::Pool>(pools, [](const Changed& row) {
    model::Network network;
    network.ipam.push_back({"10.9.0.0/16", "", "", {}});
    const auto before = definition_of(network);
    test::set_field(network.ipam[0], row.field, row.value);
    return definition_of(network) != before;
  });
}

TEST_CASE("C8.7: a volume is another when its fields are; `local` is what it is without a driver",
          "[translate][definitions]") {
  const std::vector<Changed> rows{
      {"name", "other", false},   {"external", true, false},           {"driver", "nfs", true},
      {"driver", "local", false}, {"driver_opts", {{"a", "b"}}, true}, {"labels", {{"a", "b"}}, true},
  };
  check_fields<model::Volume>(rows, [](const Changed& row) {
    model::Volume volume;
    const auto before = definition_of(volume);
    test::set_field(volume, row.field, row.value);
    return definition_of(volume) != before;
  });
}

TEST_CASE("a process is another by its command, its directory and its variables",
          "[translate][definitions]") {
  const std::vector<Changed> rows{
      {"cmd", "serve --more", true},       {"cwd", "/home/me/demo/other", true},
      {"stop_cmd", "stop --now", false},   {"owned_label", "a=b", false},
      {"owned_name_pattern", "x*", false}, {"restart", "always", false},
      {"stop_grace_period", 1000, false},
  };
  check_fields<model::Process>(rows, [](const Changed& row) {
    return changes_process(
        [&](ProcessDemo& demo) { test::set_field(*demo.web().process, row.field, row.value); });
  });
}

TEST_CASE("a process's variables count by what the file says of them, not by the caller's shell",
          "[translate][definitions]") {
  struct VariableRow {
    const char* sentence;
    bool counts;
    std::function<void(ProcessDemo&)> change;
  };
  const std::vector<VariableRow> rows{
      {"its own", true, [](auto& d) { d.web().environment.env["OWN"] = "other"; }},
      {"one of the stack's", true, [](auto& d) { d.spec.env.env["TOP"] = "t"; }},
      {"what env_from printed", true, [](auto& d) { d.facts.env_from["stack"]["A"] = "1"; }},
      {"its port", true,
       [](auto& d) {
         d.web().ports.push_back(test::from_json<model::Port>({{"key", "0"}, {"env", "PORT"}}));
         d.facts.ports["web"]["0"] = 9000;
       }},
      {"a node package around it", true, [](auto& d) { d.facts.seen.node_packages = {"/home/me/demo/web"}; }},
      {"a new one of the caller's", false, [](auto& d) { d.facts.caller["NEW"] = "1"; }},
      {"another value of the caller's", false, [](auto& d) { d.facts.caller["HOME"] = "/elsewhere"; }},
      {"one of the caller's that the file takes away", false,
       [](auto& d) { d.web().environment.env["HOME"] = std::nullopt; }},
      {"the terminal's, by the file too", false, [](auto& d) { d.web().environment.env["TERM"] = "dumb"; }},
      {"the goal of a symbolic link", false,
       [](auto& d) { d.facts.seen.canonical["/home/me/demo/web"] = "/real"; }},
  };
  for (const auto& row : rows) {
    INFO(row.sentence);
    CHECK(changes_process(row.change) == row.counts);
  }
}

TEST_CASE("a process whose variable is no UTF-8 has a definition all the same", "[translate][definitions]") {
  CHECK(changes_process([](auto& d) { d.facts.env_from["stack"]["LATIN"] = "\xe4"; }));
}
