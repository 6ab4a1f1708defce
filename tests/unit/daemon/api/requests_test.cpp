#include <atomic>

#include "daemon/api/body.hpp"
#include "daemon/api/problem.hpp"
#include "proto/error_codes.hpp"
#include "tests/unit/daemon/api/fixture.hpp"

using namespace stackd;
using nlohmann::json;
using test::ApiFixture;
using test::json_of;
using util::ErrorKind;

namespace {

constexpr ErrorKind k_kinds[] = {ErrorKind::invalid_request,
                                 ErrorKind::invalid_file,
                                 ErrorKind::not_found,
                                 ErrorKind::conflict,
                                 ErrorKind::foreign_project,
                                 ErrorKind::no_engine,
                                 ErrorKind::engine,
                                 ErrorKind::unsupported,
                                 ErrorKind::timed_out,
                                 ErrorKind::cancelled,
                                 ErrorKind::denied,
                                 ErrorKind::failed,
                                 ErrorKind::io,
                                 ErrorKind::internal};

std::string refused(const std::string& body) {
  try {
    api::read_body<proto::UpRequest>(body);
  } catch (const util::Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_request);
    return error.what();
  }
  FAIL("it was taken: " << body);
  return "";
}

}  // namespace

TEST_CASE("Every error kind has its status", "[api]") {
  const std::map<ErrorKind, int> expected{{ErrorKind::invalid_request, 400},
                                          {ErrorKind::invalid_file, 422},
                                          {ErrorKind::not_found, 404},
                                          {ErrorKind::conflict, 409},
                                          {ErrorKind::foreign_project, 409},
                                          {ErrorKind::no_engine, 503},
                                          {ErrorKind::engine, 502},
                                          {ErrorKind::unsupported, 501},
                                          {ErrorKind::timed_out, 504},
                                          {ErrorKind::cancelled, 500},
                                          {ErrorKind::denied, 403},
                                          {ErrorKind::failed, 500},
                                          {ErrorKind::io, 500},
                                          {ErrorKind::internal, 500}};
  for (const auto kind : k_kinds) {
    CAPTURE(util::code_of(kind));
    CHECK(api::status_of(kind) == expected.at(kind));
    CHECK(proto::error_code(util::code_of(kind)).code == util::code_of(kind));
  }
  CHECK(proto::k_error_codes.size() == std::size(k_kinds));
}

TEST_CASE("An error is a problem document with a stable code", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  for (const auto kind : k_kinds) {
    fixture.on_loop([&](auto& services) {
      services.refusal = util::Error(kind, "cannot do it: why", {"line one", "line two"});
    });
    const auto answer = client.get("/v1/stacks");
    CHECK(answer.status == api::status_of(kind));
    CHECK(answer.header("content-type") == "application/problem+json");
    const auto problem = json_of(answer);
    CHECK(problem["code"] == std::string(util::code_of(kind)));
    CHECK(problem["status"] == answer.status);
    CHECK(problem["detail"] == "cannot do it: why");
    CHECK(problem["errors"] == json({"line one", "line two"}));
    CHECK(problem["type"] == "about:blank");
  }
}

TEST_CASE("X25: a conflict names the operation that runs", "[api]") {
  ApiFixture fixture;
  fixture.on_loop(
      [](auto& services) { services.refusal = util::Error(ErrorKind::conflict, "busy", {"op-7"}); });
  const auto answer = fixture.client().post("/v1/stacks", R"({"directory":"/x"})");
  CHECK(answer.status == 409);
  CHECK(json_of(answer)["operation"] == "op-7");
  CHECK_FALSE(json_of(answer).contains("errors"));
}

TEST_CASE("Unknown paths and wrong methods are problem documents too", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  CHECK(json_of(client.get("/v1/nothing"))["code"] == "not-found");
  client.request("PUT", "/v1/stacks", "{}");
  const auto answer = client.answer();
  CHECK(answer.status == 405);
  CHECK(answer.header("allow") == "GET, HEAD, POST");
  CHECK(json_of(answer)["code"] == "invalid-request");
  CHECK(client.get("/v1/stacks/none").status == 404);
}

