#include <string>
#include <vector>

#include "daemon/translate/moat_text.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using model::Hook;
using model::Phase;
using test::Loading;

namespace {

std::vector<Hook> hooks_of(const model::Spec& spec, Phase phase, const std::string& service = "") {
  const auto found = service.empty() ? spec.hooks_of(phase) : spec.find(service)->hooks_of(phase);
  std::vector<Hook> out;
  for (const Hook* hook : found) out.push_back(*hook);
  return out;
}

std::string stackd_text(const std::string& lines) {
  return "services:\n  web:\n    image: nginx\n" + lines;
}

// The mistakes of a stackd.yaml whose before_up has this one entry.
std::string entry_mistakes(const std::string& entry) {
  return Loading(stackd_text("lifecycle:\n  before_up:\n    - " + entry + "\n"), "stackd.yaml").mistakes();
}

std::string build_text(const std::string& lines) {
  std::string block;
  for (const char c : lines) block += c == '\n' ? "\n        " : std::string(1, c);
  const auto spec =
      Loading(stackd_text("    hooks:\n      post_build_root: |\n        " + block + "\n"), "stackd.yaml")
          .load();
  const auto hooks = hooks_of(spec, Phase::post_build_root, "web");
  return hooks.size() == 1 ? translate::build_script(hooks[0].shell)
                           : std::to_string(hooks.size()) + " hooks";
}

}  // namespace

TEST_CASE("L1.3: stack and service phases keep their text, their order and their places",
          "[stackfile][lifecycle]") {
  const auto spec = Loading(stackd_text("    lifecycle:\n"
                                        "      before_start: [a, {cmd: b}]\n"
                                        "      after_ready: [c]\n"
                                        "      before_down: [d]\n"
                                        "lifecycle:\n"
                                        "  before_up: ['echo $HOME && x | y']\n"
                                        "  after_up: [e]\n"
                                        "  before_down: [f]\n"
                                        "  after_down: [g]\n"),
                            "stackd.yaml")
                        .load();
  const auto before_up = hooks_of(spec, Phase::before_up);
  REQUIRE(before_up.size() == 1);
  CHECK(before_up[0].shell == "echo $HOME && x | y");
  CHECK(before_up[0].argv.empty());
  CHECK(before_up[0].place.line == 9);
  const auto before_start = hooks_of(spec, Phase::before_start, "web");
  REQUIRE(before_start.size() == 2);
  CHECK(before_start[1].shell == "b");
  CHECK(before_start[1].index == 1);
  CHECK(before_start[1].service == "web");
  CHECK(hooks_of(spec, Phase::before_down).size() == 1);
  CHECK(hooks_of(spec, Phase::before_down, "web")[0].shell == "d");
  CHECK(hooks_of(spec, Phase::after_down)[0].shell == "g");
}

