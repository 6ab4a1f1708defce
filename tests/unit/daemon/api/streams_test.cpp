#include <fstream>

#include "daemon/util/time.hpp"
#include "tests/unit/daemon/api/fixture.hpp"

using namespace stackd;
using nlohmann::json;
using test::ApiFixture;
using test::HttpClient;
using test::json_of;
using namespace std::chrono_literals;

namespace {

struct Sse {
  std::string id, event;
  json data;
};

// The next event of a stream; comments are passed over.
Sse next_event(HttpClient& client) {
  Sse sse;
  std::string text;
  do text = client.chunks_until("\n\n");
  while (text.front() == ':');
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("id: ", 0) == 0) sse.id = line.substr(4);
    if (line.rfind("event: ", 0) == 0) sse.event = line.substr(7);
    if (line.rfind("data: ", 0) == 0) sse.data = json::parse(line.substr(6));
  }
  return sse;
}

void listen(HttpClient& client, const std::string& target, const std::string& last_id = "") {
  client.request("GET", target, "",
                 "Host: x\r\n" + (last_id.empty() ? "" : "Last-Event-ID: " + last_id + "\r\n"));
  const auto head = client.head();
  CHECK(head.status == 200);
  CHECK(head.header("content-type") == "text/event-stream");
}

void bring_up(ApiFixture& fixture) {
  fixture.client().post("/v1/stacks", R"({"directory": "/srv/shop"})");
}

proto::LogLine line(const std::string& service, int number, const std::string& text) {
  proto::LogLine line;
  line.service = service;
  line.number = number;
  line.at = "2026-08-01T09:30:00.123Z";
  line.stream = "stdout";
  line.text = text;
  return line;
}

}  // namespace

TEST_CASE("An operation's events come from its first and end with its end", "[api]") {
  ApiFixture fixture;
  bring_up(fixture);
  auto client = fixture.client();
  listen(client, "/v1/operations/op-1/events");
  const auto started = next_event(client);
  CHECK(started.id == "1");
  CHECK(started.event == "operation.started");
  CHECK(started.data["sequence"] == 1);
  CHECK(started.data["data"]["kind"] == "up");
  fixture.on_loop([](auto& services) {
    services.add_event("op-2", "step.started");
    services.end_operation("op-1", "succeeded");
  });
  CHECK(next_event(client).event == "operation.ended");
  CHECK(client.chunk().empty());
  CHECK(client.get("/v1/ping").status == 200);  // the connection goes on
}

TEST_CASE("Who comes back with the last id loses nothing and gets nothing twice", "[api]") {
  ApiFixture fixture;
  bring_up(fixture);
  std::string last;
  std::vector<std::string> seen;
  {
    auto client = fixture.client();
    listen(client, "/v1/operations/op-1/events");
    fixture.on_loop([](auto& services) {
      for (int i = 0; i < 5; ++i) services.add_event("op-1", "step.started");
    });
    for (int i = 0; i < 3; ++i) {
      last = next_event(client).id;
      seen.push_back(last);
    }
  }
  fixture.on_loop([](auto& services) {
    for (int i = 0; i < 5; ++i) services.add_event("op-1", "step.ended");
    services.end_operation("op-1", "succeeded");
  });
  auto client = fixture.client();
  listen(client, "/v1/operations/op-1/events", last);
  for (std::string event; event != "operation.ended";) {
    const auto sse = next_event(client);
    event = sse.event;
    seen.push_back(sse.id);
  }
  std::vector<std::string> expected;
  for (int i = 1; i <= 12; ++i) expected.push_back(std::to_string(i));
  CHECK(seen == expected);
}

TEST_CASE("Last-Event-ID is stronger than after, and must be a number", "[api]") {
  ApiFixture fixture;
  bring_up(fixture);
  fixture.on_loop([](auto& services) {
    for (int i = 0; i < 5; ++i) services.add_event("op-1", "step.started");
  });
  auto client = fixture.client();
  listen(client, "/v1/operations/op-1/events?after=1", "4");
  CHECK(next_event(client).id == "5");
  auto other = fixture.client();
  listen(other, "/v1/events?after=2");
  CHECK(next_event(other).id == "3");
  auto broken = fixture.client();
  broken.request("GET", "/v1/events", "", "Host: x\r\nLast-Event-ID: 4x\r\n");
  CHECK(broken.answer().status == 400);
}

TEST_CASE("All events begin with the next one", "[api]") {
  ApiFixture fixture;
  bring_up(fixture);
  auto client = fixture.client();
  listen(client, "/v1/events");
  fixture.until([](const auto& services) { return services.streaming == 1; });
  fixture.on_loop([](auto& services) {
    services.add_event("op-1", "warning", {{"message", "broken \xff byte"}});
  });
  const auto event = next_event(client);
  CHECK(event.id == "2");
  CHECK(event.data["data"]["message"] == "broken \xEF\xBF\xBD byte");
}

