// Stopping the runner and taking up its operations with another one, on the same file.
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/operations/bench.hpp"

using namespace stackd;
using namespace stackd::test;
using util::Error;
using util::ErrorKind;

namespace {

store::OperationRow row_in(const std::filesystem::path& file, const std::string& id) {
  store::Database db(file);
  return store::Operations::get(db, id).value();
}

// An operation as a daemon that was killed left it.
void leave_behind(const std::filesystem::path& file, store::OperationRow row,
                  std::vector<store::StepRow> steps) {
  store::Database db(file);
  if (row.stack_id.empty()) row.stack_id = "s-1";
  if (!store::Stacks::get(db, row.stack_id)) store::Stacks::put(db, {.id = row.stack_id, .name = "s"});
  row.kind = "up";
  store::Operations::insert(db, row);
  for (auto& step : steps) {
    step.operation_id = row.id;
    if (step.kind.empty()) step.kind = "work";
    store::Steps::insert(db, step);
  }
}

operations::Policy undoing() {
  operations::Policy policy;
  policy.plan_rollback = [](store::Database&, const store::OperationRow&,
                            const std::vector<store::StepRow>&) {
    return std::vector<StepPlan>{work("undo")};
  };
  return policy;
}

}  // namespace

TEST_CASE(
    "a daemon that stops lets go of what waits, finishes what may not be interrupted and begins nothing; the "
    "next "
    "goes on",
    "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  std::string waited;
  with_bench(file, {}, [&](Bench& b) -> awaitable<void> {
    Gate never(b.executor), busy(b.executor);
    b.on("ready", passing(never));
    b.on("busy", passing(busy));
    co_await b.submit(
        "op", steps(waiting("ready"), work("busy"), work("next", "busy"), work("last", "next", "ready")));
    co_await busy.arrivals(1);
    async::TaskGroup group(b.executor);
    group.spawn("waiter", [&]() -> awaitable<void> {
      try {
        co_await b.runner.wait("op");
      } catch (const Error& error) {
        waited = error.what();
      }
    });
    group.spawn("stop", [&]() -> awaitable<void> { co_await b.runner.stop(); });
    // The stop has let go of `ready` before `busy` ends.
    group.spawn("open", [&]() -> awaitable<void> {
      busy.open();
      co_return;
    });
    co_await group.join();
    CHECK_AWAITED(b.states("op"), == lines("ready running", "busy done", "next pending", "last pending"));
    bool refused = false;
    try {
      co_await b.submit("op2", steps(work("a")));
    } catch (const Error&) {
      refused = true;
    }
    CHECK(refused);
  });
  CHECK(waited == "cannot wait for operation op: the daemon is stopping");
  CHECK(row_in(file, "op").state == "running");

  with_bench(file, {}, [](Bench& b) -> awaitable<void> {
    co_await b.runner.recover();
    CHECK(b.runner.active("s-1")->id == "op");
    CHECK_AWAITED(b.runner.wait("op"), .state == "succeeded");
    CHECK(b.log == lines("again ready", "next", "last"));
    CHECK_AWAITED(b.states("op"), == lines("ready done", "busy done", "next done", "last done"));
  });
}

TEST_CASE("a step that takes too long to end is let go when the daemon's patience is over", "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  with_bench(
      file, {},
      [](Bench& b) -> awaitable<void> {
        auto never = std::make_shared<Gate>(b.executor);
        b.on("busy", [never](StepContext) -> awaitable<Outcome> {
          co_await never->pass();
          co_return Outcome{};
        });
        co_await b.submit("op", steps(work("busy")));
        co_await never->arrivals(1);
      },
      std::chrono::milliseconds(20));
  store::Database db(file);
  CHECK(store::Steps::of_operation(db, "op").at(0).state == "running");
}

TEST_CASE("an error while the daemon stops is no failure: the step is run again", "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  with_bench(file, {}, [](Bench& b) -> awaitable<void> {
    auto gate = std::make_shared<Gate>(b.executor);
    b.on("busy", [gate](StepContext) -> awaitable<Outcome> {
      co_await gate->pass();
      throw Error(ErrorKind::no_engine, "the engine does not answer");
    });
    co_await b.submit("op", steps(work("busy")));
    co_await gate->arrivals(1);
    async::TaskGroup group(b.executor);
    group.spawn("stop", [&b]() -> awaitable<void> { co_await b.runner.stop(); });
    group.spawn("open", [gate]() -> awaitable<void> {
      gate->open();
      co_return;
    });
    co_await group.join();
  });
  with_bench(file, {}, [](Bench& b) -> awaitable<void> {
    co_await b.runner.recover();
    CHECK_AWAITED(b.runner.wait("op"), .state == "succeeded");
    CHECK(b.log == lines("again busy"));
  });
}

