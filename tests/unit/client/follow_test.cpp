#include "client/follow.hpp"

#include <signal.h>

#include "client/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/client/fake_daemon.hpp"

using namespace stackd;
using namespace stackd::client;
using namespace std::chrono_literals;
using stackd::test::Asked;
using stackd::test::FakeDaemon;

namespace {

struct Recorded : Progress {
  std::vector<std::string> kinds, notes;
  std::function<void(const proto::Event&)> on_event;
  void event(const proto::Event& event, const std::string&) override {
    kinds.push_back(event.kind);
    if (on_event) on_event(event);
  }
  void note(const std::string& text) override { notes.push_back(text); }
};

nlohmann::json document(const std::string& state) {
  return {{"id", "op1"}, {"stack", "demo-1"}, {"kind", "up"}, {"state", state}};
}

bool is_stream(const Asked& asked) {
  return asked.target == "/v1/operations/op1/events";
}

std::string socket_in(const stackd::test::TempDir& directory) {
  return (directory.path() / "s").string();
}

}  // namespace

TEST_CASE("an operation is followed from its first event to its end", "[client]") {
  stackd::test::TempDir directory;
  FakeDaemon daemon(socket_in(directory), [](const Asked& asked, FakeDaemon::Reply& reply) {
    if (!is_stream(asked)) return reply.json(document("succeeded"));
    reply.begin_stream("text/event-stream");
    reply.part(": hello\n\n");
    reply.event(1, "op1", "operation.started", {{"kind", "up"}});
    reply.event(0, "op1", "progress", {{"service", "db"}, {"text", "x"}});
    reply.event(2, "op1", "operation.ended", {{"state", "succeeded"}});
    reply.end_stream();
  });
  Api api({.socket = daemon.socket()});
  Recorded progress;
  Followed followed = follow(api, "op1", progress, {});
  CHECK(progress.kinds == std::vector<std::string>{"operation.started", "progress", "operation.ended"});
  CHECK(progress.notes.empty());
  CHECK(followed.operation.state == "succeeded");
  CHECK_FALSE(followed.left);
  CHECK(daemon.asked()[0].last_event_id == "0");
}

TEST_CASE("a lost daemon is found again, and nothing is told twice or left out", "[client]") {
  stackd::test::TempDir directory;
  std::atomic<int> streams = 0;
  FakeDaemon daemon(socket_in(directory), [&](const Asked& asked, FakeDaemon::Reply& reply) {
    if (!is_stream(asked)) return reply.json(document(streams < 3 ? "running" : "succeeded"));
    reply.begin_stream("text/event-stream");
    switch (++streams) {
      case 1:
        reply.event(4, "op1", "step.started", {});
        reply.event(5, "op1", "step.ended", {});
        return reply.cut();
      case 2:
        return reply.end_stream();  // a daemon that stops in order
      default:
        reply.event(5, "op1", "step.ended", {});  // more than was asked for
        reply.event(6, "op1", "operation.ended", {{"state", "succeeded"}});
        reply.end_stream();
    }
  });
  Api api({.socket = daemon.socket()});
  Recorded progress;
  Followed followed = follow(api, "op1", progress, {});
  CHECK(progress.kinds == std::vector<std::string>{"step.started", "step.ended", "operation.ended"});
  CHECK(progress.notes == std::vector<std::string>{"lost the daemon; waiting for it to come back"});
  std::vector<std::string> ids;
  for (const auto& asked : daemon.asked())
    if (is_stream(asked)) ids.push_back(asked.last_event_id);
  CHECK(ids == std::vector<std::string>{"0", "5", "5"});
  CHECK(followed.operation.state == "succeeded");
}

TEST_CASE("a daemon whose socket is gone for a while is waited for", "[client]") {
  stackd::test::TempDir directory;
  std::atomic<bool> second = false;
  FakeDaemon daemon(socket_in(directory), [&](const Asked& asked, FakeDaemon::Reply& reply) {
    if (!is_stream(asked)) return reply.json(document(second ? "succeeded" : "running"));
    reply.begin_stream("text/event-stream");
    if (second) return reply.event(2, "op1", "operation.ended", {{"state", "succeeded"}});
    reply.event(1, "op1", "operation.started", {{"kind", "up"}});
  });
  Recorded progress;
  std::thread restarter([&] {
    daemon.wait_for("/events");
    daemon.stop();
    second = true;
    std::this_thread::sleep_for(100ms);  // the time it is away for: the client must be seen to wait
    daemon.start();
  });
  Api api({.socket = daemon.socket()});
  Followed followed = follow(api, "op1", progress, {});
  restarter.join();
  CHECK(followed.operation.state == "succeeded");
  CHECK(progress.notes.size() == 1);
}

