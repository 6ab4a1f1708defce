#include "daemon/operations/runner.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/operations/bench.hpp"

using namespace stackd;
using namespace stackd::test;
using util::Error;
using util::ErrorKind;

TEST_CASE("an operation begins when the one that it comes after has ended", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    b.on("first", passing(gate));
    co_await b.submit("op1", steps(work("first")));
    co_await b.submit("op2", steps(work("second")), "op1");
    co_await b.submit("op3", steps(work("third")), "op2");
    CHECK(b.runner.active("s-1")->id == "op3");
    co_await gate.arrivals(1);
    CHECK_AWAITED(b.events("op2"), .empty());
    gate.open();
    CHECK_AWAITED(b.runner.wait("op3"), .state == "succeeded");
    CHECK(b.log == lines("first", "second", "third"));
    CHECK_FALSE(b.runner.active("s-1"));
    co_await b.submit("op4", steps(work("fourth")), "op1");  // ended already
    CHECK_AWAITED(b.runner.wait("op4"), .state == "succeeded");
  });
}

TEST_CASE("an operation that still waits for another is cancelled at once, and changes nothing",
          "[operations]") {
  TempDir dir;
  operations::Policy policy;
  std::vector<std::string> changed;
  policy.on_change = [&](store::Database&, const store::OperationRow& row) {
    changed.push_back(row.id + " " + row.state);
  };
  with_bench(dir.path() / "state.db", policy, [&](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    b.on("first", passing(gate));
    co_await b.submit("op1", steps(work("first")));
    co_await b.submit("op2", steps(work("second")), "op1");
    CHECK_AWAITED(b.runner.cancel("op2"), == true);
    const auto ended = co_await b.runner.wait("op2");
    CHECK(ended.state == "cancelled");
    CHECK(ended.mode == "forward");
    CHECK_AWAITED(b.states("op2"), == lines("second cancelled: cancelled"));
    gate.open();
    co_await b.runner.wait("op1");
    CHECK(b.log == lines("first"));
    CHECK(changed == lines("op1 running", "op1 succeeded"));
  });
}

TEST_CASE("what the caller writes with the operation is there or neither is", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    store::OperationRow row{.id = "op", .stack_id = "new-1", .kind = "up"};
    auto extra = [](store::Database& db) { store::Stacks::put(db, {.id = "new-1", .name = "new"}); };
    auto bad = [](store::Database& db) {
      store::Stacks::put(db, {.id = "new-1", .name = "new"});
      throw Error(ErrorKind::conflict, "cannot reserve port 80");
    };
    operations::Submission refused{row, steps(work("a")), bad}, taken{row, steps(work("a")), extra};
    const auto error = co_await error_of(b.runner.submit(std::move(refused)));
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::conflict);
    auto look = [](store::Database& db) { return store::Stacks::get(db, "new-1").has_value(); };
    CHECK_AWAITED(b.journal.run(look), == false);
    CHECK_FALSE(b.runner.active("new-1"));
    CHECK_AWAITED(error_of(b.runner.wait("op")), ->kind() == ErrorKind::not_found);
    co_await b.runner.submit(std::move(taken));
    CHECK_AWAITED(b.runner.wait("op"), .state == "succeeded");
    CHECK_AWAITED(b.journal.run(look), == true);
  });
}

TEST_CASE("a submitted operation is active before it is written, so that no second one slips in",
          "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    async::TaskGroup group(b.executor);
    group.spawn("submit", [&b]() -> awaitable<void> { co_await b.submit("op", steps(work("a"))); });
    bool seen = false;
    group.spawn("look", [&]() -> awaitable<void> {
      seen = b.runner.active("s-1").has_value();
      co_return;
    });
    co_await group.join();
    CHECK(seen);
    co_await b.runner.wait("op");
  });
}

TEST_CASE("waiting for an ended operation gives its row, and a waiter may go away", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    b.on("a", passing(gate));
    co_await b.submit("op", steps(work("a")));
    async::TaskGroup group(b.executor);
    bool went_on = false;
    const auto waiter = group.spawn("waiter", [&]() -> awaitable<void> {
      co_await b.runner.wait("op");
      went_on = true;
    });
    co_await gate.arrivals(1);
    group.cancel(waiter);
    co_await group.join();
    CHECK_FALSE(went_on);
    gate.open();
    co_await b.runner.wait("op");
    CHECK_AWAITED(b.runner.wait("op"), .state == "succeeded");
  });
}
