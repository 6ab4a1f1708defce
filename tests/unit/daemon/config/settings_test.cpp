#include "daemon/config/settings.hpp"

#include <map>
#include <sstream>

#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/source_root.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using config::Settings;

namespace {

// A machine with a user, two places for daemon.yaml, and an environment.
struct Machine {
  test::TempDir dir;
  std::map<std::string, std::string> environment;
  std::ostringstream out;

  config::Sources sources() {
    config::Sources sources;
    sources.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      return found == environment.end() ? std::nullopt : std::optional(found->second);
    };
    sources.files = {dir.path() / "user.yaml", dir.path() / "etc.yaml"};
    sources.program = "/opt/stackd/bin/stackd";
    sources.user_home = "/home/ann";
    return sources;
  }

  std::optional<Settings> parse(std::vector<const char*> flags = {}) {
    flags.insert(flags.begin(), "stackd");
    return config::parse_settings(static_cast<int>(flags.size()), flags.data(), sources(), out);
  }

  std::string error(std::vector<const char*> flags = {}) {
    try {
      parse(flags);
    } catch (const util::Error& e) {
      return e.what();
    }
    return "no error";
  }
};

}  // namespace

TEST_CASE("With nothing said every setting has its default") {
  Machine machine;
  const auto settings = machine.parse();
  REQUIRE(settings);
  CHECK(settings->home.is_absolute());
  CHECK(settings->socket.is_absolute());
  CHECK(settings->listen.empty());
  CHECK(settings->docker_host.empty());
  CHECK(settings->log_level == "info");
  CHECK(settings->port_first == 9000);
  CHECK(settings->port_last == 9999);
  CHECK(settings->shim == "/opt/stackd/bin/stackd-shim");
  CHECK(settings->operations_kept == 200);
}

TEST_CASE(
    "A flag wins over a variable, a variable over the user's file, the user's file over the machine's") {
  Machine machine;
  machine.dir.write("etc.yaml", "home: /a\nsocket: /a.sock\nlog_level: debug\nport_range: 1000-1009\n");
  CHECK(machine.parse()->home == "/a");
  machine.dir.write("user.yaml", "home: /b\nsocket: /b.sock\nlog_level: error\n");
  machine.environment = {{"STACKD_HOME", "/c"}, {"STACKD_SOCKET", "/c.sock"}};
  const auto settings = machine.parse({"--home", "/d"});
  CHECK(settings->home == "/d");
  CHECK(settings->socket == "/c.sock");
  CHECK(settings->log_level == "error");
  CHECK(settings->port_first == 1000);
  CHECK(settings->port_last == 1009);
}

TEST_CASE("STACKD_DOCKER_HOST wins over DOCKER_HOST, and an empty variable counts as none") {
  Machine machine;
  machine.environment = {{"DOCKER_HOST", "tcp://10.0.0.1:2375"}, {"STACKD_HOME", ""}};
  CHECK(machine.parse()->docker_host == "tcp://10.0.0.1:2375");
  CHECK_FALSE(machine.parse()->home.empty());
  machine.environment["STACKD_DOCKER_HOST"] = "unix:///run/other.sock";
  CHECK(machine.parse()->docker_host == "unix:///run/other.sock");
}

TEST_CASE("--config reads that file and no other") {
  Machine machine;
  machine.dir.write("user.yaml", "log_level: error\n");
  const std::string chosen = machine.dir.write("mine.yaml", "operations_kept: 5\n");
  const auto settings = machine.parse({"--config", chosen.c_str()});
  CHECK(settings->operations_kept == 5);
  CHECK(settings->log_level == "info");
  CHECK(machine.error({"--config", "/no/such/daemon.yaml"}).find("/no/such/daemon.yaml") !=
        std::string::npos);
}

TEST_CASE("~/ in a file is the user's home, and a relative path there is refused") {
  Machine machine;
  machine.dir.write("user.yaml", "home: ~/stacks/./state\n");
  CHECK(machine.parse()->home == "/home/ann/stacks/state");
  const std::string file = machine.dir.write("user.yaml", "# mine\nhome: state\n");
  CHECK(machine.error() ==
        file + ":2: cannot set home: expected an absolute path, or one that begins with ~/");
}

TEST_CASE("A path in a flag is relative to where the daemon is started") {
  Machine machine;
  CHECK(machine.parse({"--home", "state"})->home == std::filesystem::current_path() / "state");
}

