#include "proto/types.hpp"

#include "proto/error_codes.hpp"
#include "proto/fields.hpp"
#include "proto/schema.hpp"
#include "tests/support/catch.hpp"

using namespace stackd::proto;
using nlohmann::json;

namespace {

template <class T>
T through_json(const T& object) {
  return json::parse(json(object).dump()).get<T>();
}

// Writing, reading and writing again gives the same text: nothing is lost on the way.
template <class T>
void check_round_trip(const T& object) {
  CHECK(json(through_json(object)).dump() == json(object).dump());
}

Operation full_operation() {
  Operation operation;
  operation.id = "op-1";
  operation.stack = "shop-1";
  operation.kind = "up";
  operation.state = "failed";
  operation.warnings = {"one"};
  operation.error = OperationError{"failed", "it did", {"tail"}};
  operation.started_at = "2026-08-01T09:30:00.123Z";
  operation.ended_at = "2026-08-01T09:30:01.123Z";
  operation.duration_ms = 1000;
  operation.rolling_back = operation.unchanged = operation.joined = true;
  operation.steps = {{"start:db", "start", "db", "failed", "why", "a", "b", 7}};
  return operation;
}

}  // namespace

TEST_CASE("Everything that goes over the wire comes back as it was", "[proto]") {
  check_round_trip(full_operation());
  Stack stack;
  stack.id = "shop-1";
  stack.files = {"/a", "/b"};
  stack.last_operation = full_operation();
  stack.started_at = "now";
  stack.urls = {"http://127.0.0.1:9000"};
  Service service;
  service.name = "db";
  service.container = "abc";
  service.containers = {{"abc", "shop-db-1", "exited", "healthy", "postgres", 2, 3}};
  service.ports = {{"web", "tcp", "127.0.0.1", "http://x", 9000, 80}};
  service.exit_code = 0;
  service.pid = 1;
  service.reason = "why";
  stack.services = {service};
  check_round_trip(stack);
  check_round_trip(UpRequest{"/x",
                             {"-"},
                             "services: {}",
                             {{"/x/a.yaml", "services: {}"}},
                             {"a.env"},
                             "/y",
                             "p",
                             "dev",
                             {"db"},
                             {{"A", "1"}},
                             "027",
                             {true,
                              true,
                              true,
                              true,
                              true,
                              true,
                              true,
                              true,
                              true,
                              true,
                              true,
                              true,
                              "always",
                              "all",
                              {"after_up"},
                              {{"db", 2}},
                              {"web"},
                              5,
                              6},
                             {true, true, true, true, true, true}});
  Config config;
  config.model = {{"name", "shop"}};
  config.profiles = {"dev"};
  config.variables = {{"A", true, "1", "2"}};
  config.environment = {{"A", "1"}};
  check_round_trip(config);
  check_round_trip(DownRequest{true, true, true, "all", 0, {"db"}});
  check_round_trip(ServicesRequest{{"db"}, 5});
  HookRun run;
  run.id = "run-1";
  run.exit_code = 0;
  run.log = "/x";
  run.attempt = 3;
  run.stderr_tail = "oh";
  check_round_trip(run);
  Event event;
  event.sequence = 1LL << 40;
  event.kind = "warning";
  event.data = {{"message", "x"}};
  check_round_trip(event);
  check_round_trip(LogLine{"db", "now", "stderr", "text", 2, "1024"});
  check_round_trip(
      Validation{false, "n", "/d", "compose", {"f"}, {"s"}, {{"f", 1, 2, 3, "error", "m", "s"}}, {"w"}});
  Info info;
  info.pid = 7;
  info.engine_error = "gone";
  check_round_trip(info);
  check_round_trip(Problem{"about:blank", "t", "d", "conflict", 409, {"e"}, "op-1"});
}

TEST_CASE("What has no value is left out, what is fixed is always there", "[proto]") {
  const json operation = Operation{};
  for (const auto* name : {"error", "started_at", "ended_at", "duration_ms", "steps"})
    CHECK_FALSE(operation.contains(name));
  CHECK(operation["warnings"] == json::array());
  CHECK(operation["joined"] == false);
  const json run = HookRun{};
  for (const auto* name : {"exit_code", "started_at", "ended_at", "container", "stderr_tail"})
    CHECK_FALSE(run.contains(name));
  for (const auto* name :
       {"id", "phase", "index", "service", "place", "command", "state", "attempt", "reason", "log"})
    CHECK(run.contains(name));
  const json service = Service{};
  CHECK_FALSE(service.contains("pid"));
  CHECK_FALSE(service.contains("container"));
  CHECK(json(UpRequest{"/x"}) == json{{"directory", "/x"}});
  CHECK(json(DownRequest{}) == json::object());
  Service exited;
  exited.exit_code = 0;
  CHECK(json(exited)["exit_code"] == 0);
}

TEST_CASE("A newer daemon's fields and null are passed over, missing ones keep their default", "[proto]") {
  const auto operation =
      json::parse(R"({"id": "op-1", "colour": "blue", "error": null, "steps": [{"key": "a", "new": 1}]})")
          .get<Operation>();
  CHECK(operation.id == "op-1");
  CHECK_FALSE(operation.error);
  CHECK(operation.steps.at(0).key == "a");
  CHECK(json::parse("{}").get<HookRun>().attempt == 1);
}

TEST_CASE("A wrong type is an error, not a guess", "[proto]") {
  CHECK_THROWS_AS(json::parse(R"({"id": 1})").get<Operation>(), json::exception);
  CHECK_THROWS_AS(json::parse("[]").get<Operation>(), json::exception);
  CHECK_THROWS_AS(json::parse(R"({"steps": {}})").get<Operation>(), json::exception);
}

TEST_CASE("An unknown error code is internal", "[proto]") {
  CHECK(error_code("conflict").status == 409);
  CHECK(error_code("from-the-future").code == "internal");
}

TEST_CASE("The schema of stackd.yaml knows every key of the design, and its references lead somewhere",
          "[proto]") {
  const auto schema = json::parse(stack_file_schema());
  CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  const auto& top = schema["properties"];
  for (const auto* key :
       {"name", "services", "networks", "volumes", "secrets", "configs", "include", "lifecycle", "owned",
        "env", "env_files", "env_from", "env_groups", "commands", "runtime", "profiles"})
    CHECK(top.contains(key));
  for (const auto* phase : {"before_up", "after_up", "before_down", "after_down"})
    CHECK(top["lifecycle"]["properties"].contains(phase));
  const auto& service = schema["$defs"]["service"]["properties"];
  for (const auto* key : {"image", "build", "pre_start", "post_start", "pre_stop", "lifecycle", "hooks",
                          "ready_when", "fail_when"})
    CHECK(service.contains(key));
  const auto& hook = schema["$defs"]["host_hook"]["anyOf"][1]["properties"];
  for (const auto* key : {"cmd", "cwd", "env", "env_group", "timeout", "retries", "retry_delay", "on_failure",
                          "run", "inputs", "run_in", "if"})
    CHECK(hook.contains(key));
  const auto flat = schema.flatten();
  int references = 0;
  for (const auto& [path, value] : flat.items()) {
    if (path.size() < 5 || path.substr(path.size() - 5) != "/$ref") continue;
    CAPTURE(path, value);
    CHECK(schema.contains(json::json_pointer(value.get<std::string>().substr(1))));
    ++references;
  }
  CHECK(references > 100);
}
