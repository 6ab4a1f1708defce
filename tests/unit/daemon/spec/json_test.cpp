#include "daemon/spec/json.hpp"

#include <nlohmann/json.hpp>

#include "daemon/spec/fields.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/spec/load_support.hpp"

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
constexpr std::size_t listed = std::tuple_size_v<decltype(spec::Fields<T>::list)>;

}  // namespace

TEST_CASE("every member of a spec's structs is stored", "[spec][json]") {
  CHECK(listed<spec::Hook> == members<spec::Hook>());
  CHECK(listed<spec::Readiness> == members<spec::Readiness>());
  CHECK(listed<spec::Healthcheck> == members<spec::Healthcheck>());
  CHECK(listed<spec::Dependency> == members<spec::Dependency>());
  CHECK(listed<spec::Port> == members<spec::Port>());
  CHECK(listed<spec::Mount> == members<spec::Mount>());
  CHECK(listed<spec::Attachment> == members<spec::Attachment>());
  CHECK(listed<spec::Build> == members<spec::Build>());
  CHECK(listed<spec::FileGrant> == members<spec::FileGrant>());
  CHECK(listed<spec::Container> == members<spec::Container>());
  CHECK(listed<spec::Process> == members<spec::Process>());
  CHECK(listed<spec::EnvSource> == members<spec::EnvSource>());
  CHECK(listed<spec::EnvGroup> == members<spec::EnvGroup>());
  CHECK(listed<spec::Service> == members<spec::Service>());
  CHECK(listed<spec::Network> == members<spec::Network>());
  CHECK(listed<spec::Volume> == members<spec::Volume>());
  CHECK(listed<spec::FileSource> == members<spec::FileSource>());
  CHECK(listed<spec::Command> == members<spec::Command>());
  CHECK(listed<spec::Runtime> == members<spec::Runtime>());
  CHECK(listed<spec::Facts> == members<spec::Facts>());
  CHECK(listed<spec::Spec> + 1 == members<spec::Spec>());  // `written` is for loading only
}

TEST_CASE("a spec comes back from JSON as it was", "[spec][json]") {
  test::Loading loading(
      "services:\n"
      "  web:\n    image: nginx\n    command: []\n    build: {context: ., args: {A: }}\n    depends_on: {db: "
      "{condition: service_healthy}}\n"
      "    ports: [{name: http, target: 80}]\n    volumes: ['v:/v', './x:/x:ro']\n    environment: {A: 1, B: "
      "}\n"
      "    healthcheck: {test: x, interval: 1m}\n    pre_start: [{command: [a], environment: [X]}]\n    "
      "init: false\n"
      "    cpus: 0.5\n    networks: {default: {aliases: [w]}}\n"
      "  db: {image: d, healthcheck: {test: y}}\n"
      "volumes: {v: {driver: local}}\nsecrets: {s: {file: ./s}}\n");
  const auto spec = loading.load();
  const json stored = spec::to_json(spec);
  const auto back = spec::spec_from_json(json::parse(stored.dump()));
  CHECK(spec::to_json(back) == stored);
  const auto& web = *back.find("web");
  CHECK(web.container->command->empty());
  CHECK_FALSE(web.container->entrypoint);
  CHECK(web.container->init == false);
  CHECK(web.container->cpus == 0.5);
  CHECK(web.environment.env == spec::Environment{{"A", "1"}, {"B", std::nullopt}});
  CHECK(web.depends_on.at("db").condition == spec::Condition::healthy);
  CHECK(web.container->healthcheck->interval == spec::Milliseconds(60'000));
  CHECK(web.hooks.at(0).phase == spec::Phase::pre_start);
}

TEST_CASE("fields at their default are left out, and come back as it", "[spec][json]") {
  spec::Service service;
  CHECK(spec::to_json(service) == json::object());
  service.name = "x";
  service.container.emplace();
  CHECK(spec::to_json(service) == json{{"name", "x"}, {"container", json::object()}});
  CHECK(spec::to_json(spec::Hook{}) == json::object());
  CHECK(spec::spec_from_json(json::object()).runtime.kill_others_on_fail);
}

TEST_CASE("facts come back from JSON as they were", "[spec][json]") {
  spec::Facts facts;
  facts.stack_id = "a-1";
  facts.ports["web"] = {{"0", 9000}, {"0@2", 9001}};
  facts.captured["tunnel"]["url"] = "https://x";
  facts.env_from["stack"] = {{"A", "1"}, {"B", std::nullopt}};
  facts.caller = {{"HOME", "/h"}};
  const auto back = spec::facts_from_json(spec::to_json(facts));
  CHECK(back.ports == facts.ports);
  CHECK(back.captured == facts.captured);
  CHECK(back.env_from == facts.env_from);
  CHECK(back.caller == facts.caller);
}

TEST_CASE("a damaged store is an internal error, not a crash", "[spec][json]") {
  CHECK_THROWS_AS(spec::spec_from_json(json{{"services", 5}}), util::Error);
  CHECK_THROWS_AS(spec::spec_from_json(json{{"name", json::array()}}), util::Error);
  CHECK_THROWS_AS(spec::spec_from_json(json{{"hooks", json::array({json{{"phase", "never"}}})}}),
                  util::Error);
}
