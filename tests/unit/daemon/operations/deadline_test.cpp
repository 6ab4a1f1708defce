// Operations that may take only so long (Policy::deadline).
#include "tests/support/catch.hpp"
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
