#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using test::Loading;

namespace {

// The mistakes of a stackd.yaml with a container `db` (a port), a process `api` (a port) and these lines.
std::string mistakes(const std::string& lines) {
  return Loading("services: {db: {image: pg, ports: ['5432']}}\nowned: {api: {cmd: x, port: {env: PORT}}}\n" +
                     lines,
                 "stackd.yaml")
      .mistakes();
}
// The same of the lines of a container, of a process; indented by four.
std::string container_mistakes(const std::string& lines) {
  return Loading("services:\n  web:\n    image: nginx\n" + lines, "stackd.yaml").mistakes();
}
std::string process_mistakes(const std::string& lines) {
  return Loading("owned:\n  api:\n" + lines, "stackd.yaml").mistakes();
}

constexpr const char* k_nope = "${services.nope.host_port}";

struct Line {
  const char* what;
  std::string text;
  int line;  // of the file, at which the mistake is told
};

void check_each(const std::vector<Line>& lines, std::string (*mistakes_of)(const std::string&)) {
  for (const auto& each : lines) {
    INFO(each.what << ":\n" << each.text);
    const auto found = mistakes_of(each.text);
    CHECK(found.find("stackd.yaml:" + std::to_string(each.line) + ":") == 0);
    CHECK(found.find("${services.nope.host_port} is not known: there is no service 'nope'") !=
          std::string::npos);
    CHECK(std::count(found.begin(), found.end(), '\n') == 1);
  }
}

}  // namespace

TEST_CASE("L7: a reference that leads nowhere is refused wherever the top level has it",
          "[resolve][reference_check]") {
  const std::string nope = k_nope;
  check_each({{"env", "env: {A: '" + nope + "'}\n", 3},
              {"env_from", "env_from: [{cmd: 'x " + nope + "'}]\n", 3},
              {"a group's env", "env_groups:\n  g:\n    env: {A: '" + nope + "'}\n", 5},
              {"a group's env_from", "env_groups:\n  g:\n    env_from: [{cmd: '" + nope + "'}]\n", 5},
              {"a profile's env", "profiles:\n  dev: {default: true, env: {A: '" + nope + "'}}\n", 4},
              {"the env of a profile that was not chosen",
               "profiles:\n  a: {default: true}\n  b: {env: {A: '" + nope + "'}}\n", 5},
              {"a command's cmd", "commands: {c: {cmd: '" + nope + "'}}\n", 3},
              {"a command's env", "commands: {c: {cmd: x, env: {A: '" + nope + "'}}}\n", 3},
              {"a hook", "lifecycle:\n  after_up:\n    - 'x " + nope + "'\n", 5},
              {"a hook's cwd", "lifecycle:\n  after_up: [{cmd: x, cwd: 'a/" + nope + "'}]\n", 4},
              {"a hook's env", "lifecycle:\n  after_up: [{cmd: x, env: {A: '" + nope + "'}}]\n", 4},
              {"a hook's user", "lifecycle:\n  after_up: [{cmd: x, run_in: db, user: '" + nope + "'}]\n", 4},
              {"a hook's image", "lifecycle:\n  after_up: [{cmd: x, run_in: {image: '" + nope + "'}}]\n", 4}},
             mistakes);
}

TEST_CASE("L7: a reference that leads nowhere is refused wherever a service has it",
          "[resolve][reference_check]") {
  const std::string nope = k_nope;
  check_each(
      {{"environment", "    environment: {A: '" + nope + "'}\n", 4},
       {"command", "    command: [x, '" + nope + "']\n", 4},
       {"a word of a command", "    command: x -a " + nope + " -b\n", 4},
       {"labels", "    labels: {a: '" + nope + "'}\n", 4},
       {"healthcheck", "    healthcheck: {test: ['CMD', '" + nope + "']}\n", 4},
       {"extra_hosts", "    extra_hosts: ['" + nope + ":1.2.3.4']\n", 4},
       {"pre_start", "    pre_start: [{command: [x, '" + nope + "']}]\n", 4},
       {"pre_start's image", "    pre_start: [{command: [x], image: 'a:" + nope + "'}]\n", 4},
       {"pre_start's environment", "    pre_start: [{command: [x], environment: {A: '" + nope + "'}}]\n", 4},
       {"pre_run", "    hooks: {pre_run: 'x " + nope + "'}\n", 4},
       {"ready_when", "    ready_when: {http_get: 'http://localhost:" + nope + "/'}\n", 4}},
      container_mistakes);
  check_each({{"cmd", "    cmd: 'x " + nope + "'\n", 3},
              {"stop_cmd", "    cmd: x\n    stop_cmd: 'x " + nope + "'\n", 4},
              {"env", "    cmd: x\n    env: {A: '" + nope + "'}\n", 4},
              {"owned_containers", "    cmd: x\n    owned_containers: {label: 'a=" + nope + "'}\n", 4},
              {"ready_when", "    cmd: x\n    ready_when: {tcp: '" + nope + "'}\n", 4},
              {"lifecycle", "    cmd: x\n    lifecycle: {before_start: ['" + nope + "']}\n", 4}},
             process_mistakes);
}

