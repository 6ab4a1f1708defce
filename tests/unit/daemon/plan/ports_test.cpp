// Host ports (L10.1).
#include "daemon/plan/ports.hpp"

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/plan/files.hpp"

using namespace stackd;
using namespace stackd::test;
using plan::HeldPort;

namespace {

using Given = std::map<std::string, int>;  // "web 0" -> 9000

// A stack "mine" asks for ports from 9000 to 9004, of which none is another program's unless it is in
// `taken`.
struct Asking {
  File file;
  plan::PortRange range{9000, 9004};
  std::map<std::string, int> scale;
  std::vector<HeldPort> held;
  std::set<std::pair<int, std::string>> taken;
  std::vector<std::string> asked = {};  // of whom it was asked whether they are free

  void holds(const std::string& stack, const std::string& service, const std::string& key, int port,
             bool active = true, const std::string& protocol = "tcp") {
    held.push_back({port, "", protocol, stack, service, key, active});
  }
  std::vector<HeldPort> ports() {
    const plan::PortIsFree is_free = [this](int port, const std::string& protocol, const std::string& ip) {
      asked.push_back((ip.empty() ? "" : ip + ":") + std::to_string(port) + "/" + protocol);
      return !taken.contains({port, protocol});
    };
    return plan::allocate_ports(file.spec, "mine", range, scale, held, is_free);
  }
  Given given() {
    Given given;
    for (const auto& port : ports()) given[port.service + " " + port.key] = port.port;
    return given;
  }
  std::string refusal() {
    try {
      ports();
    } catch (const util::Error& error) {
      CHECK(error.kind() == util::ErrorKind::failed);
      return error.what();
    }
    return "given";
  }
};

void at_line_7(model::Port& port) {
  port.place = {"compose.yaml", 7, 9};
}
void udp(model::Port& port) {
  port.protocol = "udp";
}
std::function<void(model::Port&)> up_to(int last) {
  return [last](model::Port& port) { port.published_end = last; };
}

}  // namespace

TEST_CASE("L10.1: the lowest free ports of the range, in the order of the file", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port().port();
  asking.file.process("api").port();
  CHECK(asking.given() == Given{{"web 0", 9000}, {"web 1", 9001}, {"api 0", 9002}});
  CHECK(asking.asked == std::vector<std::string>{"9000/tcp", "9001/tcp", "9002/tcp"});
}

TEST_CASE("L10.1: what somebody has is passed over: another program, another stack, a fixed port of this one",
          "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port();
  asking.file.container("db").port(9002);
  asking.taken = {{9000, "tcp"}};
  asking.holds("other", "web", "0", 9001);
  CHECK(asking.given() == Given{{"web 0", 9003}, {"db 0", 9002}});
}

TEST_CASE("L10.1: what another stack only had last time is free", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port();
  asking.holds("other", "web", "0", 9000, false);
  CHECK(asking.given() == Given{{"web 0", 9000}});
}

TEST_CASE("L10.1: tcp and udp are two things", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port().port(0, udp).port(9001, udp);
  asking.holds("other", "web", "0", 9000);
  CHECK(asking.given() == Given{{"web 0", 9001}, {"web 1", 9000}, {"web 2", 9001}});
}

TEST_CASE("one port on two addresses is two ports; a wildcard has every address", "[plan][ports]") {
  const auto at = [](const char* ip) { return [ip](model::Port& port) { port.host_ip = ip; }; };
  Asking asking;
  asking.file.container("web").port(80, at("127.0.0.1"));
  asking.file.container("api").port(80, at("127.0.0.2"));
  asking.held.push_back({80, "127.0.0.3", "tcp", "other", "web", "0", true});
  CHECK(asking.given() == Given{{"web 0", 80}, {"api 0", 80}});
  asking.file.container("all").port(80, at("0.0.0.0"));
  CHECK(asking.refusal().find("belongs to stack 'other'") != std::string::npos);
  asking.held.clear();
  CHECK(asking.refusal().find("is published by another service of this stack") != std::string::npos);
}