TEST_CASE("Every mistake in a file is named with its line, and an unknown key with the nearest one") {
  Machine machine;
  const std::string file =
      machine.dir.write("user.yaml", "log_levle: debug\nport_range: 9\nlisten: 0.0.0.0:80\n");
  try {
    machine.parse();
    FAIL("a wrong file was accepted");
  } catch (const util::Error& e) {
    CHECK(e.kind() == util::ErrorKind::invalid_file);
    REQUIRE(e.details().size() == 3);
    CHECK(e.details()[0] ==
          file + ":1: cannot set \"log_levle\": there is no such setting; did you mean log_level?");
    CHECK(e.details()[1] == file + ":2: cannot set port_range: expected FIRST-LAST, got \"9\"");
    CHECK(e.details()[2].rfind(file + ":3: cannot set listen: expected 127.0.0.1:PORT", 0) == 0);
    CHECK(std::string(e.what()) == e.details()[0]);
  }
}

TEST_CASE("A file that is no YAML, no mapping, or says a thing twice is refused with its line") {
  Machine machine;
  std::string file = machine.dir.write("user.yaml", "home: /a\nsocket: [\n");
  CHECK(machine.error().rfind(file + ":", 0) == 0);
  machine.dir.write("user.yaml", "- home\n");
  CHECK(machine.error() == file + ":1: cannot read the settings: expected lines of \"key: value\"");
  machine.dir.write("user.yaml", "home: /a\nhome: /b\n");
  CHECK(machine.error() == file + ":2: cannot set home twice: it is set in line 1 too");
  machine.dir.write("user.yaml", "home: [/a]\n");
  CHECK(machine.error() == file + ":1: cannot set home: expected one value");
}

TEST_CASE("A key without a value, and an empty file, leave the defaults") {
  Machine machine;
  machine.dir.write("user.yaml", "listen:\nlog_level:\n");
  machine.dir.write("etc.yaml", "");
  CHECK(machine.parse()->log_level == "info");
}

TEST_CASE("A wrong variable or flag is named") {
  Machine machine;
  machine.environment = {{"STACKD_LOG_LEVEL", "loud"}};
  CHECK(
      machine.error() ==
      "cannot take STACKD_LOG_LEVEL: expected one of trace, debug, info, warning, error, off, got \"loud\"");
  machine.environment.clear();
  CHECK(machine.error({"--listen", "127.0.0.1:70000"}) ==
        "cannot take --listen: expected a number from 1 to 65535, got \"70000\"");
  CHECK(machine.error({"--port-range", "9100-9000"}) ==
        "cannot take --port-range: expected the lower port first, got \"9100-9000\"");
  CHECK(machine.error({"--nonsense"}).rfind("cannot read the command line: ", 0) == 0);
}

TEST_CASE("--version and --help answer and start nothing") {
  Machine machine;
  CHECK_FALSE(machine.parse({"--version"}));
  CHECK(machine.out.str() == "stackd " STACKD_VERSION "\n");
  CHECK_FALSE(machine.parse({"--help"}));
  CHECK(machine.out.str().find("$STACKD_DOCKER_HOST, $DOCKER_HOST") != std::string::npos);
}

TEST_CASE("config/daemon.yaml is all comments, and every line of it is a default that is taken") {
  Machine machine;
  const std::filesystem::path shipped = test::source_root() / "config/daemon.yaml";
  std::istringstream lines(util::read_file(shipped));
  std::string uncommented;
  for (std::string line; std::getline(lines, line);) {
    CHECK((line.empty() || line[0] == '#'));
    if (line.size() > 1 && line[1] != ' ') uncommented += line.substr(1) + "\n";
  }
  machine.dir.write("user.yaml", uncommented);
  const auto settings = machine.parse();
  REQUIRE(settings);
  const Settings defaults;
  CHECK(settings->log_level == defaults.log_level);
  CHECK(settings->port_first == defaults.port_first);
  CHECK(settings->port_last == defaults.port_last);
  CHECK(settings->operations_kept == defaults.operations_kept);
  CHECK(settings->operations_kept_days == defaults.operations_kept_days);
  CHECK(settings->events_kept == defaults.events_kept);
  CHECK(settings->listen == defaults.listen);
}

TEST_CASE("Who named the engine is known") {
  Machine machine;
  CHECK(machine.parse()->docker_host_from.empty());
  machine.environment["DOCKER_HOST"] = "unix:///run/a.sock";
  CHECK(machine.parse()->docker_host_from == "DOCKER_HOST");
  machine.environment["STACKD_DOCKER_HOST"] = "unix:///run/b.sock";
  CHECK(machine.parse()->docker_host_from == "STACKD_DOCKER_HOST");
  CHECK(machine.parse({"--docker-host", "unix:///run/c.sock"})->docker_host_from == "--docker-host");
}