TEST_CASE("A body is read field by field", "[api]") {
  const auto request = api::read_body<proto::UpRequest>(R"({
    "directory": "/srv/shop", "files": ["a.yaml"], "project_name": "p", "profile": "dev", "services": ["db", "api"],
    "environment": {"PATH": "/bin", "EMPTY": ""},
    "options": {"build": true, "pull": "always", "scale": {"web": 3}, "timeout_ms": 5000, "keep": null}})");
  CHECK(request.directory == "/srv/shop");
  CHECK(request.files == std::vector<std::string>{"a.yaml"});
  CHECK(request.services == std::vector<std::string>{"db", "api"});
  CHECK(request.environment.at("EMPTY").empty());
  CHECK(request.options.build);
  CHECK_FALSE(request.options.keep);
  CHECK(request.options.scale.at("web") == 3);
  CHECK(request.options.timeout_ms == 5000);
  CHECK_FALSE(api::read_body<proto::DownRequest>(" \n").timeout);
}

TEST_CASE("An unknown field is refused by name, with the nearest that there is", "[api]") {
  CHECK(refused(R"({"directry": "/x"})").find("unknown field 'directry'; did you mean 'directory'?") == 0);
  CHECK(refused(R"({"options": {"biuld": true}})")
            .find("unknown field 'options.biuld'; did you mean 'build'?") == 0);
  CHECK(refused(R"({"qqqqqqqq": 1})").find("unknown field 'qqqqqqqq': there are directory, files") == 0);
}

TEST_CASE("A wrong type is refused by the field's name", "[api]") {
  CHECK(refused("[]") == "the body must be an object, not []");
  CHECK(refused(R"({"directory": 7})") == "field 'directory' must be a string, not 7");
  CHECK(refused(R"({"files": "a"})") == "field 'files' must be a list, not \"a\"");
  CHECK(refused(R"({"files": ["a", 1]})") == "field 'files[1]' must be a string, not 1");
  CHECK(refused(R"({"environment": {"A": 1}})") == "field 'environment.A' must be a string, not 1");
  CHECK(refused(R"({"options": {"build": "yes"}})") ==
        "field 'options.build' must be true or false, not \"yes\"");
  CHECK(refused(R"({"options": {"scale": {"web": 1.5}}})") ==
        "field 'options.scale.web' must be a whole number, not 1.5");
  for (const auto* number : {"-1", "99999999999", "18446744073709551615"})
    CHECK(refused(std::string(R"({"options": {"scale": {"web": )") + number + "}}}")
              .find("field 'options.scale.web' must be a whole number") == 0);
}

TEST_CASE("What is no JSON, or nested without end, is refused", "[api]") {
  CHECK(refused("{").find("cannot read the request's body as JSON: parse error at line 1, column 2") == 0);
  CHECK(refused("\xff\xfe").find("cannot read the request's body as JSON") == 0);
  CHECK(refused(std::string(1000000, '[')).find("nested too deeply") != std::string::npos);
}

TEST_CASE("Bringing up answers 202 with the operation and where it is", "[api]") {
  ApiFixture fixture;
  const auto answer =
      fixture.client().post("/v1/stacks", R"({"directory": "/srv/shop", "services": ["db"]})");
  CHECK(answer.status == 202);
  CHECK(answer.header("location") == "/v1/operations/op-1");
  CHECK(json_of(answer)["id"] == "op-1");
  CHECK(json_of(answer)["state"] == "running");
  CHECK(fixture.on_loop([](auto& services) { return services.up.services; }) ==
        std::vector<std::string>{"db"});
}

TEST_CASE("Bringing up needs an absolute directory", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  for (const auto* body : {"{}", R"({"directory": ""})", R"({"directory": "shop"})"}) {
    const auto answer = client.post("/v1/stacks", body);
    CHECK(answer.status == 400);
    CHECK(json_of(answer)["detail"].get<std::string>().find("'directory'") != std::string::npos);
    CHECK(client.post("/v1/validate", body).status == 400);
  }
  CHECK(fixture.on_loop([](auto& services) { return services.operations.size(); }) == 0);
}