TEST_CASE("L10.1: the file's own range comes before the daemon's", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port();
  asking.file.spec.runtime.port_first = 7000;
  asking.file.spec.runtime.port_last = 7000;
  CHECK(asking.given() == Given{{"web 0", 7000}});
  asking.file.container("db").port();
  CHECK(asking.refusal() == "service 'db' needs a host port, and none from 7000 to 7000 is free");
}

// ---- remembered

TEST_CASE("L10.1: a stack gets the ports that it had last time, when they are still free", "[plan][ports]") {
  for (const bool active : {true, false}) {
    CAPTURE(active);
    Asking asking;
    asking.file.container("web").port();
    asking.file.container("db").port();
    asking.holds("mine", "db", "0", 9003, active);
    CHECK(asking.given() == Given{{"web 0", 9000}, {"db 0", 9003}});
  }
}

TEST_CASE("L10.1: one that it holds is not tested, since it is itself who has it", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port();
  asking.file.container("db").port(9003);
  asking.holds("mine", "web", "0", 9002);
  asking.holds("mine", "db", "0", 9003);
  asking.taken = {{9002, "tcp"}, {9003, "tcp"}};
  CHECK(asking.given() == Given{{"web 0", 9002}, {"db 0", 9003}});
  CHECK(asking.asked.empty());
}

TEST_CASE("L10.1: one that it had is tested, and another one taken when somebody else has it",
          "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port();
  asking.file.container("db").port();
  asking.holds("mine", "web", "0", 9003, false);
  asking.holds("mine", "db", "0", 9004, false);
  asking.taken = {{9003, "tcp"}};
  asking.holds("other", "db", "0", 9004);
  CHECK(asking.given() == Given{{"web 0", 9000}, {"db 0", 9001}});
}

TEST_CASE("L10.1: a port that one of its services holds is not given to another", "[plan][ports]") {
  Asking asking;
  asking.file.container("first").port();
  asking.file.container("web").port();
  asking.holds("mine", "web", "0", 9000);
  CHECK(asking.given() == Given{{"first 0", 9001}, {"web 0", 9000}});
}

TEST_CASE("L10.1: it is remembered by service, key and protocol", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port(0, udp);
  asking.file.container("db").port(0, [](auto& port) { port.key = "sql"; });
  asking.holds("mine", "web", "0", 9003, false);
  asking.holds("mine", "db", "0", 9004, false);
  CHECK(asking.given() == Given{{"web 0", 9000}, {"db sql", 9000}});
}

TEST_CASE("L10.1: a remembered port that is out of the range, or fixed for another now, is left",
          "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port();
  asking.file.container("db").port();
  asking.file.container("fixed").port(9003);
  asking.holds("mine", "web", "0", 8999);
  asking.holds("mine", "db", "0", 9003);
  CHECK(asking.given() == Given{{"web 0", 9000}, {"db 0", 9001}, {"fixed 0", 9003}});
}

// ---- fixed, ranges

TEST_CASE("L10.1: a fixed port that is taken is an error, which says where it stands and who has it",
          "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port(9002, at_line_7);
  const std::string what = "compose.yaml:7:9: host port 9002, which service 'web' publishes, ";
  SECTION("another stack") {
    asking.holds("other-1234", "db", "0", 9002);
    CHECK(asking.refusal() == what + "belongs to stack 'other-1234'; take that down or publish another port");
  }
  SECTION("another service of the stack") {
    asking.file["web"]->ports[0].place = {};
    asking.file.container("db").port(9002, at_line_7);
    CHECK(
        asking.refusal() ==
        "compose.yaml:7:9: host port 9002, which service 'db' publishes, is published by another service of "
        "this stack");
  }
  SECTION("another program") {
    asking.taken = {{9002, "tcp"}};
    CHECK(asking.refusal() == what + "is taken by another program; stop that or publish another port");
  }
  SECTION("another service of the stack, which got it by chance and still has it") {
    asking.file.container("db").port();
    asking.holds("mine", "db", "0", 9002);
    asking.taken = {{9002, "tcp"}};
    CHECK(asking.refusal() ==
          what + "was given to service 'db' of this stack; take that down or publish another port");
  }
  SECTION("nobody, since the other stack is down") {
    asking.holds("other-1234", "db", "0", 9002, false);
    CHECK(asking.refusal() == "given");
  }
  SECTION("a port that this very service had, and somebody took meanwhile") {
    asking.holds("mine", "web", "0", 9002, false);
    asking.taken = {{9002, "tcp"}};
    CHECK(asking.refusal().starts_with(what + "is taken by another program"));
  }
}

