#include "daemon/model/json.hpp"

#include <nlohmann/json.hpp>

#include "daemon/model/fields.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using nlohmann::json;

namespace {

// Stands for any member in T{Any, Any, …}: the most of them that compile is the number of T's members.
struct Any {
  template <class T>
  operator T() const;
};

template <class T, class... Some>
constexpr std::size_t members() {
  if constexpr (requires { T{Some{}..., Any{}}; }) {
    return members<T, Some..., Any>();
  } else {
    return sizeof...(Some);
  }
}

template <class T>
constexpr std::size_t listed = std::tuple_size_v<decltype(model::Fields<T>::list)>;

}  // namespace

TEST_CASE("every member of a spec's structs is stored", "[model][json]") {
  CHECK(listed<model::Hook> == members<model::Hook>());
  CHECK(listed<model::Readiness> == members<model::Readiness>());
  CHECK(listed<model::Healthcheck> == members<model::Healthcheck>());
  CHECK(listed<model::Dependency> == members<model::Dependency>());
  CHECK(listed<model::Port> == members<model::Port>());
  CHECK(listed<model::Mount> == members<model::Mount>());
  CHECK(listed<model::Attachment> == members<model::Attachment>());
  CHECK(listed<model::Build> == members<model::Build>());
  CHECK(listed<model::FileGrant> == members<model::FileGrant>());
  CHECK(listed<model::Container> == members<model::Container>());
  CHECK(listed<model::Process> == members<model::Process>());
  CHECK(listed<model::EnvSource> == members<model::EnvSource>());
  CHECK(listed<model::EnvGroup> == members<model::EnvGroup>());
  CHECK(listed<model::Service> + 1 == members<model::Service>());  // `provided` is for showing only
  CHECK(listed<model::Network> == members<model::Network>());
  CHECK(listed<model::Volume> == members<model::Volume>());
  CHECK(listed<model::FileSource> == members<model::FileSource>());
  CHECK(listed<model::Command> == members<model::Command>());
  CHECK(listed<model::Runtime> == members<model::Runtime>());
  CHECK(listed<model::Facts> + 1 == members<model::Facts>());  // `seen` is looked at anew
  // `written`, `canonical` and `known_profiles` are for loading only.
  CHECK(listed<model::Spec> + 3 == members<model::Spec>());
}

TEST_CASE("a spec comes back from JSON as it was", "[model][json]") {
  test::Loading loading(
      "services:\n"
      "  web:\n    image: nginx\n    command: []\n    build: {context: ., args: {A: }}\n    depends_on: {db: "
      "{condition: service_healthy}}\n"
      "    ports: [{name: http, target: 80}]\n    volumes: ['vol:/v', './x:/x:ro']\n    environment: {A: 1, "
      "B: "
      "}\n"
      "    healthcheck: {test: x, interval: 1m}\n    pre_start: [{command: [a], environment: [X]}]\n    "
      "init: false\n"
      "    cpus: 0.5\n    networks: {default: {aliases: [w]}}\n"
      "  db: {image: d, healthcheck: {test: y}}\n"
      "volumes: {vol: {driver: local}}\nsecrets: {s: {file: ./s}}\n");
  const auto spec = loading.load();
  const json stored = model::to_json(spec);
  const auto back = model::spec_from_json(json::parse(stored.dump()));
  CHECK(model::to_json(back) == stored);
  const auto& web = *back.find("web");
  CHECK(web.container->command->empty());
  CHECK_FALSE(web.container->entrypoint);
  CHECK(web.container->init == false);
  CHECK(web.container->cpus == 0.5);
  CHECK(web.environment.env == model::Environment{{"A", "1"}, {"B", std::nullopt}});
  CHECK(web.depends_on.at("db").condition == model::Condition::healthy);
  CHECK(web.container->healthcheck->interval == model::Milliseconds(60'000));
  CHECK(web.hooks.at(0).phase == model::Phase::pre_start);
}

TEST_CASE("fields at their default are left out, and come back as it", "[model][json]") {
  model::Service service;
  CHECK(model::to_json(service) == json::object());
  service.name = "x";
  service.container.emplace();
  CHECK(model::to_json(service) == json{{"name", "x"}, {"container", json::object()}});
  CHECK(model::to_json(model::Hook{}) == json::object());
  CHECK(model::spec_from_json(json::object()).runtime.kill_others_on_fail);
}

TEST_CASE("facts come back from JSON as they were", "[model][json]") {
  model::Facts facts;
  facts.stack_id = "a-1";
  facts.ports["web"] = {{"0", 9000}, {"0@2", 9001}};
  facts.captured["tunnel"]["url"] = "https://x";
  facts.env_from["stack"] = {{"A", "1"}, {"B", std::nullopt}};
  facts.caller = {{"HOME", "/h"}};
  const auto back = model::facts_from_json(model::to_json(facts));
  CHECK(back.ports == facts.ports);
  CHECK(back.captured == facts.captured);
  CHECK(back.env_from == facts.env_from);
  CHECK(back.caller == facts.caller);
}

TEST_CASE("a damaged store is an internal error, not a crash", "[model][json]") {
  CHECK_THROWS_AS(model::spec_from_json(json{{"services", 5}}), util::Error);
  CHECK_THROWS_AS(model::spec_from_json(json{{"name", json::array()}}), util::Error);
  CHECK_THROWS_AS(model::spec_from_json(json{{"hooks", json::array({json{{"phase", "never"}}})}}),
                  util::Error);
}
