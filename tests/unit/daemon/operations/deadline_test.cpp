// Operations that may take only so long (Policy::deadline).
#include "tests/support/catch.hpp"
#include "tests/support/wall_clock.hpp"
#include "tests/unit/daemon/operations/bench.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

// "after" milliseconds from its creation, with an `undo` step as the roll-back.
operations::Policy limited(std::int64_t after) {
  operations::Policy policy;
  policy.deadline = [after](const store::OperationRow& row) { return row.created_at + after; };
  policy.plan_rollback = [](store::Database&, const store::OperationRow&,
                            const std::vector<store::StepRow>&) {
    return std::vector<StepPlan>{work("undo")};
  };
  return policy;
}

// As a daemon that was killed left it: `busy`, which may not be interrupted, is at it, `next` comes after it.
void leave_busy(const std::filesystem::path& file, const std::string& error) {
  store::Database db(file);
  store::Stacks::put(db, {.id = "s-1", .name = "s"});
  store::Operations::insert(db, {.id = "op", .stack_id = "s-1", .kind = "up", .error = error});
  store::Steps::insert(
      db, {.operation_id = "op", .ordinal = 0, .key = "busy", .kind = "work", .state = "running"});
  store::Steps::insert(
      db, {.operation_id = "op", .ordinal = 1, .key = "next", .kind = "work", .needs = "[\"busy\"]"});
  store::Steps::insert(db, {.operation_id = "op", .ordinal = 2, .key = "free", .kind = "work"});
}

std::string message_of(const store::OperationRow& row) {
  return nlohmann::json::parse(row.error).value("code", "") + " " +
         nlohmann::json::parse(row.error).value("message", "");
}

}  // namespace

TEST_CASE("an operation that is out of time fails, says what it waited for, and is rolled back",
          "[operations]") {
  TempDir dir;
  with_bench(dir.path() / "state.db", limited(60), [&](Bench& b) -> awaitable<void> {
    Gate never(b.executor);
    b.on("ready", passing(never));
    const auto row =
        co_await b.finish("op", steps(work("begin"), waiting("ready", "begin"), work("end", "ready")));
    CHECK(row.state == "failed");
    CHECK(message_of(row) == "timed-out the up is out of time; it still waited for: ready");
    CHECK_AWAITED(b.states("op"), == lines("begin done", "ready cancelled: the operation failed",
                                           "end skipped: needs ready, which failed", "undo done"));
  });
}

TEST_CASE("an operation that ends in time knows nothing of its limit", "[operations]") {
  TempDir dir;
  with_bench(dir.path() / "state.db", limited(60'000), [&](Bench& b) -> awaitable<void> {
    const auto row = co_await b.finish("op", steps(work("begin"), work("end", "begin")));
    CHECK(row.state == "succeeded");
  });
}

TEST_CASE("a wall clock that is changed neither ends an operation nor gives it time", "[operations]") {
  TempDir dir;
  const auto hour = GENERATE(3600, -3600);
  INFO(hour);
  WallClock clock;
  with_bench(dir.path() / "state.db", limited(60'000), [&](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    b.on("ready", passing(gate));
    co_await b.submit("op", steps(waiting("ready"), work("end", "ready")));
    co_await gate.arrivals(1);
    clock.set_forward(std::chrono::seconds(hour));
    gate.open();
    const auto row = co_await b.runner.wait("op");
    CHECK(row.state == "succeeded");
  });
  with_bench(dir.path() / "other.db", limited(300), [&](Bench& b) -> awaitable<void> {
    Gate never(b.executor);
    b.on("ready", passing(never));
    co_await b.submit("op", steps(waiting("ready")));
    co_await never.arrivals(1);
    clock.set_forward(std::chrono::seconds(-hour));
    const auto row = co_await b.runner.wait("op");
    CHECK(message_of(row).find("timed-out") == 0);
  });
}

TEST_CASE("the next daemon keeps the limit of an operation, also one that has passed meanwhile",
          "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  with_bench(file, {}, [&](Bench& b) -> awaitable<void> {
    Gate never(b.executor);
    b.on("ready", passing(never));
    co_await b.submit("op", steps(waiting("ready")));
    co_await never.arrivals(1);
  });
  with_bench(file, limited(0), [&](Bench& b) -> awaitable<void> {
    Gate never(b.executor);
    b.on("ready", passing(never));
    co_await b.runner.recover();
    const auto row = co_await b.runner.wait("op");
    CHECK(row.state == "failed");
    CHECK(message_of(row).find("timed-out the up is out of time") == 0);
  });
}

