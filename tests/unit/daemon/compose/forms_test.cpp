#include "daemon/compose/forms.hpp"

#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

using namespace stackd;

namespace {

std::string mistakes(const std::string& text, const std::set<std::string>& services = {"web"}) {
  yaml::Problems problems;
  compose::check_forms(yaml::parse_yaml(text, "f"), services, problems);
  std::string out;
  for (const auto& line : problems.lines()) out += line.substr(line.find(' ', 2) + 1) + "\n";
  return out;
}

std::string of_service(const std::string& keys) {
  return mistakes("services: {web: {" + keys + "}}");
}

}  // namespace

TEST_CASE("what Compose's schema refuses by its form is refused, with the place", "[compose][forms]") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"image: [x]", "'image': expected a text"},
      {"stop_grace_period: {a: b}", "'stop_grace_period': expected a text"},
      {"cap_add: A", "'cap_add': expected a list"},
      {"cap_add: [[A]]", "'cap_add': expected a list of texts"},
      {"profiles: a", "'profiles': expected a list"},
      {"command: [sleep, {a: b}]", "'command': expected a list of texts"},
      {"command: {a: b}", "'command': expected a text or a list of texts"},
      {"tmpfs: {a: b}", "'tmpfs': expected a text or a list of texts"},
      {"labels: a", "'labels': expected a mapping"},
      {"labels: {a: [b]}", "'labels': expected one value"},
      {"storage_opt: [a=b]", "'storage_opt': expected a mapping"},
      {"healthcheck: a", "'healthcheck': expected a mapping"},
      {"use_api_socket: \"true\"", "'use_api_socket': expected true or false"},
      {"deploy: {placement: 5}", "'deploy', 'placement': expected a mapping"},
      {"deploy: {update_config: {delay: [5]}}", "'deploy', 'update_config', 'delay': expected a text"},
      {"develop: {watch: [a]}", "'develop', 'watch': expected a mapping"},
      {"models: {m: 5}", "'models', 'm': expected a mapping"},
      {"ports: {a: b}", "'ports': expected a list"},
  };
  for (const auto& [keys, mistake] : rows) {
    INFO(keys);
    CHECK(of_service(keys) == "service 'web', " + mistake + "\n");
  }
  CHECK(of_service("deploy: {placemant: {}}") ==
        "unknown key 'placemant' in service 'web', 'deploy', did you mean 'placement'?\n");
  CHECK(mistakes("volumes: {v: {driver: []}}") == "volume 'v', 'driver': expected a text\n");
}

TEST_CASE("what Compose takes in several forms is no mistake", "[compose][forms]") {
  for (const char* keys : {
           "image: 5, user: 1000, hostname: true, command: [sleep, 10, 1.5], stop_grace_period: 5",
           "expose: [80, \"81\"], group_add: [27, audio]",
           "command: a b, entrypoint: [], healthcheck: {test: a}",
           "dns: 1.1.1.1, dns_search: [a.b], tmpfs: /run",
           "environment: {A: 1, B: 1.5, C: true, D: }, labels: [a=1], sysctls: {a: 1}",
           "ports: [80, \"81:81\", {target: 82, published: 83}], volumes: [\"a:/a\", {type: bind, target: "
           "/x}]",
           "init: \"true\", tty: true, build: ., depends_on: [a], networks: {a: , b: {}}, deploy: null",
           "build: {args: {A: }, provenance: true, sbom: \"false\"}, devices: [/dev/null], gpus: all",
           "mem_limit: 64, cpus: \"0.5\", cpu_shares: 10, ulimits: {nofile: 10}, scale: 2, x-own: [1]",
           "develop: {watch: [{path: ., action: sync, include: a, x-b: 1}]}, command: null",
       }) {
    INFO(keys);
    CHECK(of_service(keys).empty());
  }
}

TEST_CASE("C6.6: a service that is not to run is not judged", "[compose][forms]") {
  CHECK(mistakes("services: {web: {image: x}, off: {image: []}}").empty());
}
