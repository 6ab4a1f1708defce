#include <string>

#include "proto/verbs.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using model::Condition;
using model::ServiceKind;
using test::Loading;

namespace {

std::string with_web(const std::string& lines) {
  return "services:\n  web:\n    image: nginx\n" + lines;
}

model::Spec load(const std::string& lines) {
  return Loading(with_web(lines), "stackd.yaml").load();
}
std::string mistakes(const std::string& lines) {
  return Loading(with_web(lines), "stackd.yaml").mistakes();
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("L1.2: an owned service with every field", "[stackfile][extras]") {
  Loading loading(
      with_web(
          "owned:\n"
          "  api:\n"
          "    cmd: exec run ${owned.api.port}\n"
          "    cwd: apps/api\n"
          "    depends_on: [web]\n"
          "    port: {env: PORT}\n"
          "    stop_cmd: stop it\n"
          "    owned_containers: {label: made-by=api}\n"
          "    env: {A: '1', GONE: null, N: 5, B: true}\n"
          "    ready_when: {http_get: /health, timeout: 20s, capture: {url: 'at (.*)'}, settle: 2s, "
          "extend_on_progress: "
          "true}\n"
          "    fail_when: {log_match: EADDRINUSE}\n"
          "    lifecycle: {before_start: [x]}\n"
          "    restart: on-failure\n"
          "    stop_grace_period: 3s\n"
          "  seed: {cmd: seed, oneshot: true, ports: {http: {published_env: P, host_port: 8123}, db: {}}}\n"),
      "stackd.yaml");
  const auto spec = loading.load();
  const auto* api = spec.find("api");
  REQUIRE(api);
  CHECK(api->owned);
  CHECK(api->kind == ServiceKind::process);
  CHECK_FALSE(api->container);
  CHECK(api->process->cmd == "exec run ${owned.api.port}");
  CHECK(api->process->cwd == loading.path("apps/api"));
  CHECK(api->process->stop_cmd == "stop it");
  CHECK(api->process->owned_label == "made-by=api");
  CHECK(api->process->restart == "on-failure");
  CHECK(api->process->stop_grace_period == std::chrono::seconds(3));
  CHECK(api->depends_on.at("web").condition == Condition::ready);
  CHECK(api->depends_on_given);
  REQUIRE(api->ports.size() == 1);
  CHECK(api->ports[0].env == "PORT");
  CHECK(api->ports[0].published == 0);
  CHECK(api->ports[0].target == 0);
  CHECK(api->environment.env.at("A") == "1");
  CHECK(api->environment.env.at("N") == "5");
  CHECK(api->environment.env.at("GONE") == std::nullopt);
  CHECK(api->ready_when->probes.at(model::ProbeKind::http_get) == "/health");
  CHECK(api->ready_when->timeout == std::chrono::seconds(20));
  CHECK(api->ready_when->capture.at("url") == "at (.*)");
  CHECK(api->ready_when->extend_on_progress);
  CHECK(api->ready_when->settle == std::chrono::seconds(2));
  CHECK(api->ready_when->fail_log_match == "EADDRINUSE");
  CHECK(api->hooks.size() == 1);
  const auto* seed = spec.find("seed");
  CHECK(seed->kind == ServiceKind::oneshot);
  CHECK(seed->process->cwd == loading.directory.path().string());
  REQUIRE(seed->ports.size() == 2);
  CHECK(seed->ports[0].key == "http");
  CHECK(seed->ports[0].published == 8123);
  CHECK(seed->ports[1].key == "db");
}

TEST_CASE("X33: no depends_on key and an empty list are told apart", "[stackfile][extras]") {
  const auto spec = load("owned:\n  a: {cmd: x}\n  b: {cmd: x, depends_on: []}\n");
  CHECK_FALSE(spec.find("a")->depends_on_given);
  CHECK(spec.find("b")->depends_on_given);
}

TEST_CASE("L1.4: depends_on of a stackd.yaml may say a condition", "[stackfile][extras]") {
  const auto spec = load(
      "owned:\n  a: {cmd: x, depends_on: {web: {condition: service_started, required: false}, s: {}}}\n"
      "  s: {cmd: x, oneshot: true}\n  c: {cmd: x, depends_on: {s: {condition: completed_successfully}}}\n");
  CHECK(spec.find("a")->depends_on.at("web").condition == Condition::started);
  CHECK_FALSE(spec.find("a")->depends_on.at("web").required);
  CHECK(spec.find("a")->depends_on.at("s").condition == Condition::ready);
  CHECK(spec.find("c")->depends_on.at("s").condition == Condition::completed_successfully);
  CHECK(
      has(mistakes("owned: {a: {cmd: x, depends_on: {web: {condition: redy}}}}\n"), "did you mean 'ready'?"));
  CHECK(has(mistakes("owned: {a: {cmd: x, depends_on: [wbe]}}\n"), "did you mean 'web'?"));
  CHECK(
      has(mistakes("owned: {a: {cmd: x, depends_on: [b]}, b: {cmd: y, depends_on: [a]}}\n"), "a -> b -> a"));
}

TEST_CASE("what an owned service must not be is refused with its place", "[stackfile][extras]") {
  CHECK(mistakes("owned:\n  api: {cwd: x}\n") == "stackd.yaml:5:3: owned service 'api' has no 'cmd'\n");
  CHECK(has(mistakes("owned:\n  web: {cmd: x}\n"), "another service in line 2 has that name"));
  CHECK(has(mistakes("owned: {'a/b': {cmd: x}}\n"), "is not a service's name"));
  CHECK(
      has(mistakes("owned: {api: {cmd: x, port: 1, ports: {a: 2}}}\n"), "give 'port' or 'ports', not both"));
  CHECK(has(mistakes("owned: {api: {cmd: x, port: 70000}}\n"),
            "expected a port from 1 to 65535, found '70000'"));
  CHECK(has(mistakes("owned: {api: {cmd: x, owned_containers: {}}}\n"),
            "give either 'label' or 'name_pattern'"));
  CHECK(has(mistakes("owned: {api: {cmd: x, owned_containers: {label: a, name_pattern: b}}}\n"),
            "give either"));
  CHECK(has(mistakes("owned: {api: {cmd: x, image: y}}\n"), "unknown key 'image' in owned service 'api'"));
  CHECK(has(mistakes("owned: {api: {cmd: x, oneshto: true}}\n"), "did you mean 'oneshot'?"));
  CHECK(has(mistakes("owned: [a]\n"), "'owned': expected a mapping of names"));
}

TEST_CASE("L3.4: bad probes and patterns are refused when the file is read", "[stackfile][extras]") {
  CHECK(has(mistakes("owned: {api: {cmd: x, ready_when: {log_match: 'a('}}}\n"),
            "not a valid regular expression"));
  CHECK(has(mistakes("owned: {api: {cmd: x, ready_when: {capture: {url: '['}}}}\n"),
            "'capture.url': not a valid regular expression"));
  CHECK(has(mistakes("owned: {api: {cmd: x, fail_when: {log_match: '*'}}}\n"),
            "'fail_when', 'log_match': not a valid"));
  CHECK(has(mistakes("owned: {api: {cmd: x, ready_when: {timeout: forever}}}\n"), "expected a duration"));
  CHECK(has(mistakes("owned: {api: {cmd: x, ready_when: {tcp: 'localhost'}}}\n"),
            "expected host:port or a port"));
  CHECK(
      has(mistakes("owned: {api: {cmd: x, ready_when: {http_get: health}}}\n"), "expected a path or a URL"));
  CHECK(has(mistakes("owned: {api: {cmd: x, ready_when: {http_get: /health}}}\n"), "needs a 'port'"));
  CHECK(mistakes("owned: {api: {cmd: x, ready_when: {http_get: 'https://x/'}}}\n") == "loaded");
  CHECK(has(mistakes("owned: {api: {cmd: x, ready_when: {port_open: 5}}}\n"), "unknown key 'port_open'"));
  CHECK(mistakes("owned: {api: {cmd: x, ready_when: {tcp: 'localhost:${owned.api.port}'}, port: 8080}}\n") ==
        "loaded");
  const auto spec = load("    ready_when: {tcp: '5432', timeout: 1500}\n");
  CHECK(spec.find("web")->ready_when->timeout == std::chrono::milliseconds(1500));
}

TEST_CASE("L6.7: env_groups extend one group or the built-in one", "[stackfile][extras]") {
  const auto spec = load(
      "env_groups:\n  a: {extends: stack, env: {X: '1'}}\n  b: {extends: a, process_env: false, env_from: "
      "[TOKEN]}\n");
  CHECK(spec.env_groups.at("a").extends == "stack");
  CHECK(spec.env_groups.at("a").process_env);
  CHECK_FALSE(spec.env_groups.at("b").process_env);
  CHECK(spec.env_groups.at("b").layer.from[0].variable == "TOKEN");
  CHECK(has(mistakes("env_groups:\n  stack: {env: {A: b}}\n"),
            "stackd.yaml:5:3: env_group 'stack' is built in"));
  CHECK(has(mistakes("env_groups:\n  a: {extends: bb}\n  bbb: {}\n"),
            "stackd.yaml:5:16: env_group 'a' extends 'bb', which does not exist, did you mean 'bbb'?"));
  CHECK(has(mistakes("env_groups: {a: {extends: b}, b: {extends: a}}\n"), "in a cycle: a -> b -> a"));
  CHECK(has(mistakes("env_groups: {a: {extends: a}}\n"), "in a cycle: a -> a"));
  CHECK(has(mistakes("env_groups: {a: {env_files: [x]}}\n"), "is not for groups"));
}

TEST_CASE("L6.8: commands are read; those that hide stackctl's own are refused", "[stackfile][extras]") {
  Loading loading(with_web("env_groups: {tools: {}}\ncommands:\n  db:psql: {cmd: psql, help: Open it, "
                           "env_group: tools, cwd: db, env: {A: b}}\n"
                           "  plain: {cmd: ls, description: List}\n"),
                  "stackd.yaml");
  const auto spec = loading.load();
  const auto& psql = spec.commands.at("db:psql");
  CHECK(psql.cmd == "psql");
  CHECK(psql.description == "Open it");
  CHECK(psql.env_group == "tools");
  CHECK(psql.cwd == loading.path("db"));
  CHECK(psql.env.at("A") == "b");
  CHECK(spec.commands.at("plain").description == "List");
  CHECK(spec.commands.at("plain").cwd.empty());
  for (const auto& row : proto::k_verbs) {
    INFO(row.name);
    if (row.free_name) {
      CHECK(load(std::string("commands: {") + row.name + ": {cmd: x}}\n").commands.count(row.name) == 1);
      continue;
    }
    CHECK(has(mistakes(std::string("commands:\n  ") + row.name + ": {cmd: x}\n"),
              "stackd.yaml:5:3: command '" + std::string(row.name) + "' has the name"));
  }
  CHECK(has(mistakes("commands: {x: {}}\n"), "command 'x' has no 'cmd'"));
  CHECK(has(mistakes("commands: {x: {cmd: y, env_group: tols}}\n"), "there is no env_group 'tols'"));
}

TEST_CASE("runtime: its fields, and Lich's that mean nothing here", "[stackfile][extras]") {
  const auto spec = load(
      "runtime: {kill_others_on_fail: false, fast_readiness: false, ready_when_timeout: 2m, hook_timeout: "
      "30s,\n"
      "  port_range: [9100, 9200], compose_cli: auto, proxy_port: 3300, telemetry: false}\n");
  CHECK_FALSE(spec.runtime.kill_others_on_fail);
  CHECK_FALSE(spec.runtime.fast_readiness);
  CHECK(spec.runtime.ready_when_timeout == std::chrono::minutes(2));
  CHECK(spec.runtime.hook_timeout == std::chrono::seconds(30));
  CHECK(spec.runtime.port_first == 9100);
  CHECK(spec.runtime.port_last == 9200);
  CHECK(has(mistakes("runtime: {port_range: [9200, 9100]}\n"), "as in [9000, 9999]"));
  CHECK(has(mistakes("runtime: {target: swarm}\n"), "'target': 'swarm' is not supported by this version"));
  CHECK(has(mistakes("runtime: {compose_cli: dokcer}\n"), "did you mean 'docker'?"));
  CHECK(has(mistakes("runtime: {kill_other_on_fail: true}\n"), "did you mean 'kill_others_on_fail'?"));
}

TEST_CASE("L10.8: discover makes a service of each file, sorted by name", "[stackfile][extras]") {
  Loading loading(with_web("owned:\n"
                           "  workers:\n"
                           "    discover:\n"
                           "      glob: 'src/**/*{Worker,Job}.ts'\n"
                           "      name_template: '${basename_no_ext | strip_suffix:Worker | kebab}-worker'\n"
                           "      cmd_template: run ${dirname}/${basename} --id ${worktree.id}\n"
                           "      cwd: apps\n"
                           "    env: {A: b}\n"
                           "    ready_when: {log_match: ready}\n"
                           "  after: {cmd: x, depends_on: [workers]}\n"),
                  "stackd.yaml");
  for (const char* file : {"apps/src/SendEmailWorker.ts", "apps/src/deep/er/AWorker.ts", "apps/src/XJob.ts",
                           "apps/src/.hiddenWorker.ts", "apps/src/other.ts", "src/OutsideWorker.ts"})
    loading.directory.write(file, "");
  const auto spec = loading.load();
  REQUIRE(spec.services.size() == 5);
  CHECK(spec.services[1].name == "a-worker");
  CHECK(spec.services[2].name == "send-email-worker");
  CHECK(spec.services[3].name == "xjob-worker");
  CHECK(spec.services[2].process->cmd == "run src/SendEmailWorker.ts --id ${worktree.id}");
  CHECK(spec.services[1].process->cmd == "run src/deep/er/AWorker.ts --id ${worktree.id}");
  CHECK(spec.services[2].process->cwd == loading.path("apps"));
  CHECK(spec.services[2].environment.env.at("A") == "b");
  CHECK(spec.services[2].ready_when->probes.at(model::ProbeKind::log_match) == "ready");
  CHECK(spec.find("after")->depends_on.size() == 3);
  CHECK_FALSE(spec.find("workers"));
}

TEST_CASE("L10.8: no file is no service, and mistakes of the templates show all the same",
          "[stackfile][extras]") {
  const auto discover = [](const std::string& fields) {
    return mistakes("owned:\n  w:\n    discover: {glob: 'w/*', " + fields + "}\n");
  };
  CHECK(discover("name_template: '${basename}', cmd_template: 'x'") == "loaded");
  CHECK(has(discover("name_template: '${basenam}', cmd_template: x"),
            "unknown variable 'basenam', did you mean 'basename'?"));
  CHECK(has(discover("name_template: '${basename | kebap}', cmd_template: x"), "did you mean 'kebab'?"));
  CHECK(has(discover("name_template: '${basename | strip_prefix}', cmd_template: x"), "needs an argument"));
  CHECK(has(discover("name_template: '${basename', cmd_template: x"), "is not closed"));
  CHECK(has(discover("name_template: a"), "are expected"));
  CHECK(has(mistakes("owned:\n  w: {cmd: x, discover: {glob: a, name_template: b, cmd_template: c}}\n"),
            "give 'cmd' or 'discover'"));

  Loading loading(with_web("owned:\n  w: {discover: {glob: 'w/*', name_template: same, cmd_template: x}}\n"),
                  "stackd.yaml");
  loading.directory.write("w/a", "");
  loading.directory.write("w/b", "");
  CHECK(has(loading.mistakes(), "two files become the service 'same'"));
  Loading taken(with_web("owned:\n  a: {cmd: y}\n  w: {discover: {glob: 'w/*', name_template: '${basename}', "
                         "cmd_template: x}}\n"),
                "stackd.yaml");
  taken.directory.write("w/a", "");
  CHECK(has(taken.mistakes(), "the discovered service 'a' has the name of another one"));
}