TEST_CASE("a daemon that stays away is given up, with exit code 3", "[client]") {
  stackd::test::TempDir directory;
  Api api({.socket = socket_in(directory)});
  Recorded progress;
  try {
    follow(api, "op1", progress, {.reconnect_for = 100ms});
    FAIL("nobody was there");
  } catch (const ClientError& error) {
    CHECK(error.exit_code() == proto::k_no_daemon);
  }
}

TEST_CASE("an operation that ended before anybody looked is over, though its events are no longer kept",
          "[client]") {
  stackd::test::TempDir directory;
  FakeDaemon daemon(socket_in(directory), [](const Asked& asked, FakeDaemon::Reply& reply) {
    if (!is_stream(asked)) return reply.json(document("failed"));
    reply.begin_stream("text/event-stream");
    reply.end_stream();
  });
  Api api({.socket = daemon.socket()});
  Recorded progress;
  CHECK(follow(api, "op1", progress, {}).operation.state == "failed");
  CHECK(progress.notes.empty());
}

TEST_CASE("an operation that nobody knows is not waited for", "[client]") {
  stackd::test::TempDir directory;
  FakeDaemon daemon(socket_in(directory), [](const Asked&, FakeDaemon::Reply& reply) {
    reply.problem(404, "not-found", "no operation op1");
  });
  Api api({.socket = daemon.socket()});
  Recorded progress;
  try {
    follow(api, "op1", progress, {});
    FAIL("it was followed");
  } catch (const ApiError& error) {
    CHECK(error.exit_code() == proto::k_not_found);
  }
}

TEST_CASE("the first Ctrl-C during up cancels once and follows on to the end", "[client]") {
  stackd::test::TempDir directory;
  FakeDaemon* self = nullptr;
  FakeDaemon daemon(socket_in(directory), [&](const Asked& asked, FakeDaemon::Reply& reply) {
    if (asked.method == "POST") return reply.json(document("running"));
    if (!is_stream(asked)) return reply.json(document("cancelled"));
    reply.begin_stream("text/event-stream");
    reply.event(1, "op1", "operation.started", {{"kind", "up"}});
    self->wait_for("/cancel");
    reply.event(2, "op1", "operation.rolling_back", {{"reason", "cancelled"}});
    reply.event(3, "op1", "operation.ended", {{"state", "cancelled"}});
  });
  self = &daemon;
  Api api({.socket = daemon.socket()});
  Recorded progress;
  progress.on_event = [](const proto::Event& event) {
    if (event.kind == "operation.started") ::raise(SIGINT);
  };
  Followed followed = follow(api, "op1", progress, {.interrupt_cancels = true});
  CHECK(followed.cancelled);
  CHECK_FALSE(followed.left);
  CHECK(followed.operation.state == "cancelled");
  CHECK(progress.kinds.back() == "operation.ended");
  int cancels = 0;
  for (const auto& asked : daemon.asked()) cancels += asked.target == "/v1/operations/op1/cancel";
  CHECK(cancels == 1);
}

TEST_CASE("a second Ctrl-C leaves, and Ctrl-C leaves other commands at once", "[client]") {
  for (bool cancels : {true, false}) {
    stackd::test::TempDir directory;
    FakeDaemon daemon(socket_in(directory), [](const Asked& asked, FakeDaemon::Reply& reply) {
      if (!is_stream(asked)) return reply.json(document("running"));
      reply.begin_stream("text/event-stream");
      reply.event(1, "op1", "operation.started", {{"kind", "up"}});  // and no end
    });
    Api api({.socket = daemon.socket()});
    Recorded progress;
    progress.on_event = [&](const proto::Event&) {
      ::raise(SIGINT);
      if (cancels) ::raise(SIGINT);
    };
    Followed followed = follow(api, "op1", progress, {.interrupt_cancels = cancels});
    CHECK(followed.left);
    CHECK(followed.cancelled == cancels);
    CHECK(followed.operation.state == "running");
  }
}