TEST_CASE("an operation whose writes are refused is left to the next daemon as it was last written",
          "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  with_bench(file, {}, [](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    async::Signal refused(b.executor);
    b.on("a", passing(gate));
    co_await b.submit("op", steps(work("a"), work("b", "a")));
    co_await gate.arrivals(1);
    int count = 0;
    auto refuse = [&count](store::Database& db) {
      db.on_commit([&count](store::Database::CommitPoint, std::uint64_t) {
        ++count;
        throw Error(ErrorKind::io, "cannot write: database or disk is full");
      });
    };
    co_await b.journal.run(refuse);
    gate.open();
    auto look = [&count](store::Database&) { return count; };
    while (co_await b.journal.run(look) == 0) {
    }
    co_await b.runner.stop();
    auto accept = [](store::Database& db) { db.on_commit(nullptr); };
    co_await b.journal.run(accept);
    CHECK_AWAITED(b.states("op"), == lines("a running", "b pending"));
  });
  with_bench(file, {}, [](Bench& b) -> awaitable<void> {
    co_await b.runner.recover();
    CHECK_AWAITED(b.runner.wait("op"), .state == "succeeded");
    CHECK(b.log == lines("again a", "b"));
  });
}

TEST_CASE("operations are taken up in their order, each after the one that it waits for", "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  leave_behind(file, {.id = "op1"}, {{.key = "one", .state = "running"}});
  leave_behind(file, {.id = "op2", .after = "op1"}, {{.key = "two"}});
  leave_behind(file, {.id = "op3", .stack_id = "s-2", .after = "gone"}, {{.key = "three"}});
  leave_behind(file, {.id = "op4", .state = "succeeded"}, {{.key = "four", .state = "done"}});
  with_bench(file, {}, [](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    b.on("one", passing(gate));
    co_await b.runner.recover();
    CHECK_AWAITED(b.runner.wait("op3"), .state == "succeeded");
    CHECK(b.log == lines("again one", "three"));
    gate.open();
    CHECK_AWAITED(b.runner.wait("op2"), .state == "succeeded");
    CHECK(b.log == lines("again one", "three", "two"));
    const auto events = co_await b.events("op2");
    CHECK(events.front() == "operation.started");
    CHECK_AWAITED(b.events("op1"), .front() == "step.ended one done");  // it had begun: no second start
  });
}

TEST_CASE("results of steps that ended before the restart are still there", "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  leave_behind(
      file, {.id = "op"},
      {{.ordinal = 0, .key = "create", .state = "done", .result = "{\"id\":\"c1\"}"},
       {.ordinal = 1, .key = "start", .params = "{\"p\":1}", .needs = "[\"create\"]", .state = "running"}});
  with_bench(file, {}, [](Bench& b) -> awaitable<void> {
    std::string id;
    int p = 0;
    b.on("start", [&](StepContext context) -> awaitable<Outcome> {
      CHECK(context.resumed);
      id = context.result_of("create").value("id", "");
      p = context.params.value("p", 0);
      co_return Outcome{};
    });
    co_await b.runner.recover();
    CHECK_AWAITED(b.runner.wait("op"), .state == "succeeded");
    CHECK(id == "c1");
    CHECK(p == 1);
  });
}

TEST_CASE(
    "E5: after a restart a cancelled operation lets nothing of its own be in flight before it is taken back",
    "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  leave_behind(file,
               {.id = "op",
                .cancel_requested = true,
                .error = R"({"code":"cancelled","details":[],"message":"cancelled"})"},
               {{.ordinal = 0, .key = "busy", .state = "running"},
                {.ordinal = 1, .key = "ready", .kind = "wait", .state = "running"},
                {.ordinal = 2, .key = "later", .needs = "[\"busy\"]"}});
  with_bench(file, undoing(), [](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    b.on("busy", passing(gate));
    co_await b.runner.recover();
    co_await gate.arrivals(1);
    CHECK(b.runner.active("s-1")->mode == "forward");
    gate.open();
    CHECK_AWAITED(b.runner.wait("op"), .state == "cancelled");
    CHECK(b.log == lines("again busy", "undo"));
    CHECK_AWAITED(b.states("op"), == lines("busy done", "ready cancelled: cancelled",
                                           "later cancelled: cancelled", "undo done"));
  });
}

TEST_CASE("E5: the same when it had failed, and with the first error kept", "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  leave_behind(file, {.id = "op", .error = R"({"code":"failed","details":[],"message":"first"})"},
               {{.ordinal = 0, .key = "bad", .state = "failed", .reason = "first"},
                {.ordinal = 1, .key = "busy", .state = "running"},
                {.ordinal = 2, .key = "ready", .kind = "wait", .state = "running"}});
  with_bench(file, undoing(), [](Bench& b) -> awaitable<void> {
    b.on("busy", failing("second"));
    co_await b.runner.recover();
    const auto ended = co_await b.runner.wait("op");
    CHECK(ended.state == "failed");
    CHECK(ended.error == R"({"code":"failed","details":[],"message":"first"})");
    CHECK(b.log == lines("again busy", "undo"));
  });
}