TEST_CASE("every field of design.md's table is read, by both of its names", "[stackfile][lifecycle]") {
  const auto spec =
      Loading(
          stackd_text(
              "env_groups: {tools: {env: {A: '1'}}}\n"
              "lifecycle:\n"
              "  after_up:\n"
              "    - {command: one, working_dir: sub, environment: {K: v, N: }, env_group: tools,\n"
              "       timeout: 1m30s, retries: 3, retry_delay: 250ms, on_failure: warn, run: changed,\n"
              "       inputs: ['*.sql', seed], if: {profile: [dev, test], os: linux, env: [CI, '!X', A=1],\n"
              "       previous: failed}}\n"
              "    - {cmd: two, cwd: /abs, env: [K=v], run: once, on_failure: ignore}\n"
              "    - {cmd: three, run_in: web, user: root, privileged: true, run: always, on_failure: fail}\n"
              "    - {cmd: four, run_in: {image: busybox}, per_fork: true}\n"
              "    - {cmd: five, run_in: host}\n"),
          "stackd.yaml")
          .load();
  const auto hooks = hooks_of(spec, Phase::after_up);
  REQUIRE(hooks.size() == 5);
  const Hook& one = hooks[0];
  CHECK(one.shell == "one");
  CHECK(one.cwd == "sub");
  CHECK(one.env.at("K") == "v");
  CHECK(one.env.at("N") == std::nullopt);
  CHECK(one.env_group == "tools");
  CHECK(one.timeout == std::chrono::seconds(90));
  CHECK(one.retries == 3);
  CHECK(one.retry_delay == std::chrono::milliseconds(250));
  CHECK(one.on_failure == model::OnFailure::warn);
  CHECK(one.run == model::RunPolicy::changed);
  CHECK(one.inputs == std::vector<std::string>{"*.sql", "seed"});
  CHECK(one.if_profile == std::vector<std::string>{"dev", "test"});
  CHECK(one.if_os == std::vector<std::string>{"linux"});
  CHECK(one.if_env == std::vector<std::string>{"CI", "!X", "A=1"});
  CHECK(one.if_previous == "failed");
  CHECK(hooks[1].cwd == "/abs");
  CHECK(hooks[1].env.at("K") == "v");
  CHECK(hooks[1].run == model::RunPolicy::once);
  CHECK(hooks[1].retry_delay == std::chrono::seconds(1));
  CHECK(hooks[2].run_in == "web");
  CHECK(hooks[2].user == "root");
  CHECK(hooks[2].privileged);
  CHECK(hooks[2].on_failure == model::OnFailure::fail);
  CHECK(hooks[3].run_in_image == "busybox");
  CHECK(hooks[4].run_in == "host");
}

TEST_CASE("a list inside a phase is a group; indices are flat", "[stackfile][lifecycle]") {
  const auto spec =
      Loading(stackd_text("lifecycle:\n  before_up: [a, [b, {cmd: c}], d, [e]]\n"), "stackd.yaml").load();
  const auto hooks = hooks_of(spec, Phase::before_up);
  REQUIRE(hooks.size() == 5);
  for (int i = 0; i < 5; ++i) CHECK(hooks[static_cast<std::size_t>(i)].index == i);
  CHECK(hooks[0].group == -1);
  CHECK(hooks[1].group == hooks[2].group);
  CHECK(hooks[1].group >= 0);
  CHECK(hooks[3].group == -1);
  CHECK(hooks[4].group > hooks[1].group);
  CHECK(entry_mistakes("[a, [b]]").find("without further lists in it") != std::string::npos);
}

TEST_CASE("C1.1, X31: words of a string are split, never given to a shell; a list is taken as it is",
          "[stackfile][lifecycle]") {
  const auto spec = Loading(test::one_service("    post_start:\n"
                                              "      - command: chown -R \"1001:1001\" '/my data' && x\n"
                                              "        user: root\n"
                                              "      - command: [\"sh\", \"-c\", \"echo $$HOME\"]\n"
                                              "        working_dir: /tmp\n"
                                              "        environment: [A=1, B]\n"
                                              "        privileged: \"true\"\n"
                                              "    pre_stop:\n      - flush now\n"))
                        .load();
  const auto hooks = hooks_of(spec, Phase::post_start, "web");
  REQUIRE(hooks.size() == 2);
  CHECK(hooks[0].argv ==
        std::vector<std::string>{"chown", "-R", "1001:1001", "/my data", "&&", "x"});  // nothing is cut off
  CHECK(hooks[0].shell.empty());
  CHECK(hooks[0].user == "root");
  CHECK(hooks[1].argv == std::vector<std::string>{"sh", "-c", "echo $HOME"});
  CHECK(hooks[1].cwd == "/tmp");
  CHECK(hooks[1].env.at("B") == std::nullopt);
  CHECK(hooks[1].privileged);
  CHECK(hooks_of(spec, Phase::pre_stop, "web")[0].argv == std::vector<std::string>{"flush", "now"});
}

