#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using test::Loading;
using Strings = std::vector<std::string>;

namespace {

// compose.yaml and compose.override.yaml, each with one service `web` of these lines.
struct Merged {
  Loading loading;

  Merged(const std::string& base, const std::string& over, const std::string& rest = "") {
    loading.directory.write("compose.yaml", test::one_service(base) + rest);
    loading.directory.write("compose.override.yaml", "services:\n  web:\n" + over);
  }
  model::Service web() const { return *loading.load().find("web"); }
  model::Container container() const { return *web().container; }
};

Strings targets(const model::Container& container) {
  Strings out;
  for (const auto& mount : container.mounts) out.push_back(mount.source + ":" + mount.target);
  return out;
}

}  // namespace

TEST_CASE("a further file: scalars and commands replace, lists append, maps merge", "[stackfile][merge]") {
  const Merged merged(
      "    command: [a, b]\n    entrypoint: e\n    healthcheck: {test: [CMD, x], retries: 3}\n    cap_add: "
      "[A]\n"
      "    dns: 1.1.1.1\n    labels: [a=1, b=2]\n",
      "    image: other\n    command: c\n    healthcheck: {test: y}\n    cap_add: [A, B]\n    dns: "
      "[8.8.8.8]\n"
      "    labels: {b: 3, c: 4}\n");
  const auto container = merged.container();
  CHECK(container.image == "other");
  CHECK(*container.command == Strings{"c"});
  CHECK(*container.entrypoint == Strings{"e"});
  CHECK(container.healthcheck->test == Strings{"CMD-SHELL", "y"});
  CHECK(container.healthcheck->retries == 3);
  CHECK(container.cap_add == Strings{"A", "B"});
  CHECK(container.dns == Strings{"1.1.1.1", "8.8.8.8"});
  CHECK(container.labels == std::map<std::string, std::string>{{"a", "1"}, {"b", "3"}, {"c", "4"}});
}

TEST_CASE("a further file: environment by name, whatever its form", "[stackfile][merge]") {
  const Merged merged("    environment: [A=1, B=2]\n", "    environment: {B: 3, C: 4}\n");
  CHECK(merged.web().environment.env == model::Environment{{"A", "1"}, {"B", "3"}, {"C", "4"}});
}

TEST_CASE("a further file: volumes are unique by target, ports by all of their parts", "[stackfile][merge]") {
  const Merged merged("    volumes: ['one:/a', 'two:/b']\n    ports: ['8080:80', '81:81']\n",
                      "    volumes: ['three:/b:ro', {type: volume, source: four, target: /c}]\n"
                      "    ports: ['9090:80', {target: 81, published: '81', app_protocol: http}]\n",
                      "volumes: {one: , two: , three: , four: }\n");
  CHECK(targets(merged.container()) == Strings{"one:/a", "three:/b", "four:/c"});
  const auto ports = merged.web().ports;
  REQUIRE(ports.size() == 3);
  CHECK(ports[0].published == 8080);
  CHECK(ports[1].app_protocol == "http");
  CHECK(ports[2].published == 9090);
}

TEST_CASE("a further file: depends_on, networks and build take both of their forms", "[stackfile][merge]") {
  const Merged merged(
      "    depends_on: [db]\n    networks: [a]\n    build: ./x\n",
      "    depends_on: {cache: {condition: service_healthy}}\n    networks: {a: {aliases: [w]}, b: }\n"
      "    build: {target: dev}\n",
      "  db: {image: d}\n  cache: {image: c}\nnetworks: {a: , b: }\n");
  const auto web = merged.web();
  CHECK(web.depends_on.at("db").condition == model::Condition::started);
  CHECK(web.depends_on.at("cache").condition == model::Condition::healthy);
  CHECK(web.container->networks.at("a").aliases == Strings{"w"});
  CHECK(web.container->networks.count("b") == 1);
  CHECK(web.container->build->context == merged.loading.path("x"));
  CHECK(web.container->build->target == "dev");
}

TEST_CASE("C1.4: hook lists of several files concatenate, and !reset drops them", "[stackfile][merge]") {
  const std::string base = "    post_start:\n      - {command: [one]}\n";
  const auto hooks = Merged(base, "    post_start:\n      - {command: [two]}\n").web().hooks;
  REQUIRE(hooks.size() == 2);
  CHECK(hooks[0].argv == Strings{"one"});
  CHECK(hooks[1].argv == Strings{"two"});
  CHECK(hooks[1].index == 1);
  CHECK(Merged(base, "    post_start: !reset []\n").web().hooks.empty());
}

TEST_CASE("!override replaces and !reset removes, at any depth", "[stackfile][merge]") {
  const Merged merged(
      "    ports: ['80:80']\n    environment: {A: 1, B: 2}\n    labels: [x=1]\n    user: me\n",
      "    ports: !override ['81:81']\n    environment: {A: !reset null}\n    labels: !reset {}\n"
      "    user: !reset null\n");
  const auto web = merged.web();
  REQUIRE(web.ports.size() == 1);
  CHECK(web.ports[0].published == 81);
  CHECK(web.environment.env == model::Environment{{"B", "2"}});
  CHECK(web.container->labels.empty());
  CHECK(web.container->user.empty());
}