TEST_CASE("a roll-back that was interrupted goes on, its waiting steps too", "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  leave_behind(
      file, {.id = "op", .mode = "rollback", .error = R"({"code":"failed","details":[],"message":"first"})"},
      {{.ordinal = 0, .key = "made", .state = "done"},
       {.ordinal = 1, .key = "bad", .needs = "[\"made\"]", .state = "failed"},
       {.ordinal = 2, .key = "never", .needs = "[\"bad\"]", .state = "skipped"},
       {.ordinal = 3, .key = "hook", .kind = "wait", .on_error = "go_on", .state = "running"},
       {.ordinal = 4, .key = "undo", .needs = "[\"hook\",\"never\"]", .on_error = "go_on"}});
  with_bench(file, undoing(), [](Bench& b) -> awaitable<void> {
    co_await b.runner.recover();
    CHECK_AWAITED(b.runner.wait("op"), .state == "failed");
    CHECK(b.log == lines("again hook", "undo"));
    const auto events = co_await b.events("op");
    CHECK(events.front() == "step.ended hook done");  // no second operation.rolling_back
  });
}

TEST_CASE("what was skipped because of a failure stays so after a restart, and so does what comes after it",
          "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  leave_behind(file, {.id = "op", .error = R"({"code":"failed","details":[],"message":"no"})"},
               {{.ordinal = 0, .key = "z", .needs = "[\"far\",\"busy\"]"},
                {.ordinal = 1, .key = "far", .needs = "[\"near\"]", .state = "skipped"},
                {.ordinal = 2, .key = "near", .needs = "[\"bad\"]", .state = "skipped"},
                {.ordinal = 3, .key = "bad", .state = "failed"},
                {.ordinal = 4, .key = "busy", .state = "running"},
                {.ordinal = 5, .key = "free", .needs = "[\"busy\",\"chosen\"]"},
                {.ordinal = 6, .key = "chosen", .state = "skipped"}});
  operations::Policy policy;
  policy.stop_on_failure = [](const store::OperationRow&) { return false; };
  with_bench(file, policy, [](Bench& b) -> awaitable<void> {
    co_await b.runner.recover();
    CHECK_AWAITED(b.runner.wait("op"), .state == "failed");
    CHECK(b.log == lines("again busy", "free"));
    CHECK_AWAITED(b.states("op"), .front() == "z skipped: needs bad, which failed");
  });
}

TEST_CASE("an operation that was cancelled before it began ends cancelled after a restart", "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  leave_behind(file, {.id = "op", .cancel_requested = true}, {{.key = "a"}});
  with_bench(file, undoing(), [](Bench& b) -> awaitable<void> {
    co_await b.runner.recover();
    CHECK_AWAITED(b.runner.wait("op"), .state == "cancelled");
    CHECK(b.log.empty());
  });
}

TEST_CASE("a step that was running and ends at once is counted once by those that come after it",
          "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  leave_behind(file, {.id = "op"},
               {{.ordinal = 0, .key = "done", .state = "done"},
                {.ordinal = 1, .key = "quick", .needs = "[\"done\"]", .state = "running"},
                {.ordinal = 2, .key = "slow", .state = "running"},
                {.ordinal = 3, .key = "both", .needs = "[\"quick\",\"slow\"]"}});
  with_bench(file, {}, [](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    b.on("slow", passing(gate));
    co_await b.runner.recover();
    while (true) {
      const auto states = co_await b.states("op");
      if (states[1] == "quick done") break;
    }
    CHECK_AWAITED(b.states("op"), == lines("done done", "quick done", "slow running", "both pending"));
    gate.open();
    CHECK_AWAITED(b.runner.wait("op"), .state == "succeeded");
    CHECK(b.log == lines("again quick", "again slow", "both"));
  });
}

TEST_CASE("of several failed steps that a step comes after the first in its list is named, by every daemon",
          "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  leave_behind(file, {.id = "op", .error = R"({"code":"failed","details":[],"message":"no"})"},
               {{.ordinal = 0, .key = "one", .state = "failed"},
                {.ordinal = 1, .key = "two", .state = "failed"},
                {.ordinal = 2, .key = "busy", .state = "running"},
                {.ordinal = 3, .key = "last", .needs = "[\"busy\",\"one\",\"two\"]"},
                {.ordinal = 4, .key = "more", .needs = "[\"busy\",\"two\",\"one\"]"}});
  operations::Policy policy;
  policy.stop_on_failure = [](const store::OperationRow&) { return false; };
  with_bench(file, policy, [](Bench& b) -> awaitable<void> {
    co_await b.runner.recover();
    co_await b.runner.wait("op");
    const auto states = co_await b.states("op");
    CHECK(states[3] == "last skipped: needs one, which failed");
    CHECK(states[4] == "more skipped: needs two, which failed");
  });
}