TEST_CASE("C1: pre_start has an image of its own and may have no command", "[stackfile][lifecycle]") {
  const auto spec =
      Loading(test::one_service("    pre_start:\n      - image: busybox\n        per_replica: true\n"
                                "      - command: [migrate]\n"))
          .load();
  const auto hooks = hooks_of(spec, Phase::pre_start, "web");
  REQUIRE(hooks.size() == 2);
  CHECK(hooks[0].image == "busybox");
  CHECK(hooks[0].argv.empty());
  CHECK(hooks[0].per_replica);
  CHECK(hooks[1].argv == std::vector<std::string>{"migrate"});
}

TEST_CASE("C1.8: empty and missing commands are refused, with their places", "[stackfile][lifecycle]") {
  CHECK(Loading(test::one_service("    post_start:\n      - command: \"\"\n")).mistakes() ==
        "compose.yaml:5:18: service 'web', hook post_start[0]: the command is empty\n");
  CHECK(Loading(test::one_service("    post_start:\n      - command: []\n")).mistakes().find("is empty") !=
        std::string::npos);
  CHECK(Loading(test::one_service("    pre_stop:\n      - user: root\n")).mistakes() ==
        "compose.yaml:5:9: service 'web', hook pre_stop[0]: a command is missing, expected 'command'\n");
  CHECK(Loading(test::one_service("    pre_start:\n      - command: ''\n")).mistakes().find("is empty") !=
        std::string::npos);
  CHECK(Loading(test::one_service("    post_start:\n      - command: it's\n"))
            .mistakes()
            .find("compose.yaml:5:18") == 0);
  CHECK(entry_mistakes("'  '") == "stackd.yaml:6:7: hook before_up[0]: the command is empty\n");
}

TEST_CASE("C1: keys that a phase does not have are refused with a reason or the nearest key",
          "[stackfile][lifecycle]") {
  CHECK(Loading(test::one_service("    post_start:\n      - {command: x, image: y}\n")).mistakes() ==
        "compose.yaml:5:22: service 'web', hook post_start[0]: 'image' is for pre_start only\n");
  CHECK(Loading(test::one_service("    pre_stop:\n      - {command: x, per_replica: false}\n"))
            .mistakes()
            .find("'per_replica' is for pre_start only") != std::string::npos);
  CHECK(Loading(test::one_service("    post_start:\n      - {command: x, env_group: g}\n"))
            .mistakes()
            .find("is for hooks that run on the host") != std::string::npos);
  CHECK(entry_mistakes("{cmd: x, user: root}").find("is for hooks that run in a container") !=
        std::string::npos);
  CHECK(entry_mistakes("{cmd: x, timeuot: 3s}") ==
        "stackd.yaml:6:16: unknown key 'timeuot' in hook before_up[0], did you mean 'timeout'?\n");
  CHECK(entry_mistakes("{cmd: x, command: y}").find("give 'cmd' or 'command', not both") !=
        std::string::npos);
}

TEST_CASE("wrong values of hook fields name what was expected", "[stackfile][lifecycle]") {
  CHECK(entry_mistakes("{cmd: x, timeout: soon}").find("stackd.yaml:6:25: ") == 0);
  CHECK(entry_mistakes("{cmd: x, on_failure: warm}").find("did you mean 'warn'?") != std::string::npos);
  CHECK(entry_mistakes("{cmd: x, run: sometimes}").find("expected always, once, changed") !=
        std::string::npos);
  CHECK(entry_mistakes("{cmd: x, retries: -1}").find("from 0 to") != std::string::npos);
  CHECK(entry_mistakes("{cmd: x, inputs: [a]}").find("is for 'run: changed'") != std::string::npos);
  CHECK(entry_mistakes("{cmd: x, once: data}").find("expected volume:NAME, found 'data'") !=
        std::string::npos);
  CHECK(entry_mistakes("{cmd: x, run: once, once: 'volume:data'}").find("not both") != std::string::npos);
  CHECK(entry_mistakes("{cmd: x, once: 'volume:data'}").find("there is no such volume") != std::string::npos);
  CHECK(entry_mistakes("{cmd: x, run_in: {}}").find("expected an 'image'") != std::string::npos);
  CHECK(entry_mistakes("{cmd: x, if: {previous: fialed}}").find("did you mean 'failed'?") !=
        std::string::npos);
  CHECK(entry_mistakes("{cmd: x, run_in: wbe}") ==
        "stackd.yaml:6:7: hook before_up[0], 'run_in': there is no service 'wbe', did you mean 'web'?\n");
  CHECK(entry_mistakes("{cmd: x, env_group: tols}").find("there is no env_group 'tols'") !=
        std::string::npos);
  CHECK(entry_mistakes("{a: {b: c}}").find("unknown key 'a'") != std::string::npos);
}