TEST_CASE("!reset takes one of extra_hosts away; a number is another group than its text",
          "[stackfile][merge]") {
  const Merged merged("    extra_hosts: {a: 1.1.1.1, b: 2.2.2.2}\n    group_add: [1]\n",
                      "    extra_hosts: {a: !reset null}\n    group_add: [2, '1']\n");
  CHECK(merged.container().extra_hosts == Strings{"b:2.2.2.2"});
  CHECK(merged.container().group_add == Strings{"1", "2", "1"});
}

TEST_CASE("a further file's variable without a value takes the place of one with a value",
          "[stackfile][merge]") {
  for (const char* over : {"    environment: [A]\n", "    environment: {A: }\n"}) {
    INFO(over);
    const Merged merged("    environment: {A: base, B: base}\n", over);
    CHECK(merged.loading.load().find("web")->environment.env ==
          model::Environment{{"A", std::nullopt}, {"B", "base"}});
  }
}

TEST_CASE("a further file that says something of another kind is a mistake with both places",
          "[stackfile][merge]") {
  const Merged merged("    logging: {driver: x}\n", "    logging: [a]\n");
  CHECK(merged.loading.mistakes() ==
        "compose.override.yaml:3:14: 'services.web.logging' is of another kind than in compose.yaml:4, the "
        "two cannot be "
        "merged\n");
}

TEST_CASE("extends: a service of the same file, of another one, and a chain of both",
          "[stackfile][extends]") {
  Loading loading(
      "services:\n"
      "  web:\n    extends: base\n    environment: {B: web}\n    command: run\n"
      "  base:\n    extends: {service: common, file: lib/common.yaml}\n    environment: {A: base, B: "
      "base}\n");
  loading.directory.write(
      "lib/common.yaml",
      "services:\n  common:\n    extends: root\n    build: ./app\n    volumes: ['./data:/data', 'vol:/v']\n"
      "  root:\n    image: root\n    env_file: root.env\n    labels: {from: $NAME}\n");
  loading.directory.write("lib/root.env", "R=1\n");
  loading.request.environment["NAME"] = "root";
  loading.directory.write("compose.override.yaml", "volumes: {vol: }\n");
  const auto spec = loading.load();
  const auto& web = *spec.find("web");
  CHECK(web.container->image == "root");
  CHECK(web.container->build->context == loading.path("lib/app"));
  CHECK(targets(*web.container) == Strings{loading.path("lib/data") + ":/data", "vol:/v"});
  CHECK(web.environment.env == model::Environment{{"A", "base"}, {"B", "web"}});
  CHECK(web.environment.file_env == model::Environment{{"R", "1"}});
  CHECK(web.container->labels.at("from") == "root");
  CHECK_FALSE(spec.find("base")->container->command);
}

TEST_CASE("extends: mistakes", "[stackfile][extends]") {
  std::string chain = "services:\n";
  for (int i = 500; i > 0; --i) {
    chain += "  s" + std::to_string(i) + ": {extends: s" + std::to_string(i - 1) + "}\n";
  }
  chain += "  s0: {image: x}\n";
  CHECK(Loading(chain).mistakes().find("more than 50 deep") != std::string::npos);
  CHECK(Loading("services:\n  a: {extends: b}\n  b: {extends: a}\n")
            .mistakes()
            .find("in a cycle: a -> b -> a") != std::string::npos);
  CHECK(Loading("services:\n  web: {extends: bse}\n  base: {image: x}\n")
            .mistakes()
            .find("did you mean 'base'?") != std::string::npos);
  CHECK(
      Loading("services:\n  web: {extends: {service: x, file: none.yaml}}\n").mistakes().find("none.yaml") !=
      std::string::npos);
  CHECK(Loading("services:\n  web: {extends: {file: none.yaml}}\n").mistakes().find("names no service") !=
        std::string::npos);
}

TEST_CASE("include: another file's resources, with its own directory and .env", "[stackfile][include]") {
  Loading loading(
      "include:\n  - db/compose.yaml\n  - {path: [cache.yaml]}\nservices:\n  web: {image: w, depends_on: "
      "[db, cache]}\n");
  loading.directory.write(
      "db/compose.yaml",
      "name: other\nservices:\n  db: {image: 'db:$VERSION', volumes: ['./data:/d'], networks: [back]}\n"
      "networks: {back: }\n");
  loading.directory.write("db/.env", "VERSION=3\n");
  loading.directory.write("cache.yaml", "services:\n  cache: {image: c}\n");
  const auto spec = loading.load();
  CHECK(spec.find("db")->container->image == "db:3");
  CHECK(spec.find("db")->container->mounts.at(0).source == loading.path("db/data"));
  CHECK(spec.networks.at("back").name == "demo_back");
  CHECK(spec.find("cache"));
  CHECK(spec.name == "demo");
}

TEST_CASE("include: conflicts, cycles and missing files are mistakes", "[stackfile][include]") {
  Loading loading("include: [a.yaml]\nservices:\n  web: {image: w}\n");
  loading.directory.write("a.yaml", "services:\n  web: {image: other}\n");
  CHECK(loading.mistakes().find("'include' brings a second 'services.web'") != std::string::npos);
  loading.directory.write("a.yaml", "include: [compose.yaml]\n");
  CHECK(loading.mistakes().find("include each other in a cycle") != std::string::npos);
  CHECK(Loading("include: [gone.yaml]\nservices: {}\n").mistakes().find("gone.yaml") != std::string::npos);
}
