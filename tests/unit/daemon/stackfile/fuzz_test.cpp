// Stack files that somebody has damaged: the loader takes them or says what is wrong, and nothing else
// happens. The damage is the same in every run; STACKD_FUZZ_RUNS makes more of it.
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>

#include "daemon/model/json.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using test::Loading;

namespace {

constexpr const char* k_compose = R"(name: shop
x-base: &base {image: "nginx:1", restart: unless-stopped}
services:
  db:
    <<: *base
    environment: {A: "${HOME:-x}", B: ~}
    ports: ["8080:80", "127.0.0.1:5432:5432/udp", "3000-3002"]
    volumes: ["data:/data:ro", {type: tmpfs, target: /t, tmpfs: {size: 10m}}]
    healthcheck: {test: [CMD, "true"], interval: 1s, retries: 3}
    deploy: {replicas: 1, resources: {limits: {cpus: "0.5", memory: 64m}}}
    post_start: [{command: "echo hi", user: root}]
    pre_stop: [{command: ["sh", "-c", "echo bye"]}]
  web:
    build: {context: ., args: {X: 1}, target: last}
    depends_on: {db: {condition: service_healthy, required: false}}
    networks: {front: {aliases: [a], ipv4_address: 10.0.0.2}}
    profiles: [debug]
    extends: {service: db}
networks: {front: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}
volumes: {data: {}}
secrets: {key: {environment: KEY}}
)";

constexpr const char* k_stackd = R"yaml(name: shop
services:
  db: {image: postgres, hooks: {pre_run: "echo x"}, ready_when: {timeout: 5s}, ports: ["5432"]}
owned:
  api:
    cmd: "run ${owned.api.port}"
    port: {env: PORT}
    env: {URL: "http://${services.db.host_port}/${stack.name}"}
    depends_on: [db]
    ready_when: {log_match: "listening on .*", capture: {url: "on (.*)"}, timeout: 1m}
  job: {cmd: "true", oneshot: true, stop_cmd: "false"}
lifecycle:
  before_up: ["echo 1", ["echo 2", {cmd: "echo 3", timeout: 5s, retries: 2, on_failure: warn}]]
  after_up: [{cmd: x, run: once, if: {os: linux}, run_in: db}]
env: {A: b}
env_groups: {g: {env: {C: d}}}
commands: {t: {cmd: "echo t", env_group: g}}
runtime: {hook_timeout: 10s, kill_others_on_fail: false}
profiles: {dev: {default: true, services: [db], owned: [api]}}
)yaml";

constexpr const char* k_lich = R"yaml(version: "1"
env: {A: b}
services:
  db: {image: postgres, ports: [{container: 5432, env: PGPORT}]}
owned:
  api: {cmd: "go run .", port: {env: PORT}, depends_on: [db], ready_when: {http_get: "/health"}}
lifecycle: {before_up: ["make"], after_down: ["rm -f x"]}
profiles: {dev: {services: [db], owned: [api]}}
)yaml";

constexpr const char* k_moat = R"yaml(base_image: debian
dependencies: [postgres@17, redis]
services: {postgres: {env: {POSTGRES_DB: x}}}
hooks: {post_build_root: apt-get update, post_build: "true", pre_run: npm install}
env: {A: b}
)yaml";

struct Seed {
  const char *name, *text;
};

constexpr Seed k_seeds[] = {
    {"compose.yaml", k_compose},
    {"stackd.yaml", k_stackd},
    {"lich.yaml", k_lich},
    {"moat.yaml", k_moat},
};

constexpr const char* k_tokens[] = {"{",
                                    "}",
                                    "[",
                                    "]",
                                    ":",
                                    "- ",
                                    "&a ",
                                    "*a",
                                    "<<: ",
                                    "!!str ",
                                    "!!binary ",
                                    "|",
                                    ">",
                                    "\"",
                                    "'",
                                    "#",
                                    "\n",
                                    "\t",
                                    "  ",
                                    "null",
                                    "~",
                                    "-1",
                                    "1e400",
                                    "0x7fffffffffffffffff",
                                    ".nan",
                                    "true",
                                    "${",
                                    "${A",
                                    "${A:?no}",
                                    "$$",
                                    "${x.y}",
                                    "\xff\xfe",
                                    "\xe2\x80\xa8",
                                    "services",
                                    "extends: {service: web}",
                                    "include: [compose.yaml]",
                                    "depends_on: [web]",
                                    "? ",
                                    "---\n",
                                    "...",
                                    "99999999999999999999:80",
                                    "1-65536",
                                    "\\u0000",
                                    "%YAML 9.9\n"};

class Damage {
public:
  explicit Damage(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t count) { return count == 0 ? 0 : random_() % count; }

  std::string of(std::string text) {
    for (std::size_t times = 1 + below(4); times > 0; --times) once(text);
    return text;
  }

private:
  void once(std::string& text) {
    const auto at = below(text.size()), length = 1 + below(20);
    switch (below(6)) {
      case 0:
        text.erase(at, length);
        return;
      case 1:
        text.insert(at, k_tokens[below(std::size(k_tokens))]);
        return;
      case 2:
        text.insert(below(text.size()), text.substr(at, length));
        return;
      case 3:
        if (!text.empty()) text[at] = static_cast<char>(below(256));
        return;
      case 4:
        text.resize(at);
        return;
      default: {  // one line in place of another
        const auto begin = text.rfind('\n', at) + 1, end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(begin, end - begin);
        const auto other = text.rfind('\n', below(text.size())) + 1;
        text.insert(other, line + "\n");
      }
    }
  }
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("A damaged stack file is taken or refused with its mistakes, whatever is in it", "[fuzz]") {
  const char* runs = std::getenv("STACKD_FUZZ_RUNS");
  const int count = runs ? std::atoi(runs) : 500;
  int taken = 0, refused = 0;
  for (const auto& seed : k_seeds) {
    Loading loading;
    loading.request.environment = {{"HOME", "/home/ann"}, {"KEY", "k"}};
    loading.directory.write("Dockerfile", "FROM scratch\n");
    loading.directory.write(seed.name, seed.text);
    CAPTURE(seed.name);
    CHECK(loading.mistakes() == "loaded");
    Damage damage(7);
    for (int i = 0; i < count; ++i) {
      const auto text = damage.of(seed.text);
      loading.directory.write(seed.name, text);
      CAPTURE(text);
      try {
        const auto spec = loading.load();
        // What was taken can be stored and read again: `down` works from that.
        const auto stored = model::to_json(spec);
        CHECK(model::to_json(model::spec_from_json(nlohmann::json::parse(stored.dump()))) == stored);
        ++taken;
      } catch (const util::Error& error) {
        const bool known = error.kind() == util::ErrorKind::invalid_file ||
                           error.kind() == util::ErrorKind::invalid_request ||
                           error.kind() == util::ErrorKind::unsupported ||
                           error.kind() == util::ErrorKind::not_found;
        CAPTURE(error.what());
        CHECK(known);
        CHECK(std::string(error.what()).size() > 5);
        ++refused;
      }
    }
  }
  CHECK(taken > count / 10);
  CHECK(refused > count / 10);
}