TEST_CASE("With wait=1 the answer is the ended operation with its steps", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  client.request("POST", "/v1/stacks?wait=1", R"({"directory": "/srv/shop"})");
  fixture.until([](const auto& services) { return services.waiting == 1; });
  fixture.on_loop([](auto& services) { services.end_operation("op-1", "failed"); });
  const auto answer = client.answer();
  CHECK(answer.status == 200);
  CHECK(json_of(answer)["state"] == "failed");
  CHECK(json_of(answer)["steps"].size() == 1);
}

TEST_CASE("Who goes away while waiting ends the wait and not the operation", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  client.request("POST", "/v1/stacks?wait=1", R"({"directory": "/srv/shop"})");
  fixture.until([](const auto& services) { return services.waiting == 1; });
  client.close();
  fixture.until([](const auto& services) { return services.waiting == 0; });
  CHECK(json_of(fixture.client().get("/v1/operations/op-1"))["state"] == "running");
}

TEST_CASE("down, stop, start and restart carry their bodies", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  CHECK(client.post("/v1/stacks/shop/down", R"({"volumes": true, "rmi": "local", "timeout": 3})").status ==
        202);
  CHECK(fixture.on_loop([](auto& services) {
    return services.verb == "down" && services.stack == "shop-1" && services.down.volumes &&
           services.down.rmi == "local" && services.down.timeout == 3;
  }));
  for (const std::string verb : {"stop", "start", "restart"}) {
    CHECK(client.post("/v1/stacks/shop-1/" + verb, R"({"services": ["db"], "timeout": 0})").status == 202);
    CHECK(fixture.on_loop(
        [&](auto& services) { return services.verb == verb && services.services.timeout == 0; }));
    CHECK(client.post("/v1/stacks/none/" + verb).status == 404);
    CHECK(client.post("/v1/stacks/shop-1/" + verb, R"({"service": "db"})").status == 400);
  }
  // No body at all is an empty one.
  client.request("POST", "/v1/stacks/shop/down");
  CHECK(client.answer().status == 202);
  CHECK(client.post("/v1/stacks/shop/down", R"({"rmi": "some"})").status == 400);
}

TEST_CASE("A wish carries its client's key for it", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  for (const auto* target : {"/v1/stacks/shop/down", "/v1/stacks/shop/stop", "/v1/stacks/shop/start",
                             "/v1/stacks/shop/restart", "/v1/stacks"}) {
    CAPTURE(target);
    const std::string key = std::string("key of ") + target;
    client.request("POST", target,
                   std::string(target) == "/v1/stacks" ? R"({"directory": "/somewhere"})" : "{}",
                   "Host: localhost\r\nIdempotency-Key: " + key + "\r\n");
    CHECK(client.answer().status == 202);
    CHECK(fixture.on_loop([](auto& services) { return services.key; }) == key);
  }
  client.request("POST", "/v1/stacks/shop/down", "{}",
                 "Host: localhost\r\nIdempotency-Key: " + std::string(256, 'k') + "\r\n");
  CHECK(client.answer().status == 400);
}

TEST_CASE("Cancelling takes no fields", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  client.post("/v1/stacks", R"({"directory": "/srv/shop"})");
  CHECK(client.post("/v1/operations/op-1/cancel", R"({"force": true})").status == 400);
  CHECK(client.post("/v1/operations/op-9/cancel").status == 404);
  const auto answer = client.post("/v1/operations/op-1/cancel?wait=1");
  CHECK(answer.status == 200);
  CHECK(json_of(answer)["state"] == "cancelled");
}

TEST_CASE("Forgetting answers 204 without a body", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  client.request("DELETE", "/v1/stacks/shop");
  const auto answer = client.answer();
  CHECK(answer.status == 204);
  CHECK(answer.header("content-type").empty());
  CHECK(fixture.on_loop([](auto& services) { return services.verb; }) == "forget");
  CHECK(client.get("/v1/ping").status == 200);
}