TEST_CASE("phases in the wrong place are told where they belong", "[stackfile][lifecycle]") {
  const auto top = Loading(stackd_text("lifecycle:\n  after_ready: [x]\n"), "stackd.yaml").mistakes();
  CHECK(top.find("stackd.yaml:5:3: 'lifecycle': 'after_ready' is a phase of a service") == 0);
  const auto service =
      Loading(stackd_text("    lifecycle:\n      after_up: [x]\n"), "stackd.yaml").mistakes();
  CHECK(service.find("'after_up' is a phase of the stack") != std::string::npos);
  CHECK(Loading(stackd_text("lifecycle:\n  before_pu: [x]\n"), "stackd.yaml")
            .mistakes()
            .find("did you mean 'before_up'?") != std::string::npos);
  CHECK(Loading(stackd_text("lifecycle:\n  before_up: x\n"), "stackd.yaml").mistakes() ==
        "stackd.yaml:5:14: hook before_up: expected a list of commands\n");
}

TEST_CASE("C1.4: hooks of several files follow each other, and so do their indices",
          "[stackfile][lifecycle]") {
  Loading loading(test::one_service("    post_start:\n      - command: a\n"));
  loading.directory.write("compose.override.yaml",
                          test::one_service("    post_start:\n      - command: b\n"));
  const auto hooks = hooks_of(loading.load(), Phase::post_start, "web");
  REQUIRE(hooks.size() == 2);
  CHECK(hooks[1].argv == std::vector<std::string>{"b"});
  CHECK(hooks[1].index == 1);
}

TEST_CASE("the same additions stand under x-stackd in a compose.yaml", "[stackfile][lifecycle]") {
  const auto spec =
      Loading(
          "services:\n  web:\n    image: nginx\n    x-stackd:\n      lifecycle: {after_ready: [warm]}\n"
          "      hooks: {pre_run: prepare}\n      ready_when: {log_match: 'up$'}\n"
          "x-stackd:\n  lifecycle: {before_up: [check]}\n")
          .load();
  CHECK(hooks_of(spec, Phase::before_up)[0].shell == "check");
  CHECK(hooks_of(spec, Phase::after_ready, "web")[0].shell == "warm");
  CHECK(hooks_of(spec, Phase::pre_run, "web")[0].shell == "prepare");
  CHECK(spec.find("web")->ready_when->probes.at(model::ProbeKind::log_match) == "up$");
}

TEST_CASE("M2.6, T16: lines of a build hook are joined once, whatever ends them", "[stackfile][lifecycle]") {
  CHECK(build_text("apt-get update -qq") == "apt-get update -qq");
  CHECK(build_text("apt-get update && \\\n\napt-get install -y figlet ;\n\necho done \\") ==
        "apt-get update && \\\napt-get install -y figlet && \\\necho done");
  CHECK(build_text("echo a \\\necho b && ; \\\necho c") == "echo a && \\\necho b && \\\necho c");
  CHECK(build_text("a && b") == "a && b");
}

