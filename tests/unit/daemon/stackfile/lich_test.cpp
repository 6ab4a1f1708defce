#include <algorithm>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using model::Condition;
using test::Loading;

namespace {

std::string lich(const std::string& lines) {
  return "version: \"1\"\n" + lines;
}
std::string mistakes(const std::string& lines) {
  return Loading(lich(lines), "lich.yaml").mistakes();
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("L1: a whole lich.yaml as its documentation has it", "[stackfile][lich]") {
  Loading loading(lich("runtime: {compose_cli: auto, proxy_port: 3300, ready_when_timeout: 180s, "
                       "kill_others_on_fail: true}\n"
                       "services:\n"
                       "  postgres:\n"
                       "    image: postgres:16-alpine\n"
                       "    ports:\n"
                       "      - {container_port: 5432, published_env: POSTGRES_HOST_PORT}\n"
                       "    environment: {POSTGRES_USER: postgres, PREFIX: 'lich-${worktree.name}'}\n"
                       "    tmpfs: [/var/lib/postgresql/data]\n"
                       "    volumes: [./seed:/seed:ro, pgdata:/data]\n"
                       "    healthcheck: {test: [CMD-SHELL, pg_isready], interval: 1s, retries: 30}\n"
                       "    lifecycle: {after_ready: [./warm.sh]}\n"
                       "owned:\n"
                       "  api:\n"
                       "    cmd: bun run dev\n"
                       "    cwd: apps/api\n"
                       "    port: {published_env: PORT}\n"
                       "    ready_when: {http_get: /health, timeout: 30s}\n"
                       "    depends_on: [postgres]\n"
                       "env:\n"
                       "  DATABASE_URL: 'postgresql://localhost:${services.postgres.host_port}/myapp'\n"
                       "env_groups: {plus: {extends: stack, env: {TEST_MODE: integration}}}\n"
                       "lifecycle:\n"
                       "  before_up: [./scripts/check.sh]\n"
                       "  after_up: [{cmd: ./scripts/seed.sh, env_group: plus, cwd: db, per_fork: true}]\n"
                       "profiles:\n"
                       "  dev: {default: true, services: [postgres], owned: [api]}\n"
                       "  'dev:fast': {owned: [api]}\n"
                       "commands: {'db:psql': {cmd: 'psql \"$DATABASE_URL\"', help: Open it}}\n"),
                  "lich.yaml");
  const auto spec = loading.load();
  CHECK(spec.format == "lich");
  CHECK(spec.profile == "dev");
  const auto* postgres = spec.find("postgres");
  REQUIRE(postgres);
  CHECK_FALSE(postgres->owned);
  CHECK(postgres->container->image == "postgres:16-alpine");
  CHECK(postgres->environment.env.at("POSTGRES_USER") == "postgres");
  CHECK(postgres->environment.env.at("PREFIX") == "lich-${worktree.name}");
  CHECK(postgres->container->tmpfs == std::vector<std::string>{"/var/lib/postgresql/data"});
  REQUIRE(postgres->container->mounts.size() == 2);
  CHECK(postgres->container->mounts[0].source == loading.path("seed"));
  CHECK(postgres->container->mounts[1].source == "pgdata");
  CHECK(spec.volumes.at("pgdata").name == "demo_pgdata");
  CHECK(postgres->container->healthcheck->test == std::vector<std::string>{"CMD-SHELL", "pg_isready"});
  CHECK(postgres->hooks.size() == 1);
  CHECK(spec.find("api")->depends_on.at("postgres").condition == Condition::ready);
  CHECK(spec.hooks.size() == 2);
  CHECK(spec.env_groups.at("plus").extends == "stack");
  CHECK(spec.commands.at("db:psql").description == "Open it");
}

TEST_CASE("L10.1: a port of a container is allocated unless it is pinned", "[stackfile][lich]") {
  const auto spec =
      Loading(
          lich("services:\n"
               "  list: {image: a, ports: [5432, {container: 80, env: P}, {container_port: 81, host_port: "
               "8081}]}\n"
               "  map: {image: a, ports: {http: 3000, admin: {container_port: 3001, published_env: ADMIN}}}\n"
               "owned:\n  pinned: {cmd: x, port: 4000}\n  free: {cmd: x, port: {}}\n"),
          "lich.yaml")
          .load();
  const auto& list = spec.find("list")->ports;
  REQUIRE(list.size() == 3);
  CHECK(list[0].target == 5432);
  CHECK(list[0].published == 0);
  CHECK(list[0].key == "0");
  CHECK(list[1].env == "P");
  CHECK(list[1].key == "1");
  CHECK(list[2].published == 8081);
  const auto& map = spec.find("map")->ports;
  REQUIRE(map.size() == 2);
  CHECK(map[0].key == "http");
  CHECK(map[0].target == 3000);
  CHECK(map[1].key == "admin");
  CHECK(spec.find("pinned")->ports[0].published == 4000);
  CHECK(spec.find("free")->ports[0].published == 0);
}

TEST_CASE("L1.1: the schema is closed", "[stackfile][lich]") {
  CHECK(mistakes("services:\n  a: {image: x, command: y}\n")
            .starts_with("lich.yaml:3:17: unknown key 'command' in service 'a'"));
  CHECK(has(mistakes("services: {a: {image: x, build: .}}\n"), "unknown key 'build'"));
  CHECK(has(mistakes("services: {a: {image: x, enviroment: {}}}\n"), "did you mean 'environment'?"));
  CHECK(has(mistakes("owend: {a: {cmd: x}}\n"), "unknown key 'owend' in the file, did you mean 'owned'?"));
  CHECK(has(mistakes("owned: {a: {cmd: x, restart: on-failure}}\n"), "unknown key 'restart'"));
  CHECK(
      has(mistakes("owned: {a: {cmd: x, depends_on: {b: {}}}}\n"), "'depends_on': expected a list of names"));
  CHECK(has(mistakes("services: {a: {image: x, depends_on: {b: {}}}}\n"),
            "'depends_on': expected a list of names"));
  CHECK(has(mistakes("services: [a]\n"), "'services': expected a mapping of names"));
  CHECK(has(mistakes("services: {a: {image: x, ports: {http: {port: 3}}}}\n"), "unknown key 'port'"));
  CHECK(has(mistakes("services: {a: {image: x, ports: {http: {published_env: P}}}}\n"),
            "the 'container_port' is missing"));
  CHECK(has(mistakes("services: {a: {image: x, ports: 80}}\n"), "expected a mapping of names or a list"));
}

TEST_CASE("L1: the version is 1", "[stackfile][lich]") {
  CHECK(Loading("owned: {a: {cmd: x}}\n", "lich.yaml").mistakes() ==
        "lich.yaml:1:1: the file has no 'version': a lich.yaml begins with version: \"1\"\n");
  CHECK(Loading("version: '2'\nowned: {a: {cmd: x}}\n", "lich.yaml").mistakes() ==
        "lich.yaml:1:10: 'version': expected \"1\", found '2'\n");
}

TEST_CASE("L1.1: a service of a sibling compose file, with what the lich.yaml says over it",
          "[stackfile][lich]") {
  Loading loading(lich("services:\n"
                       "  db: {compose_file: infra/stack.yaml, service: postgres, environment: {B: lich}, "
                       "ports: {main: {container_port: 5432, published_env: P}}}\n"
                       "  web: {ports: [80]}\n"
                       "owned: {api: {cmd: 'x ${services.db.ports.main}', depends_on: [web]}}\n"),
                  "lich.yaml");
  loading.directory.write(
      "infra/stack.yaml",
      "services:\n"
      "  postgres:\n    build: ./pg\n    command: postgres -c x\n    ports: ['5432:5432', '9000:9000']\n"
      "    environment: {A: '$${x}', B: compose}\n    volumes: [./data:/data, keep:/keep]\n    profiles: "
      "[never]\n"
      "    depends_on: {helper: {condition: service_healthy}}\n"
      "  helper: {image: helper, healthcheck: {test: 'true'}, depends_on: [postgres2]}\n"
      "  postgres2: {image: other}\n  unused: {image: unused}\n"
      "volumes: {keep: {name: kept}}\n");
  loading.directory.write("compose.yaml", "services: {web: {image: nginx, restart: always}}\n");
  const auto spec = loading.load();
  const auto* db = spec.find("db");
  REQUIRE(db);
  CHECK(db->container->build->context == loading.path("infra/pg"));
  CHECK(db->container->command == std::vector<std::string>{"postgres", "-c", "x"});
  CHECK(db->environment.env.at("A") == "${x}");
  CHECK(db->environment.env.at("B") == "lich");
  CHECK(db->container->mounts[0].source == loading.path("infra/data"));
  CHECK(spec.volumes.at("keep").name == "kept");
  CHECK(db->depends_on.at("helper").condition == Condition::healthy);
  REQUIRE(db->ports.size() == 2);
  CHECK(db->ports[0].key == "main");
  CHECK(db->ports[0].published == 0);
  CHECK(db->ports[1].target == 9000);
  CHECK(db->ports[1].published == 9000);
  CHECK(spec.find("helper"));
  CHECK(spec.find("postgres2"));
  CHECK_FALSE(spec.find("unused"));
  CHECK(spec.find("web")->container->restart == "always");
  CHECK(spec.find("web")->container->image == "nginx");
}

TEST_CASE("L1.1: dependencies in the compose file are called what the lich.yaml calls them",
          "[stackfile][lich]") {
  Loading loading(lich("services:\n  app: {service: web}\n  store: {service: postgres}\n"), "lich.yaml");
  loading.directory.write("compose.yaml",
                          "services:\n  web: {image: a, depends_on: [postgres]}\n  postgres: {image: b}\n");
  const auto spec = loading.load();
  CHECK(spec.services.size() == 2);
  CHECK(spec.find("app")->depends_on.contains("store"));
}

TEST_CASE("L1.1: what the compose file lacks is named", "[stackfile][lich]") {
  Loading loading(lich("services:\n  db: {service: postgers}\n"), "lich.yaml");
  loading.directory.write("compose.yaml", "services: {postgres: {image: b}}\n");
  CHECK(has(loading.mistakes(),
            "lich.yaml:3:3: compose.yaml has no service 'postgers', did you mean 'postgres'?"));
  CHECK(has(mistakes("services:\n  db: {ports: [5432]}\n"),
            "lich.yaml:3:3: service 'db' has neither an 'image' nor a 'compose_file'"));
  CHECK(has(mistakes("services:\n  db: {compose_file: nowhere.yaml}\n"), "nowhere.yaml"));
}

TEST_CASE("Compose's interpolation holds for what lich passes on to Compose", "[stackfile][lich]") {
  Loading loading(lich("services: {db: {image: 'postgres:${PG:-16}', environment: {A: '${HERE}'}}}\n"),
                  "lich.yaml");
  loading.request.environment["HERE"] = "caller";
  const auto spec = loading.load();
  CHECK(spec.find("db")->container->image == "postgres:16");
  CHECK(spec.find("db")->environment.env.at("A") == "caller");
}

TEST_CASE("L1.4: dependencies hold across both kinds, and dangling ones are refused", "[stackfile][lich]") {
  const auto spec =
      Loading(
          lich("services: {db: {image: x, depends_on: [seed]}}\nowned: {seed: {cmd: x, oneshot: true}}\n"),
          "lich.yaml")
          .load();
  CHECK(spec.find("db")->depends_on.at("seed").condition == Condition::ready);
  CHECK(has(mistakes("services: {db: {image: x}}\nowned: {api: {cmd: x, depends_on: [dbb]}}\n"),
            "did you mean 'db'?"));
  CHECK(has(mistakes("services: {db: {image: x, depends_on: [a]}}\nowned: {a: {cmd: x, depends_on: [db]}}\n"),
            " -> "));
  CHECK(has(mistakes("services: {db: {image: x}}\nowned: {db: {cmd: x}}\n"),
            "another service in line 2 has that name"));
}

TEST_CASE("all mistakes of a lich.yaml are told at once", "[stackfile][lich]") {
  const auto all = mistakes(
      "services: {db: {image: x, colour: red}}\nowned: {api: {}}\nlifecycle: {after_pu: [x]}\nprofiles: {a: "
      "{owned: [apy]}}\n");
  INFO(all);
  CHECK(std::count(all.begin(), all.end(), '\n') == 4);
}