TEST_CASE("L7.1: what is the shell's is no mistake, but a slip of the pen is", "[resolve][reference_check]") {
  CHECK(mistakes(
            "lifecycle: {after_up: ['echo $$ ${HOME} ${x:-1} ${a.b} $(y) $${services.nope.host_port}']}\n") ==
        "loaded");
  CHECK(mistakes("env: {A: '$${services.nope.host_port}'}\n") == "loaded");
  CHECK(mistakes("lifecycle: {after_up: ['echo ${service.db.host_port}']}\n") ==
        "stackd.yaml:3:24: ${service.db.host_port} is not known: did you mean ${services.db.host_port}?\n");
  CHECK(mistakes("lifecycle: {after_up: ['echo ${services.db.host_port']}\n").find("is not closed") !=
        std::string::npos);
  CHECK(mistakes("env: {A: '${HOME}'}\n").find("stackd.yaml:3:10: ${HOME} is not known: a value here") == 0);
}

TEST_CASE("a mistake that is written twice is told at both places, in the file's order, each once",
          "[resolve][reference_check]") {
  const auto found = mistakes(
      "env:\n  B: ${services.nope.host_port}\n  A: ${services.nope.host_port}\n"
      "lifecycle: {after_up: ['x ${owned.nope.port}']}\n");
  INFO(found);
  const auto place = [&](const std::string& at) { return found.find("stackd.yaml:" + at); };
  CHECK(place("4:6: ${services.nope") == 0);
  CHECK(place("5:6: ${services.nope") != std::string::npos);
  CHECK(place("5:6:") < place("6:24: ${owned.nope"));
  CHECK(std::count(found.begin(), found.end(), '\n') == 3);
}

TEST_CASE("a group that there is none of is refused with the nearest, for hooks and for commands",
          "[resolve][reference_check]") {
  const std::string groups = "env_groups: {full: {env: {A: '1'}}}\n";
  CHECK(
      mistakes(groups + "lifecycle: {after_up: [{cmd: x, env_group: full}, {cmd: x, env_group: stack}]}\n") ==
      "loaded");
  auto found = mistakes(groups + "lifecycle: {after_up: [{cmd: x, env_group: ful}]}\n");
  CHECK(found.find("there is no env_group 'ful', did you mean 'full'?") != std::string::npos);
  CHECK(std::count(found.begin(), found.end(), '\n') == 1);
  found = mistakes(groups + "commands: {c: {cmd: x, env_group: ful}}\n");
  CHECK(found.find("there is no env_group 'ful', did you mean 'full'?") != std::string::npos);
  CHECK(std::count(found.begin(), found.end(), '\n') == 1);
}

TEST_CASE("run_in names a container of the stack's, or the host", "[resolve][reference_check]") {
  const auto in = [](const std::string& where) {
    return mistakes("lifecycle: {after_up: [{cmd: x, run_in: " + where + "}]}\n");
  };
  CHECK(in("db") == "loaded");
  CHECK(in("host") == "loaded");
  CHECK(in("{image: alpine}") == "loaded");
  CHECK(in("dbb") ==
        "stackd.yaml:3:24: hook after_up[0], 'run_in': there is no service 'dbb', did you mean 'db'?\n");
  CHECK(in("api").find("hook after_up[0], 'run_in': 'api' is no container") != std::string::npos);
  // One that the profile leaves out may be there in another.
  CHECK(Loading("services:\n  db: {image: pg}\n  tools: {image: t, profiles: [debug]}\n"
                "lifecycle: {after_up: [{cmd: x, run_in: tools}]}\n",
                "stackd.yaml")
            .mistakes() == "loaded");
}