TEST_CASE("A passing note has no id", "[api]") {
  ApiFixture fixture;
  bring_up(fixture);
  auto client = fixture.client();
  listen(client, "/v1/operations/op-1/events");
  next_event(client);
  fixture.on_loop([](auto& services) { services.add_note("op-1", "hook.output", {{"line", "two\nlines"}}); });
  const auto note = next_event(client);
  CHECK(note.id.empty());
  CHECK(note.event == "hook.output");
  CHECK(note.data["data"]["line"] == "two\nlines");
}

TEST_CASE("What is not there is refused before the stream begins", "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  for (const auto* target :
       {"/v1/operations/op-9/events", "/v1/events?stack=none", "/v1/events?operation=op-9",
        "/v1/stacks/none/logs", "/v1/stacks/none/logs?follow=1", "/v1/hooks/none/log"}) {
    CAPTURE(target);
    const auto answer = client.get(target);
    CHECK(answer.status == 404);
    CHECK(json_of(answer)["code"] == "not-found");
  }
}

TEST_CASE("A silent event stream has a heartbeat", "[api]") {
  api::Options options;
  options.heartbeat = 5ms;
  ApiFixture fixture(options);
  auto client = fixture.client();
  listen(client, "/v1/events");
  CHECK(client.chunks_until("\n\n") == ": still here\n\n");
  CHECK(client.chunks_until("\n\n") == ": still here\n\n");
}

TEST_CASE("A listener that goes away leaves no task", "[api]") {
  ApiFixture fixture;
  bring_up(fixture);
  {
    auto events = fixture.client();
    listen(events, "/v1/operations/op-1/events");
    auto logs = fixture.client();
    logs.request("GET", "/v1/stacks/shop/logs?follow=1");
    logs.head();
    fixture.until([](const auto& services) { return services.streaming == 2; });
  }
  fixture.until([](const auto& services) { return services.streaming == 0; });
}

TEST_CASE("Logs are lines as Compose prints them", "[api]") {
  ApiFixture fixture;
  fixture.on_loop([](auto& services) {
    services.lines = {line("db", 1, "ready"), line("worker", 2, "broken \xff byte"), line("db", 1, "")};
  });
  auto client = fixture.client();
  const auto answer =
      client.get("/v1/stacks/shop/logs?tail=10&service=db,worker&service=api&since=10m&timestamps=0");
  CHECK(answer.header("content-type") == "text/plain; charset=utf-8");
  CHECK(answer.body == "db-1  | ready\nworker-2  | broken \xff byte\ndb-1      | \n");
  const auto asked = fixture.on_loop([](auto& services) { return services.logs; });
  CHECK(asked.services == std::vector<std::string>{"db", "worker", "api"});
  CHECK(asked.tail == "10");
  const auto ago =
      static_cast<double>(util::now_ms()) / 1000 - std::stod(asked.since);  // in the engine's seconds
  CHECK(ago >= 600);
  CHECK(ago < 660);
  CHECK_FALSE(asked.follow);
  CHECK(client.get("/v1/stacks/shop/logs?timestamps").body.find("db-1  | 2026-08-01T09:30:00.123Z ready\n") ==
        0);
}

TEST_CASE("`since` is a time, seconds or how long ago, as the engine takes it; what is neither is refused",
          "[api]") {
  ApiFixture fixture;
  auto client = fixture.client();
  const auto asked = [&](const std::string& since) {
    client.get("/v1/stacks/shop/logs?since=" + since);
    return fixture.on_loop([](auto& services) { return services.logs.since; });
  };
  CHECK(asked("2026-01-02T03:04:05.25Z") == "1767323045.250");
  CHECK(asked("2026-01-02T03:04:05%2B01:00") == "1767319445.000");
  CHECK(asked("1767323045") == "1767323045.000");
  CHECK(asked("") == "");
  // The ends of its range, and what lies beyond them.
  CHECK(asked("0") == "0.000");
  CHECK(asked("-1") == "0.000");
  CHECK(asked("-99999999999999999999999") == "0.000");
  CHECK(asked("1970-01-01T00:00:00%2B01:00") == "0.000");
  CHECK(asked("100000000h") == "0.000");
  CHECK(asked("9999-12-31T23:59:59Z") == "253402300799.000");
  CHECK(asked("9999-12-31T23:59:59-01:00") == "253402300799.000");
  CHECK(asked("9223372036854775807") == "253402300799.000");
  CHECK(asked("99999999999999999999999") == "253402300799.000");
  for (const std::string wrong : {"yesterday", "10x", "-5m", "2026-13-02T03:04:05Z"})
    CHECK(client.get("/v1/stacks/shop/logs?since=" + wrong).status == 400);
}

