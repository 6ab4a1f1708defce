#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using test::Loading;

namespace {

std::string mistakes(const std::string& services) {
  return Loading("services:\n" + services).mistakes();
}

}  // namespace

TEST_CASE("an unknown dependency is named, with the nearest service", "[stackfile][check]") {
  CHECK(mistakes("  web: {image: a, depends_on: [databse]}\n  database: {image: b}\n") ==
        "compose.yaml:2:32: service 'web' depends on 'databse', which is no service, did you mean "
        "'database'?\n");
  CHECK(mistakes("  web: {image: a, network_mode: 'service:vpn'}\n").find("'vpn', which is no service") !=
        std::string::npos);
}

TEST_CASE("a cycle is printed once, as a -> b -> a", "[stackfile][check]") {
  CHECK(mistakes("  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [c]}\n  c: {image: x, "
                 "depends_on: [a]}\n") ==
        "compose.yaml:2:3: services depend on each other in a cycle: a -> b -> c -> a\n");
  CHECK(mistakes("  a: {image: x, depends_on: [a]}\n").find("in a cycle: a -> a") != std::string::npos);
}

TEST_CASE("service_healthy needs a healthcheck that is not disabled", "[stackfile][check]") {
  const std::string web = "  web: {image: a, depends_on: {db: {condition: service_healthy}}}\n";
  CHECK(mistakes(web + "  db: {image: b, healthcheck: {disable: true}}\n")
            .find("but its healthcheck is disabled") != std::string::npos);
  CHECK(mistakes(web + "  db: {image: b}\n") == "loaded");
}

TEST_CASE("container names are for one container", "[stackfile][check]") {
  CHECK(mistakes("  a: {image: x, container_name: n}\n  b: {image: x, container_name: n}\n")
            .find("which 'a' has too") != std::string::npos);
  CHECK(mistakes("  a: {image: x, container_name: n, scale: 2}\n")
            .find("only one container can have the name") != std::string::npos);
}

TEST_CASE("a fixed host port is for one container", "[stackfile][check]") {
  CHECK(mistakes("  a: {image: x, ports: ['80:80']}\n  b: {image: x, ports: ['127.0.0.1:80:81']}\n")
            .find("host port 80/tcp, which service 'a' publishes too") != std::string::npos);
  CHECK(mistakes("  a: {image: x, ports: ['127.0.0.1:80:80', '80:80/udp']}\n  b: {image: x, ports: "
                 "['127.0.0.2:80:81']}\n") == "loaded");
  CHECK(mistakes("  a: {image: x, scale: 2, ports: ['80:80']}\n")
            .find("leave the host port out, or give a range") != std::string::npos);
  CHECK(mistakes("  a: {image: x, scale: 2, ports: ['80-81:80']}\n") == "loaded");
  CHECK(mistakes("  a: {image: x, scale: 2, ports: ['80']}\n") == "loaded");
}
