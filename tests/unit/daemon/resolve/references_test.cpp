#include "daemon/resolve/references.hpp"

#include <algorithm>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using namespace stackd::resolve;
using model::Facts;
using model::Spec;
using test::Loading;

namespace {

// Containers `db` (two ports) and `my.db`; owned `api` (one port), `two` (two ports) and `tunnel` (captures
// url).
Spec sample() {
  Spec spec;
  spec.format = "stackd";
  spec.name = "demo";
  spec.directory = "/home/me/My App";
  spec.profile = "dev";
  spec.disabled = {"off"};
  const auto add = [&](const std::string& name, bool owned, std::initializer_list<std::string> keys) {
    model::Service service;
    service.name = name;
    service.owned = owned;
    if (owned)
      service.process.emplace();
    else
      service.container.emplace();
    for (const auto& key : keys) {
      model::Port port;
      port.key = key;
      service.ports.push_back(port);
    }
    spec.services.push_back(service);
  };
  add("db", false, {"0", "admin"});
  add("my.db", false, {"0"});
  add("api", true, {"0"});
  add("two", true, {"http", "rpc"});
  add("tunnel", true, {});
  spec.services.back().ready_when.emplace().capture["url"] = "(.*)";
  return spec;
}

Facts facts() {
  Facts facts;
  facts.stack_id = "demo-12345678";
  facts.lich_id = "abcdefabcdef";
  facts.ports = {{"db", {{"0", 9001}, {"admin", 9002}}},
                 {"my.db", {{"0", 9003}}},
                 {"api", {{"0", 9004}}},
                 {"two", {{"http", 9005}, {"rpc", 9006}}}};
  facts.captured = {{"tunnel", {{"url", "https://x.test"}}}};
  return facts;
}

std::string value(const std::string& text) {
  return resolved(text, Strictness::value, sample(), facts());
}
std::string shell(const std::string& text) {
  return resolved(text, Strictness::shell, sample(), facts());
}

std::string mistake(const std::string& text, Strictness strictness = Strictness::value,
                    const Facts& with = facts()) {
  try {
    return "resolved: " + resolved(text, strictness, sample(), with);
  } catch (const util::Error& error) {
    CHECK(error.kind() == util::ErrorKind::invalid_file);
    return error.what();
  }
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("L7: every key has its answer", "[resolve][references]") {
  CHECK(value("x:${services.db.host_port}/y") == "x:9001/y");
  CHECK(value("${services.db.host_port_0} ${services.db.host_port_1}") == "9001 9002");
  CHECK(value("${services.db.ports.admin}") == "9002");
  CHECK(value("${services.my.db.host_port}") == "9003");
  CHECK(value("${owned.api.port}") == "9004");
  CHECK(value("${owned.two.ports.rpc}") == "9006");
  CHECK(value("${owned.tunnel.captured.url}") == "https://x.test");
  CHECK(value("${worktree.path}") == "/home/me/My App");
  CHECK(value("${worktree.name}") == "myapp");
  CHECK(value("${stack.name} ${stack.id} ${stack.profile} ${stack.directory}") ==
        "demo demo-12345678 dev /home/me/My App");
}

TEST_CASE("L7.3: worktree.id is twelve hex digits of the directory's hash", "[resolve][references]") {
  CHECK(value("${worktree.id}") == "abcdefabcdef");
  Facts bare;
  const auto id = resolved("${worktree.id}", Strictness::value, sample(), bare);
  CHECK(id.size() == 12);
  CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
  auto other = sample();
  other.directory = "/elsewhere";
  CHECK(resolved("${worktree.id}", Strictness::value, other, bare) != id);
}

TEST_CASE("L7.1: in a value everything unknown is an error, and $$ is a dollar", "[resolve][references]") {
  CHECK(value("a$$b $${HOME} $HOME 5$") == "a$b ${HOME} $HOME 5$");
  CHECK(has(mistake("${HOME}"),
            "${HOME} is not known: a value here can refer to services, owned, worktree and stack only"));
  CHECK(has(mistake("${}"), "a reference is missing"));
  CHECK(has(mistake("${HOME"), "'${' is not closed"));
  CHECK(has(mistake("${service.db.host_port}"), "did you mean ${services.db.host_port}?"));
  CHECK(has(mistake("${env.HOME}"), "references begin with services, owned, worktree or stack"));
}

TEST_CASE("L7.1, X18: in shell text only known roots are stackd's; $$ stays, $${ is ${",
          "[resolve][references]") {
  CHECK(shell("echo $$ ${HOME} ${x:-${services.db.host_port}} ${a.b} ${arr[0]} $(x)") ==
        "echo $$ ${HOME} ${x:-9001} ${a.b} ${arr[0]} $(x)");
  CHECK(shell("echo $${services.db.host_port}") == "echo ${services.db.host_port}");
  CHECK(shell("echo ${open") == "echo ${open");
  CHECK(has(mistake("echo ${services.nope.host_port}", Strictness::shell), "there is no service 'nope'"));
  CHECK(has(mistake("echo ${services.db.host_port", Strictness::shell), "is not closed"));
}

TEST_CASE("what Compose has interpolated already keeps its dollars", "[resolve][references]") {
  const auto text = [](const std::string& in) { return resolved(in, Strictness::text, sample(), facts()); };
  CHECK(text("$$ $${HOME} ${HOME} ${services.db.host_port}") == "$$ $${HOME} ${HOME} 9001");
  CHECK(resolve::keep_dollars("a$b ${HOME} ${services.db.host_port}") ==
        "a$$b $${HOME} ${services.db.host_port}");
  CHECK(value(resolve::keep_dollars("$$ ${HOME} $x ${owned.api.port}")) == "$$ ${HOME} $x 9004");
}

TEST_CASE("L7: mistakes name what there is", "[resolve][references]") {
  CHECK(has(mistake("${services.dbb.host_port}"), "there is no service 'dbb', did you mean 'db'?"));
  CHECK(has(mistake("${owned.apy.port}"), "there is no owned service 'apy', did you mean 'api'?"));
  CHECK(has(mistake("${services.api.host_port}"), "'api' is owned, write ${owned.api.port}"));
  CHECK(has(mistake("${owned.db.ports.admin}"), "'db' is a container, write ${services.db.ports.admin}"));
  CHECK(
      has(mistake("${services.db.ports.amdin}"), "service 'db' has no port 'amdin', did you mean 'admin'?"));
  CHECK(has(mistake("${services.db.host_port_2}"), "has 2 ports, counted from 0"));
  CHECK(has(mistake("${services.db.port}"), "'port' is no part of a service, did you mean 'host_port'?"));
  CHECK(has(mistake("${owned.two.port}"),
            "has several ports, write ${owned.two.ports.<key>} with one of http, rpc"));
  CHECK(has(mistake("${owned.tunnel.port}"), "service 'tunnel' has no port"));
  CHECK(has(mistake("${owned.tunnel.captured.ulr}"), "captures no 'ulr', did you mean 'url'?"));
  CHECK(has(mistake("${owned.api.captured.x}"), "its ready_when has no 'capture'"));
  CHECK(has(mistake("${worktree.nmae}"), "worktree has no 'nmae', did you mean 'name'?"));
  CHECK(has(mistake("${services.db}"), "expected ${services.<name>.host_port}"));
}

TEST_CASE("what is not known yet is an error, or nothing where that may be", "[resolve][references]") {
  Facts none;
  CHECK(has(mistake("${owned.api.port}", Strictness::value, none), "service 'api' has no host port yet"));
  CHECK(has(mistake("${owned.tunnel.captured.url}", Strictness::value, none),
            "has to name it in 'depends_on'"));
  CHECK(has(mistake("${services.off.host_port}"), "service 'off' is left out by the profile 'dev'"));
  CHECK_FALSE(resolve::resolved_if_known("a ${owned.api.port}", Strictness::value, sample(), none));
  CHECK(resolve::resolved_if_known("a ${owned.api.port}", Strictness::value, sample(), facts()) == "a 9004");
  CHECK_THROWS_AS(resolve::resolved_if_known("${owned.apy.port}", Strictness::value, sample(), none),
                  util::Error);
  // Brought up by an earlier up.
  auto with = facts();
  with.ports["off"] = {{"0", 9100}};
  CHECK(resolved("${services.off.host_port}", Strictness::value, sample(), with) == "9100");
}

TEST_CASE("a pinned port is known before anything is allocated, and the host's network has the container's",
          "[resolve][references]") {
  auto spec = sample();
  spec.services[2].ports[0].published = 3000;
  CHECK(resolved("${owned.api.port}", Strictness::value, spec, {}) == "3000");
  spec.services[0].container->network_mode = "host";
  spec.services[0].ports[0].target = 5432;
  CHECK(resolved("${services.db.host_port}", Strictness::value, spec, {}) == "5432");
}

TEST_CASE("captured_from names each service once", "[resolve][references]") {
  CHECK(resolve::captured_from(
            "${owned.a.captured.x} ${owned.b.port} ${owned.a.captured.y} ${services.c.captured.z}") ==
        std::vector<std::string>{"a", "c"});
}

TEST_CASE("L7: a dangling reference is refused where it is written", "[resolve][references]") {
  const std::string text =
      "services:\n"
      "  db:\n"
      "    image: postgres\n"
      "    ports: ['5432']\n"
      "    environment:\n"
      "      PEER: ${owned.apy.port}\n"
      "      FINE: $${NOT_OURS}\n"
      "    command: serve ${services.db.host_prot}\n"
      "owned:\n"
      "  api:\n"
      "    cmd: run ${HOME} ${service.db.host_port} ${row.id}\n"
      "    port: {env: PORT}\n"
      "    env:\n"
      "      URL: http://${services.dbb.host_port}\n"
      "      BAD: ${HOME}\n"
      "lifecycle:\n"
      "  after_up:\n"
      "    - seed ${owned.api.ports.http}\n"
      "commands:\n"
      "  psql: {cmd: 'psql ${services.db.ports.main}'}\n";
  const auto mistakes = Loading(text, "stackd.yaml").mistakes();
  INFO(mistakes);
  CHECK(has(mistakes,
            "stackd.yaml:6:13: ${owned.apy.port} is not known: there is no owned service 'apy', did you mean "
            "'api'?\n"));
  CHECK(has(mistakes,
            "stackd.yaml:8:14: ${services.db.host_prot} is not known: 'host_prot' is no part of a service, "
            "did you mean 'host_port'?\n"));
  CHECK(has(
      mistakes,
      "stackd.yaml:11:10: ${service.db.host_port} is not known: did you mean ${services.db.host_port}?\n"));
  CHECK(has(mistakes,
            "stackd.yaml:14:12: ${services.dbb.host_port} is not known: there is no service 'dbb', did you "
            "mean 'db'?\n"));
  CHECK(has(mistakes, "stackd.yaml:15:12: ${HOME} is not known: a value here"));
  CHECK(has(mistakes,
            "stackd.yaml:18:7: ${owned.api.ports.http} is not known: service 'api' has no port 'http', "
            "expected one of 0\n"));
  CHECK(has(mistakes, "stackd.yaml:20:15: ${services.db.ports.main} is not known"));
  CHECK(std::count(mistakes.begin(), mistakes.end(), '\n') == 7);
}

TEST_CASE("a compose.yaml's references are checked too", "[resolve][references]") {
  CHECK(
      Loading(test::one_service(
                  "    ports: ['80']\n    environment: {U: 'http://localhost:${services.web.host_port}'}\n"))
          .mistakes() == "loaded");
  CHECK(has(Loading(test::one_service("    command: x ${services.wbe.host_port}\n")).mistakes(),
            "did you mean 'web'?"));
  CHECK(has(Loading(test::one_service("    x-stackd:\n      lifecycle:\n        after_ready:\n          - x "
                                      "${services.wbe.host_port}\n"))
                .mistakes(),
            "compose.yaml:7:13: ${services.wbe.host_port}"));
}