TEST_CASE("Logs are one JSON object a line for who asks", "[api]") {
  ApiFixture fixture;
  fixture.on_loop([](auto& services) { services.lines = {line("db", 1, "a\nb"), line("db", 1, "\xff")}; });
  auto client = fixture.client();
  client.request("GET", "/v1/stacks/shop/logs", "", "Host: x\r\nAccept: application/x-ndjson\r\n");
  const auto answer = client.answer();
  CHECK(answer.header("content-type") == "application/x-ndjson");
  std::istringstream lines(answer.body);
  std::string first, second;
  std::getline(lines, first);
  std::getline(lines, second);
  CHECK(json::parse(first)["text"] == "a\nb");
  CHECK(json::parse(second)["text"] == "\xEF\xBF\xBD");
  CHECK(client.get("/v1/stacks/shop/logs?format=json").header("content-type") == "application/x-ndjson");
  client.request("HEAD", "/v1/stacks/shop/logs?format=json");
  CHECK(client.answer(true).header("content-type") == "application/x-ndjson");
  client.request("HEAD", "/v1/stacks/none/logs");
  CHECK(client.answer(true).status == 404);
}

TEST_CASE("A log that is silent, or empty, still shows its head", "[api]") {
  api::Options options;
  options.log_patience = 1ms;
  ApiFixture fixture(options);
  auto client = fixture.client();
  client.request("GET", "/v1/stacks/shop/logs?follow=1");
  CHECK(client.head().status == 200);
  fixture.on_loop([](auto& services) {
    services.lines = {line("db", 1, "at last")};
    services.changed.notify();
  });
  CHECK(client.chunk() == "db-1  | at last\n");
  fixture.on_loop([](auto& services) { services.lines.clear(); });
  auto other = fixture.client();
  const auto empty = other.get("/v1/stacks/shop/logs");
  CHECK(empty.status == 200);
  CHECK(empty.body.empty());
}

TEST_CASE("A reader that stops reading holds a log back", "[api]") {
  ApiFixture fixture;
  constexpr std::size_t lines = 20000;
  fixture.on_loop([](auto& services) { services.lines.assign(lines, line("db", 1, std::string(200, 'x'))); });
  auto client = fixture.client();
  client.request("GET", "/v1/stacks/shop/logs");
  client.head();
  CHECK(fixture.client().get("/v1/ping").status == 200);
  CHECK(fixture.on_loop([](auto& services) { return services.streaming; }) ==
        1);  // 4 MB do not fit into the buffers
  std::size_t total = 0;
  for (auto piece = client.chunk(); !piece.empty(); piece = client.chunk()) total += piece.size();
  CHECK(total == lines * (std::string("db-1  | ").size() + 201));
}

TEST_CASE("A hook's log is text from the byte that was asked for, and says where that is", "[api]") {
  ApiFixture fixture;
  fixture.on_loop([](auto& services) {
    proto::HookRun run;
    run.id = "run-1";
    run.state = "succeeded";
    services.hooks.push_back(run);
    services.log = {"one\n", "two without end"};
  });
  auto client = fixture.client();
  const auto whole = client.get("/v1/hooks/run-1/log");
  CHECK(whole.body == "one\ntwo without end");
  CHECK(whole.header("stackd-log-place") == "0");
  CHECK(client.get("/v1/hooks/run-1/log?follow=1").body == "one\ntwo without end");
  const auto rest = client.get("/v1/hooks/run-1/log?from=6");
  CHECK(rest.body == "o without end");
  CHECK(rest.header("stackd-log-place") == "6");
  const auto nothing = client.get("/v1/hooks/run-1/log?from=1000");
  CHECK(nothing.body.empty());
  CHECK(nothing.header("stackd-log-place") == "1000");
}

TEST_CASE("A hook's log is followed until the run ends, and nothing of it is missed", "[api]") {
  ApiFixture fixture;
  fixture.on_loop([](auto& services) {
    proto::HookRun run;
    run.id = "run-1";
    run.state = "running";
    services.hooks.push_back(run);
    services.log = {"one\n"};
  });
  auto client = fixture.client();
  client.request("GET", "/v1/hooks/run-1/log?follow=1");
  CHECK(client.head().status == 200);
  CHECK(client.chunks_until("one\n") == "one\n");
  const auto say = [&](std::string text, const char* state) {
    fixture.on_loop([&](auto& services) {
      services.log.push_back(std::move(text));
      services.hooks.front().state = state;
      services.changed.notify();
    });
  };
  say("two\n", "running");
  CHECK(client.chunks_until("two\n") == "two\n");
  say("three\nfour without end", "succeeded");
  std::string rest;
  for (auto piece = client.chunk(); !piece.empty(); piece = client.chunk()) rest += piece;
  CHECK(rest == "three\nfour without end");
  fixture.until([](const auto& services) { return services.streaming == 0; });
}

TEST_CASE("Stopping the server ends every listener", "[api]") {
  ApiFixture fixture;
  bring_up(fixture);
  auto client = fixture.client();
  listen(client, "/v1/operations/op-1/events");
  next_event(client);
  fixture.loop.run<void>([&]() -> awaitable<void> { co_await fixture.server->stop(1h); });
  CHECK(client.closed());
  CHECK(fixture.on_loop([](auto& services) { return services.streaming; }) == 0);
}