TEST_CASE("a cancelled operation is cancelled, though its limit passes while it is taken back",
          "[operations]") {
  TempDir dir;
  with_bench(dir.path() / "state.db", limited(80), [&](Bench& b) -> awaitable<void> {
    Gate never(b.executor);
    b.on("ready", passing(never));
    b.on("undo", [&](StepContext) -> awaitable<Outcome> {
      co_await async::sleep_for(std::chrono::milliseconds(120));
      co_return Outcome{};
    });
    co_await b.submit("op", steps(waiting("ready")));
    co_await never.arrivals(1);
    co_await b.runner.cancel("op");
    const auto row = co_await b.runner.wait("op");
    CHECK(row.state == "cancelled");
    CHECK(row.warnings == "[]");
  });
}

TEST_CASE("nothing begins in an operation whose limit passed before the daemon was restarted",
          "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  leave_busy(file,
             R"({"code":"timed-out","details":[],"message":"the up is out of time","out_of_time":true})");
  // Its clock was set back, and says that there is time.
  with_bench(file, limited(100LL * 365 * 24 * 3600 * 1000), [&](Bench& b) -> awaitable<void> {
    co_await b.runner.recover();
    const auto row = co_await b.runner.wait("op");
    CHECK(row.state == "failed");
    CHECK(message_of(row) == "timed-out the up is out of time");
    CHECK(b.log == lines("again busy", "undo"));
  });
}

TEST_CASE("nothing begins in an operation whose limit passed while no daemon ran", "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  leave_busy(file, "");
  with_bench(file, limited(1), [&](Bench& b) -> awaitable<void> {
    co_await b.runner.recover();
    CHECK_AWAITED(b.runner.wait("op"), .state == "failed");
    CHECK(b.log == lines("again busy", "undo"));
  });
}

TEST_CASE("a step that ends when the limit has passed is the last, though nobody has looked at the clock yet",
          "[operations]") {
  TempDir dir;
  bool late = false;
  auto policy = limited(0);
  policy.deadline = [&late](const store::OperationRow& row) { return row.created_at + (late ? -1 : 60'000); };
  with_bench(dir.path() / "state.db", policy, [&](Bench& b) -> awaitable<void> {
    b.on("first", [&late](StepContext) -> awaitable<Outcome> {
      late = true;
      co_return Outcome{};
    });
    CHECK_AWAITED(b.finish("op", steps(work("first"), work("second", "first"))), .state == "failed");
    CHECK(b.log == lines("first", "undo"));
  });
}

TEST_CASE("an operation whose last step ends as its limit passes has come to its end", "[operations]") {
  TempDir dir;
  bool late = false;
  auto policy = limited(0);
  policy.deadline = [&late](const store::OperationRow& row) { return row.created_at + (late ? -1 : 60'000); };
  with_bench(dir.path() / "state.db", policy, [&](Bench& b) -> awaitable<void> {
    b.on("only", [&late](StepContext) -> awaitable<Outcome> {
      late = true;
      co_return Outcome{};
    });
    CHECK_AWAITED(b.finish("op", steps(work("only"))), .state == "succeeded");
  });
}

TEST_CASE(
    "a limit that passes behind a failure that stops nothing stops the operation, also for the next daemon",
    "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  bool late = false;
  auto policy = limited(0);
  policy.stop_on_failure = [](const store::OperationRow&) { return false; };
  policy.deadline = [&late](const store::OperationRow& row) {
    return late ? row.created_at - 1 : util::now_ms() + 2;
  };
  with_bench(
      file, policy,
      [&](Bench& b) -> awaitable<void> {
        auto never = std::make_shared<Gate>(b.executor);
        b.on("bad", failing("no"));
        // It holds the roll-back up until the daemon is gone.
        b.on("busy", [never](StepContext) -> awaitable<Outcome> {
          co_await never->pass();
          co_return Outcome{};
        });
        co_await b.submit("op", steps(work("bad"), work("busy"), work("next", "busy")));
        late = true;
        auto error = [](store::Database& db) { return store::Operations::get(db, "op")->error; };
        for (std::string text; text.find("out_of_time") == std::string::npos;)
          text = co_await b.journal.run(error);
      },
      std::chrono::milliseconds(0));
  late = false;
  with_bench(file, policy, [&](Bench& b) -> awaitable<void> {
    co_await b.runner.recover();
    const auto row = co_await b.runner.wait("op");
    CHECK(row.state == "failed");
    CHECK(message_of(row) == "failed no");
    CHECK(b.log == lines("again busy", "undo"));
    // What only daemons have to know is not told.
    auto look = [](store::Database& db) { return store::Events::after(db, 0, "", "op", 1000).back().data; };
    const auto told = co_await b.journal.run(look);
    CHECK(told.find("out_of_time") == std::string::npos);
  });
}