TEST_CASE("L10.1: a fixed port is out of no range", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port(80);
  CHECK(asking.given() == Given{{"web 0", 80}});
}

TEST_CASE("the file's address goes along: it is asked there, and given so", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port(0, [](auto& port) { port.host_ip = "127.0.0.1"; });
  const auto ports = asking.ports();
  CHECK(asking.asked == std::vector<std::string>{"127.0.0.1:9000/tcp"});
  CHECK(ports[0].host_ip == "127.0.0.1");
  CHECK(ports[0].stack == "mine");
  CHECK(ports[0].active);
}

TEST_CASE("of \"8000-8002\" the first that is free is chosen, and the same again next time",
          "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port(8000, up_to(8002));
  asking.taken = {{8000, "tcp"}};
  CHECK(asking.given() == Given{{"web 0", 8001}});
  asking.taken.clear();
  asking.holds("mine", "web", "0", 8001, false);
  CHECK(asking.given() == Given{{"web 0", 8001}});
  asking.held.clear();
  asking.taken = {{8000, "tcp"}, {8001, "tcp"}, {8002, "tcp"}};
  CHECK(asking.refusal() == "service 'web' needs a host port, and none from 8000 to 8002 is free");
}

// ---- replicas

TEST_CASE("each replica has ports of its own, as many as there are replicas", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").scale(2).port();
  asking.file.container("db").port();
  CHECK(asking.given() == Given{{"web 0", 9000}, {"web 0@2", 9001}, {"db 0", 9002}});
  asking.scale = {{"web", 3}, {"db", 0}};
  CHECK(asking.given() == Given{{"web 0", 9000}, {"web 0@2", 9001}, {"web 0@3", 9002}});
}

TEST_CASE("the replicas of a service share a range between them", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").scale(2).port(8000, up_to(8001));
  CHECK(asking.given() == Given{{"web 0", 8000}, {"web 0@2", 8001}});
  asking.scale = {{"web", 3}};
  CHECK(asking.refusal() == "service 'web' needs a host port, and none from 8000 to 8001 is free");
}

TEST_CASE("one on the host's network gets none: its ports are its own", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port().port(9003);
  asking.file["web"]->container->network_mode = "host";
  CHECK(asking.given() == Given{});
}

TEST_CASE("ports are known by service and key", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").scale(2).port();
  asking.file.process("api").port();
  CHECK(plan::by_service(asking.ports()) ==
        std::map<std::string, std::map<std::string, int>>{{"web", {{"0", 9000}, {"0@2", 9001}}},
                                                          {"api", {{"0", 9002}}}});
}

TEST_CASE("A port that an orphan of this stack has is said to be its, with the way out", "[plan][ports]") {
  Asking asking;
  asking.file.container("new").port(80);
  asking.holds("mine", "old", "0", 80);
  asking.taken = {{80, "tcp"}};
  CHECK(asking.refusal() ==
        "host port 80, which service 'new' publishes, is still that of service 'old', which the "
        "stack file does not have (any more); `stackctl up --remove-orphans` takes it away");
}

TEST_CASE("Another program's port is told by its number, for whoever can say whose it is", "[plan][ports]") {
  Asking asking;
  asking.file.container("web").port(80);
  asking.taken = {{80, "tcp"}};
  try {
    asking.ports();
    FAIL("it was given");
  } catch (const plan::PortTaken& taken) {
    CHECK(taken.port() == 80);
  }
}
