#include "daemon/resolve/environment.hpp"

#include <functional>
#include <string>

#include "daemon/resolve/identity.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using namespace stackd::resolve;
using model::Facts;
using model::Spec;
using test::Loading;

namespace {

// A lich.yaml, loaded from a directory of its own, with facts as an up would find them.
struct Stack {
  explicit Stack(const std::string& text, const std::string& name = "lich.yaml") : loading(text, name) {
    reload();
    facts.stack_id = "demo-12345678";
    facts.caller = {
        {"PATH", "/usr/bin"}, {"HOME", "/home/me"}, {"TOKEN", "s3cret-token"}, {"ODD", "${nothing} $$"}};
  }
  void reload() { spec = loading.load(); }

  Loading loading;
  Spec spec;
  Facts facts;
};

std::string at(const Variables& variables, const std::string& name) {
  const auto found = variables.find(name);
  return found == variables.end() ? "(not there)" : found->second;
}

Variables process(const Stack& stack, const std::string& name) {
  return process_environment(stack.spec, stack.facts, *stack.spec.find(name));
}
Variables container(const Stack& stack, const std::string& name) {
  return container_environment(stack.spec, stack.facts, *stack.spec.find(name));
}

std::string failure(const std::function<void()>& act) {
  try {
    act();
  } catch (const util::Error& error) {
    return error.what();
  }
  return "no error";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("L6.1: later levels win, one by one", "[resolve][environment]") {
  Stack stack(
      "version: \"1\"\n"
      "env_from: [{cmd: a}]\nenv_files: [top.env]\nenv: {V3: top-env}\n"
      "owned:\n  api: {cmd: x, port: {env: V9}, env_from: [{cmd: b}], env_files: [api.env], env: {V8: "
      "api-env, V9: api-env}}\n"
      "profiles: {dev: {owned: [api], env_from: [{cmd: c}], env_files: [dev.env], env: {V6: dev-env}}}\n");
  const auto file = [](const std::string& from, int first) {
    std::string text;
    for (int i = first; i <= 9; ++i) text += "V" + std::to_string(i) + "=" + from + "\n";
    return text;
  };
  stack.loading.directory.write("top.env", file("top-file", 2));
  stack.loading.directory.write("dev.env", file("dev-file", 5));
  stack.loading.directory.write("api.env", file("api-file", 7) + "V8=api-file\n");
  stack.reload();
  for (int i = 0; i <= 9; ++i) {
    const std::string name = "V" + std::to_string(i);
    stack.facts.caller[name] = "caller";
    if (i >= 1) stack.facts.env_from["stack"][name] = "top-from";
    if (i >= 4) stack.facts.env_from["profile"][name] = "dev-from";
    if (i >= 7) stack.facts.env_from["service:api"][name] = "api-from";
  }
  stack.facts.ports["api"]["0"] = 9004;
  const auto env = process(stack, "api");
  CHECK(at(env, "V0") == "caller");
  CHECK(at(env, "V1") == "top-from");
  CHECK(at(env, "V2") == "top-file");
  CHECK(at(env, "V3") == "top-env");
  CHECK(at(env, "V4") == "dev-from");
  CHECK(at(env, "V5") == "dev-file");
  CHECK(at(env, "V6") == "dev-env");
  CHECK(at(env, "V7") == "api-file");
  CHECK(at(env, "V8") == "api-env");
  CHECK(at(env, "V9") == "9004");
}

TEST_CASE("L6.1: LICH_* and STACKD_* stand above the caller's and below the file's",
          "[resolve][environment]") {
  Stack stack("version: \"1\"\nowned: {api: {cmd: x}}\nprofiles: {dev: {owned: [api]}}\n");
  stack.facts.caller["LICH_PROFILE"] = "outer";
  auto env = stack_environment(stack.spec, stack.facts);
  CHECK(at(env, "LICH_STACK_ID") == "demo-12345678");
  CHECK(at(env, "LICH_PROFILE") == "dev");
  CHECK_FALSE(at(env, "LICH_WORKTREE").empty());
  CHECK(at(env, "STACKD_STACK") == "demo");
  CHECK(at(env, "STACKD_STACK_ID") == "demo-12345678");
  CHECK(at(env, "STACKD_PROFILE") == "dev");
  stack.spec.env.env["LICH_PROFILE"] = "mine";
  CHECK(at(stack_environment(stack.spec, stack.facts), "LICH_PROFILE") == "mine");
}

TEST_CASE("L6.2, T26: null removes a variable after everything is merged, before it is resolved",
          "[resolve][environment]") {
  Stack stack(
      "version: \"1\"\nenv: {HOME: null, BACK: null, REF: '${owned.tunnel.captured.url}'}\n"
      "owned:\n  tunnel: {cmd: x, ready_when: {log_match: up, capture: {url: x}}}\n"
      "  api: {cmd: x, env: {BACK: again, REF: null, TOKEN: null, EMPTY: ''}}\n");
  const auto env = process(stack, "api");
  CHECK(at(env, "HOME") == "(not there)");
  CHECK(at(env, "BACK") == "again");
  CHECK(at(env, "REF") == "(not there)");
  CHECK(at(env, "TOKEN") == "(not there)");
  CHECK(at(env, "EMPTY").empty());
  CHECK(at(stack_environment(stack.spec, stack.facts), "TOKEN") == "s3cret-token");
}

TEST_CASE("X16: what the caller brought and what env_from printed is not interpolated",
          "[resolve][environment]") {
  Stack stack(
      "version: \"1\"\nenv_from: [{cmd: x}, ODD]\nenv: {A: 'a$$b'}\nenv_files: [e]\nowned: {api: {cmd: "
      "x}}\n");
  stack.facts.env_from["stack"]["PRINTED"] = "${nothing} $$";
  auto env = process(stack, "api");
  CHECK(at(env, "ODD") == "${nothing} $$");
  CHECK(at(env, "PRINTED") == "${nothing} $$");
  CHECK(at(env, "A") == "a$b");
}

TEST_CASE("L6.6, X17: a service's hooks get its environment, a stack's the stack's with every port",
          "[resolve][environment]") {
  Stack stack(
      "version: \"1\"\nenv: {TOP: t}\nservices:\n  db:\n    image: pg\n    ports: [{container_port: 5432, "
      "published_env: DB_PORT}]\n"
      "    environment: {PATH: /inside, POSTGRES_DB: app}\n    lifecycle: {after_ready: [d]}\n"
      "owned:\n  api: {cmd: x, port: {env: PORT}, env: {OWN: o}, lifecycle: {before_start: [h]}}\n"
      "lifecycle: {after_up: [s, {cmd: t, env: {EXTRA: '${owned.api.port}', TOP: null}}]}\n");
  stack.facts.ports = {{"db", {{"0", 9001}}}, {"api", {{"0", 9002}}}};
  const auto of_stack = hook_environment(stack.spec, stack.facts, stack.spec.hooks[0]);
  CHECK(at(of_stack, "TOP") == "t");
  CHECK(at(of_stack, "DB_PORT") == "9001");
  CHECK(at(of_stack, "PORT") == "9002");
  CHECK(at(of_stack, "OWN") == "(not there)");
  const auto with_own = hook_environment(stack.spec, stack.facts, stack.spec.hooks[1]);
  CHECK(at(with_own, "EXTRA") == "9002");
  CHECK(at(with_own, "TOP") == "(not there)");
  const auto of_api = hook_environment(stack.spec, stack.facts, stack.spec.find("api")->hooks[0]);
  CHECK(at(of_api, "OWN") == "o");
  CHECK(at(of_api, "PORT") == "9002");
  const auto of_db = hook_environment(stack.spec, stack.facts, stack.spec.find("db")->hooks[0]);
  CHECK(at(of_db, "POSTGRES_DB") == "app");
  CHECK(at(of_db, "PATH") == "/usr/bin");
  CHECK(at(of_db, "DB_PORT") == "9001");
}

TEST_CASE("L3.1: processes may publish their ports by one name", "[resolve][environment]") {
  Stack stack(
      "version: \"1\"\nservices: {db: {image: pg, ports: [{container_port: 1, published_env: DB_PORT}]}}\n"
      "owned:\n  api: {cmd: x, port: {env: PORT}}\n  web: {cmd: y, port: {env: PORT}}\n  worker: {cmd: z}\n");
  stack.facts.ports = {{"db", {{"0", 9001}}}, {"api", {{"0", 9002}}}, {"web", {{"0", 9003}}}};
  CHECK(at(process(stack, "api"), "PORT") == "9002");
  CHECK(at(process(stack, "web"), "PORT") == "9003");
  CHECK(at(process(stack, "worker"), "PORT") == "(not there)");
  CHECK(at(process(stack, "worker"), "DB_PORT") == "9001");
  CHECK(at(stack_environment(stack.spec, stack.facts), "PORT") == "9003");
}

TEST_CASE("a container gets what the files say, and nothing of the caller's", "[resolve][environment]") {
  Stack stack(
      "version: \"1\"\nenv: {TOP: '${services.db.host_port}'}\nservices:\n  db:\n    image: pg\n"
      "    ports: [{container_port: 5432, published_env: DB_PORT}]\n    environment: {A: '1', N: "
      "'lich-${worktree.id}'}\n");
  stack.facts.ports = {{"db", {{"0", 9001}}}};
  stack.facts.lich_id = "abc";
  const auto env = container(stack, "db");
  CHECK(at(env, "A") == "1");
  CHECK(at(env, "N") == "lich-abc");
  CHECK(at(env, "TOP") == "9001");
  CHECK(at(env, "DB_PORT") == "9001");
  CHECK(at(env, "LICH_STACK_ID") == "demo-12345678");
  CHECK(at(env, "HOME") == "(not there)");
  CHECK(at(env, "PWD") == "(not there)");

  Stack compose(test::one_service("    environment: {A: $$x, B: '$${HOME}'}\n"), "compose.yaml");
  const auto plain = container(compose, "web");
  CHECK(plain == Variables{{"A", "$x"}, {"B", "${HOME}"}});
}

TEST_CASE("L6.7: groups take the caller's variables by their own say, and the stack's by extending it",
          "[resolve][environment]") {
  Stack stack(
      "version: \"1\"\nenv: {TOP: t}\nowned: {api: {cmd: x, port: {env: PORT}}}\n"
      "env_groups:\n"
      "  sealed: {process_env: false, env: {MODE: alone}, env_from: [TOKEN]}\n"
      "  plus: {extends: stack, env: {MODE: '${owned.api.port}'}}\n"
      "  more: {extends: plus, process_env: false, env: {TOP: null}}\n"
      "  open: {extends: sealed}\n");
  stack.facts.ports = {{"api", {{"0", 9002}}}};
  const auto sealed = group_environment(stack.spec, stack.facts, "sealed");
  CHECK(at(sealed, "MODE") == "alone");
  CHECK(at(sealed, "TOKEN") == "s3cret-token");
  CHECK(at(sealed, "HOME") == "(not there)");
  CHECK(at(sealed, "TOP") == "(not there)");
  CHECK(at(sealed, "LICH_STACK_ID") == "demo-12345678");
  const auto plus = group_environment(stack.spec, stack.facts, "plus");
  CHECK(at(plus, "MODE") == "9002");
  CHECK(at(plus, "TOP") == "t");
  CHECK(at(plus, "PORT") == "9002");
  CHECK(at(plus, "HOME") == "/home/me");
  const auto more = group_environment(stack.spec, stack.facts, "more");
  CHECK(at(more, "HOME") == "(not there)");
  CHECK(at(more, "TOP") == "(not there)");
  CHECK(at(more, "PORT") == "9002");
  CHECK(at(group_environment(stack.spec, stack.facts, "open"), "HOME") == "/home/me");
  CHECK(group_environment(stack.spec, stack.facts, "stack") == stack_environment(stack.spec, stack.facts));
  CHECK(
      has(failure([&] { group_environment(stack.spec, stack.facts, "seeled"); }), "did you mean 'sealed'?"));
}

TEST_CASE("L6.8: a command gets its group, then its own env", "[resolve][environment]") {
  Stack stack(
      "version: \"1\"\nenv: {TOP: t}\nowned: {api: {cmd: x}}\nenv_groups: {tools: {process_env: false, env: "
      "{T: '1'}}}\n"
      "commands: {a: {cmd: x, env: {A: b}, cwd: sub}, b: {cmd: x, env_group: tools}}\n");
  const auto a = command_environment(stack.spec, stack.facts, "a");
  CHECK(at(a, "TOP") == "t");
  CHECK(at(a, "A") == "b");
  CHECK(at(a, "PWD") == stack.loading.path("sub"));
  const auto b = command_environment(stack.spec, stack.facts, "b");
  CHECK(at(b, "T") == "1");
  CHECK(at(b, "TOP") == "(not there)");
  CHECK(has(failure([&] { command_environment(stack.spec, stack.facts, "c"); }), "there is no command 'c'"));
}

TEST_CASE("L3.1: PWD is canonical and the commands of node packages come first in PATH",
          "[resolve][environment]") {
  Stack stack("version: \"1\"\nowned:\n  api: {cmd: x, cwd: apps/api}\n  plain: {cmd: x}\n");
  const auto root = stack.spec.directory;
  stack.facts.seen.canonical = {{root, "/real"}, {root + "/apps/api", "/real/apps/api"}};
  stack.facts.seen.node_packages = {"/real/apps/api"};
  CHECK(at(process(stack, "api"), "PWD") == "/real/apps/api");
  CHECK(at(process(stack, "api"), "PATH") == "/real/apps/api/node_modules/.bin:/usr/bin");
  CHECK(at(process(stack, "plain"), "PATH") == "/usr/bin");
  stack.facts.seen.node_packages.insert({"/real", "/"});
  CHECK(at(process(stack, "api"), "PATH") ==
        "/real/apps/api/node_modules/.bin:/real/node_modules/.bin:/usr/bin");
  CHECK(at(process(stack, "plain"), "PATH") == "/real/node_modules/.bin:/usr/bin");
  stack.facts.caller.erase("PATH");
  CHECK(at(process(stack, "plain"), "PATH") == "/real/node_modules/.bin");
}

TEST_CASE("a directory that was not there when somebody looked is PWD as it is written",
          "[resolve][environment]") {
  Stack stack("version: \"1\"\nowned: {api: {cmd: x, cwd: apps/api}}\n");
  CHECK(at(process(stack, "api"), "PWD") == stack.spec.directory + "/apps/api");
}

TEST_CASE("L3.1: node packages are looked for from a directory up to the stack's, innermost first",
          "[resolve][environment]") {
  using Levels = std::vector<std::string>;
  CHECK(package_levels("/s/a/b", "/s") == Levels{"/s/a/b", "/s/a", "/s"});
  CHECK(package_levels("/s", "/s") == Levels{"/s"});
  CHECK(package_levels("/elsewhere/a", "/s") == Levels{"/elsewhere/a"});
  CHECK(package_levels("/", "/s") == Levels{"/"});
}

TEST_CASE("what has to be looked at is where the commands of this machine start", "[resolve][environment]") {
  Stack stack(
      "owned:\n  api: {cmd: x, cwd: apps/api, lifecycle: {before_start: [{cmd: a, cwd: make}]}}\n"
      "  tunnel: {cmd: x, ready_when: {log_match: up, capture: {url: '(.*)'}}}\n"
      "services: {db: {image: pg, post_start: [{command: [a], working_dir: /inside}]}}\n"
      "lifecycle:\n  before_up: [{cmd: b, cwd: 'of/${stack.name}'}, {cmd: b, cwd: /abs}]\n"
      "  after_up: [{cmd: c, cwd: '${owned.tunnel.captured.url}'}]\n"
      "commands: {psql: {cmd: d, cwd: sql}}\n",
      "stackd.yaml");
  model::Service gone;
  gone.process.emplace().cwd = "/gone";
  stack.spec.gone.push_back(gone);
  const auto root = stack.spec.directory;
  const std::set<std::string> known{root,   root + "/apps/api", root + "/make", root + "/of/demo",
                                    "/abs", root + "/sql",      "/gone"};
  CHECK(directories(stack.spec, stack.facts) == known);
  stack.facts.captured["tunnel"]["url"] = "now";
  CHECK(directories(stack.spec, stack.facts).contains(root + "/now"));
}

TEST_CASE("what is not known yet is left out of the stack's level and an error in a service's own",
          "[resolve][environment]") {
  Stack stack(
      "version: \"1\"\nenv: {URL: '${owned.tunnel.captured.url}'}\nowned:\n"
      "  tunnel: {cmd: x, ready_when: {log_match: up, capture: {url: '(.*)'}}}\n"
      "  api: {cmd: x, env: {OWN_URL: '${owned.tunnel.captured.url}'}}\n");
  CHECK(at(stack_environment(stack.spec, stack.facts), "URL") == "(not there)");
  CHECK(has(failure([&] { process(stack, "api"); }),
            "cannot set OWN_URL: ${owned.tunnel.captured.url} is not known: service 'tunnel' has captured "
            "nothing yet"));
  stack.facts.captured["tunnel"]["url"] = "https://x";
  CHECK(at(process(stack, "api"), "URL") == "https://x");
  CHECK(at(process(stack, "api"), "OWN_URL") == "https://x");
}

TEST_CASE("a container's definition can be told before everything in it is known", "[resolve][environment]") {
  Stack stack(
      "services:\n  web:\n    image: a\n    command: x ${owned.tunnel.captured.url}\n    environment: {URL: "
      "'${owned.tunnel.captured.url}'}\n"
      "owned: {tunnel: {cmd: x, ready_when: {log_match: up, capture: {url: '(.*)'}}}}\n",
      "stackd.yaml");
  CHECK(has(failure([&] { container(stack, "web"); }), "cannot set URL"));
  CHECK(at(container_definition(stack.spec, stack.facts, stack.spec.services[0]), "URL") ==
        "${owned.tunnel.captured.url}");
  const auto before = config_hash(stack.spec, stack.facts, stack.spec.services[0]);
  stack.facts.captured["tunnel"]["url"] = "https://x";
  CHECK(container_definition(stack.spec, stack.facts, stack.spec.services[0]) == container(stack, "web"));
  CHECK(config_hash(stack.spec, stack.facts, stack.spec.services[0]) != before);
}

TEST_CASE("secrets are what env_from brought and what secrets hold, longest first",
          "[resolve][environment]") {
  Stack stack(
      "services:\n  web: {image: a}\nenv_from: [TOKEN, {cmd: x}]\nowned: {api: {cmd: x, env_from: "
      "[SERVICE]}}\n"
      "secrets:\n  inline: {content: content-secret}\n  file: {file: ./secret.txt}\n",
      "stackd.yaml");
  stack.facts.seen.secret_texts = {"first-line-of-it\nno\n"};
  stack.facts.caller["SERVICE"] = "service-secret";
  stack.facts.env_from["stack"] = {{"A", "printed"}, {"B", "abc"}, {"C", "true"}, {"D", std::nullopt}};
  const auto secrets = secret_values(stack.spec, stack.facts);
  CHECK(secrets == std::vector<std::string>{"first-line-of-it\nno", "first-line-of-it", "content-secret",
                                            "service-secret", "s3cret-token", "printed"});
}

TEST_CASE("masking replaces every occurrence", "[resolve][environment]") {
  CHECK(resolve::mask("a abcd abcdef abcdabcd", {"abcdef", "abcd"}) == "a *** *** ******");
  CHECK(resolve::mask("nothing", {}) == "nothing");
  CHECK(resolve::mask("****", {"****"}) == "***");
}

TEST_CASE("L6.5: env_from's commands by level, in the order in which they run", "[resolve][environment]") {
  Stack stack(
      "version: \"1\"\nenv_from: [A, {cmd: one}, {cmd: two}]\nowned: {api: {cmd: x, env_from: [{cmd: "
      "four}]}}\n"
      "env_groups: {g: {env_from: [{cmd: five}]}}\nprofiles: {p: {owned: [api], env_from: [{cmd: "
      "three}]}}\n");
  std::string all;
  for (const auto& [layer, source] : env_commands(stack.spec)) all += layer + "=" + source.cmd + " ";
  CHECK(all == "stack=one stack=two profile=three service:api=four group:g=five ");
}