TEST_CASE("X20: a build hook that is more than simple lines is one script that stops at a failure",
          "[stackfile][lifecycle]") {
  CHECK(build_text("if true; then\n  echo a\nfi") == "set -e\nif true; then\n  echo a\nfi");
  CHECK(build_text("for f in a b; do\necho $f\ndone").starts_with("set -e\nfor"));
  CHECK(build_text("# a comment\necho a") == "set -e\n# a comment\necho a");
  CHECK(build_text("cat <<EOF >/x\nhello\nEOF").starts_with("set -e\ncat <<EOF"));
  CHECK(build_text("echo 'a\nb'").starts_with("set -e\n"));
  CHECK(build_text("apt-get install -y \\\n  curl \\\n  jq") ==
        "set -e\napt-get install -y \\\n  curl \\\n  jq");
  CHECK(build_text("cat x |\nsort").starts_with("set -e\n"));
  CHECK(build_text("case x in\n  x) echo;;\nesac").starts_with("set -e\n"));
  CHECK(build_text("a\nb || c") == "set -e\na\nb || c");
  CHECK(build_text("a\nb; c") == "set -e\na\nb; c");
  CHECK(build_text("a\nb & c") == "set -e\na\nb & c");
  CHECK(build_text("a 2>&1 &>x\nfind . -exec b {} \\;\necho 'c; d' | e") ==
        "a 2>&1 &>x && \\\nfind . -exec b {} \\; && \\\necho 'c; d' | e");
}

TEST_CASE("M1, M2.8, M4.3, X20: empty hooks are none, pre_run of several lines stops at a failure",
          "[stackfile][lifecycle]") {
  const auto spec = Loading(stackd_text("    hooks:\n      post_build_root: '  '\n      post_build: ''\n"
                                        "      pre_run: |\n        npm install\n        npm run build\n"),
                            "stackd.yaml")
                        .load();
  CHECK(hooks_of(spec, Phase::post_build_root, "web").empty());
  CHECK(hooks_of(spec, Phase::post_build, "web").empty());
  const auto text = hooks_of(spec, Phase::pre_run, "web")[0].shell;
  CHECK(text == "npm install\nnpm run build\n");  // as it is written (M3.2)
  CHECK(translate::run_script(text) == "set -e\nnpm install\nnpm run build");
  CHECK(translate::run_script("false; echo on") == "false; echo on");
}

TEST_CASE("a list of Moat's hooks is one hook each", "[stackfile][lifecycle]") {
  const auto spec =
      Loading(stackd_text("    hooks:\n      post_build: [a, {cmd: b}, {command: [echo, \"it's $HOME\"]}]\n"),
              "stackd.yaml")
          .load();
  const auto hooks = hooks_of(spec, Phase::post_build, "web");
  REQUIRE(hooks.size() == 3);
  CHECK(hooks[2].shell == "'echo' 'it'\\''s $HOME'");  // a list's words are nobody's to expand
  CHECK(hooks[1].shell == "b");
  CHECK(hooks[1].index == 1);
  const auto mistakes_of = [](const std::string& hook) {
    return Loading(stackd_text("    hooks:\n      " + hook + "\n"), "stackd.yaml").mistakes();
  };
  CHECK(mistakes_of("post_build: {cmd: b, run: once}").find("'run' is not for build hooks") !=
        std::string::npos);
  CHECK(mistakes_of("pre_run: {cmd: b, user: root}").find("'user' is not for pre_run") != std::string::npos);
}

TEST_CASE("the fields of any other entry are for Moat's hooks, too", "[stackfile][lifecycle]") {
  const auto spec = Loading(stackd_text("    hooks:\n      pre_run: {cmd: b, timeout: 3s, retries: 2, "
                                        "on_failure: warn, run: once, env: {A: b}, cwd: /tmp}\n"),
                            "stackd.yaml")
                        .load();
  const auto hook = hooks_of(spec, Phase::pre_run, "web")[0];
  CHECK(hook.timeout == std::chrono::seconds(3));
  CHECK(hook.retries == 2);
  CHECK(hook.on_failure == model::OnFailure::warn);
  CHECK(hook.run == model::RunPolicy::once);
  CHECK(hook.env.at("A") == "b");
  CHECK(hook.cwd == "/tmp");
  CHECK(Loading(stackd_text("    hooks:\n      pre_rum: b\n"), "stackd.yaml")
            .mistakes()
            .find("did you mean 'pre_run'?") != std::string::npos);
}