TEST_CASE("Lists are objects with one named array", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  CHECK(json_of(client.get("/v1/stacks"))["stacks"][0]["id"] == "shop-1");
  CHECK(json_of(client.get("/v1/stacks?directory=/nowhere"))["stacks"] == json::array());
  CHECK(json_of(client.get("/v1/stacks/shop/wait?for=healthy&service=db"))["blocking"][0]["service"] == "db");
  CHECK(client.get("/v1/stacks/shop/wait?for=better").status == 400);
  CHECK(json_of(client.get("/v1/operations"))["operations"] == json::array());
  fixture.on_loop([](auto& services) {
    services.hooks.resize(2);
    services.hooks[0].operation = "op-1";
  });
  CHECK(json_of(client.get("/v1/stacks/shop/hooks"))["hooks"].size() == 2);
  CHECK(json_of(client.get("/v1/stacks/shop/hooks?operation=op-1&limit=7"))["hooks"].size() == 1);
  CHECK(fixture.on_loop([](auto& services) { return services.limit; }) == 7);
  client.get("/v1/operations?stack=shop&limit=3");
  CHECK(fixture.on_loop([](auto& services) { return services.limit == 3 && services.stack == "shop"; }));
}

TEST_CASE("One operation has steps even when there are none", "[api]") {
  ApiFixture fixture;
  fixture.on_loop([](auto& services) { services.operations["op-1"].id = "op-1"; });
  auto client = fixture.client();
  CHECK(json_of(client.get("/v1/operations/op-1"))["steps"] == json::array());
  CHECK(client.get("/v1/operations/op-2").status == 404);
}

TEST_CASE("Unknown and broken parameters are refused by name", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  const auto refusal = [&](const std::string& target) {
    const auto answer = client.get(target);
    CHECK(answer.status == 400);
    return json_of(answer)["detail"].get<std::string>();
  };
  CHECK(refusal("/v1/stacks/shop/logs?tial=3") == "unknown parameter 'tial'; did you mean 'tail'?");
  CHECK(refusal("/v1/ping?x=1") == "unknown parameter 'x': none is taken here");
  CHECK(refusal("/v1/operations?limit=0").find("parameter 'limit' must be a whole number from 1 to") == 0);
  CHECK(refusal("/v1/operations?limit=ten").find("parameter 'limit'") == 0);
  CHECK(refusal("/v1/stacks/shop/logs?tail=-1").find("parameter 'tail'") == 0);
  CHECK(refusal("/v1/stacks/shop/logs?follow=maybe") == "parameter 'follow' must be 1 or 0, not 'maybe'");
  CHECK(refusal("/v1/stacks/shop/logs?format=xml") == "parameter 'format' must be json or text, not 'xml'");
  CHECK(refusal("/v1/events?after=x").find("parameter 'after'") == 0);
}

TEST_CASE("The environment of a group is one object", "[api]") {
  ApiFixture fixture;
  fixture.on_loop([](auto& services) { services.environment = {{"A", "1"}, {"BROKEN", "\xff"}}; });
  const auto answer = fixture.client().get("/v1/stacks/shop/env?group=test");
  CHECK(json_of(answer)["environment"]["A"] == "1");
  CHECK(json_of(answer)["environment"]["BROKEN"] == "\xEF\xBF\xBD");  // no answer fails for a broken byte
  CHECK(fixture.on_loop([](auto& services) { return services.group; }) == "test");
  CHECK_FALSE(fixture.on_loop([](auto& services) { return services.secrets; }));
  fixture.client().get("/v1/stacks/shop/env?secrets=1");
  CHECK(fixture.on_loop([](auto& services) { return services.secrets; }));
}

TEST_CASE("L6.8: what a command is run with is asked for by its name, or by a group", "[api]") {
  ApiFixture fixture;
  fixture.on_loop([](auto& services) { services.environment = {{"A", "1"}}; });
  const auto body = R"({"directory": "/srv/shop", "environment": {"HOME": "/root"}})";
  const auto one = json_of(fixture.client().post("/v1/environment?command=seed", body));
  CHECK(one["command"] == "./seed");
  CHECK(one["environment"]["A"] == "1");
  const auto group = json_of(fixture.client().post("/v1/environment?group=test", body));
  CHECK_FALSE(group.contains("command"));
  fixture.on_loop([](auto& services) {
    CHECK(services.group == "test");
    CHECK(services.up.environment.at("HOME") == "/root");
    return 0;
  });
  CHECK(json_of(fixture.client().post("/v1/commands", body))["commands"][0]["name"] == "seed");
  CHECK(fixture.client().post("/v1/commands", R"({"directory": "shop"})").status == 400);
}

TEST_CASE("A wrong stack file is a good answer of validate", "[api]") {
  ApiFixture fixture;
  const auto answer = fixture.client().post("/v1/validate", R"({"directory": "/srv/shop"})");
  CHECK(answer.status == 200);
  CHECK(json_of(answer)["valid"] == false);
  CHECK(json_of(answer)["errors"].size() == 1);
}

TEST_CASE("config and graph answer with their documents, and take the request of an up", "[api]") {
  ApiFixture fixture;
  const auto body = R"({"directory": "/srv/shop", "services": ["db"]})";
  const auto config = fixture.client().post("/v1/config", body);
  CHECK(config.status == 200);
  CHECK(json_of(config)["model"]["name"] == "shop");
  CHECK(fixture.on_loop([](auto& services) { return services.up.services.size(); }) == 1);
  const auto graph = fixture.client().post("/v1/graph", body);
  CHECK(json_of(graph)["services"][0]["name"] == "db");
  CHECK(fixture.client().post("/v1/graph", R"({"directory": "here"})").status == 400);
}

TEST_CASE("ping, version, info and schema say what they should", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  CHECK(json_of(client.get("/v1/ping"))["ok"] == true);
  const auto version = json_of(client.get("/v1/version"));
  CHECK(version["version"] == "1.2.3");
  CHECK(version["api_version"] == "1");
  CHECK_FALSE(version.contains("engine_version"));
  CHECK(json_of(client.get("/v1/info"))["engine_state"] == "unreachable");
  const auto schema = client.get("/v1/schema");
  CHECK(schema.header("content-type") == "application/schema+json");
  CHECK(json_of(schema)["title"] == "stackd.yaml");
}

TEST_CASE("A daemon that is asked to stop says so before it does", "[api]") {
  std::atomic<int> asked = 0;
  api::Options options;
  options.stop = [&] { ++asked; };
  ApiFixture fixture(options);
  CHECK(fixture.client().get("/v1/shutdown").status == 405);
  CHECK(asked == 0);
  const auto answer = fixture.client().post("/v1/shutdown", "");
  CHECK(answer.status == 202);
  CHECK(json_of(answer)["stopping"] == true);
  CHECK(asked == 1);
}

TEST_CASE("ping answers even while nothing else can", "[api]") {
  ApiFixture fixture;
  fixture.on_loop([](auto& services) { services.refusal = util::Error(ErrorKind::no_engine, "gone"); });
  CHECK(fixture.client().get("/v1/ping").status == 200);
}

TEST_CASE("Metrics count stacks by status and requests by class", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  client.get("/v1/ping");
  client.get("/nowhere");
  const auto answer = client.get("/metrics");
  CHECK(answer.header("content-type").find("text/plain; version=0.0.4") == 0);
  for (const auto* line :
       {"stackd_info{version=\"1.2.3\"} 1\n", "stackd_stacks{status=\"up\"} 1\n",
        "stackd_stacks{status=\"failed\"} 0\n", "stackd_engine_up 0\n", "stackd_operations_running 0\n",
        "stackd_uptime_seconds 0\n", "stackd_http_connections 1\n",
        "stackd_http_requests_total{class=\"2xx\"} 1\n", "stackd_http_requests_total{class=\"4xx\"} 1\n",
        "# TYPE stackd_http_requests_total counter\n"})
    CHECK(answer.body.find(line) != std::string::npos);
}

TEST_CASE("A question costs well under a millisecond", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  client.get("/v1/stacks");
  const auto begun = std::chrono::steady_clock::now();
  constexpr int questions = 200;
  for (int i = 0; i < questions; ++i) client.get("/v1/stacks");
  const auto each = (std::chrono::steady_clock::now() - begun) / questions;
  // Generous, since this runs under sanitizers on busy machines too.
  CHECK(each < std::chrono::milliseconds(20));
  WARN("one question takes " << std::chrono::duration_cast<std::chrono::microseconds>(each).count() << " us");
}
