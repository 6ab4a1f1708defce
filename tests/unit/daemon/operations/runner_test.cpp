#include "daemon/operations/runner.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/operations/bench.hpp"

using namespace stackd;
using namespace stackd::test;
using util::Error;
using util::ErrorKind;

namespace {

int place(const Lines& lines, const std::string& line) {
  return static_cast<int>(std::find(lines.begin(), lines.end(), line) - lines.begin());
}

}  // namespace

TEST_CASE("steps run after what they need, and the operation succeeds with its events in order",
          "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    b.on("create", [](StepContext) -> awaitable<Outcome> { co_return Outcome{.result = {{"id", "c1"}}}; });
    std::string seen;
    b.on("start", [&seen](StepContext context) -> awaitable<Outcome> {
      seen = context.result_of("create").value("id", "") + " " + context.params.value("p", "") + " " +
             context.operation.id + " " + context.request.value("r", "");
      CHECK(context.result_of("nothing").empty());
      CHECK_FALSE(context.resumed);
      co_return Outcome{.reason = "was there"};
    });
    auto start = work("start", "create");
    start.params = {{"p", "x"}};
    const store::OperationRow row{.id = "op", .stack_id = "s-1", .kind = "up", .request = "{\"r\":\"y\"}"};
    operations::Submission submission{row, steps(start, work("create"))};
    co_await b.runner.submit(std::move(submission));
    const auto ended = co_await b.runner.wait("op");
    CHECK(ended.state == "succeeded");
    CHECK(ended.error.empty());
    CHECK(ended.ended_at);
    CHECK(seen == "c1 x op y");
    CHECK_AWAITED(b.states("op"), == lines("start done: was there", "create done"));
    CHECK_AWAITED(b.events("op"), == lines("operation.started", "step.started create",
                                           "step.ended create done", "step.started start",
                                           "step.ended start done was there", "operation.ended succeeded"));
  });
}

TEST_CASE("steps that need nothing of each other all run at the same time", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    std::vector<StepPlan> plan;
    std::vector<std::string> all;
    for (int i = 0; i < 20; ++i) {
      all.push_back("s" + std::to_string(i));
      plan.push_back(work(all.back()));
      b.on(all.back(), passing(gate));
    }
    plan.push_back(work("group", all));
    co_await b.submit("op", plan);
    co_await gate.arrivals(20);
    CHECK(b.log.size() == 20);
    gate.open();
    CHECK_AWAITED(b.runner.wait("op"), .state == "succeeded");
    CHECK(b.log.back() == "group");
  });
}

TEST_CASE("a step's end and what may begin by it are one commit, and what ends together is written together",
          "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    std::uint64_t commits = 0;
    b.journal.direct().on_commit([&](store::Database::CommitPoint, std::uint64_t n) { commits = n; });
    co_await b.finish("chain", steps(work("a"), work("b", "a"), work("c", "b")));
    CHECK(commits == 4);  // submitted and a begun; a ended and b begun; b ended and c begun; c and all ended
    Gate gate(b.executor);
    std::vector<StepPlan> plan;
    for (int i = 0; i < 20; ++i) {
      plan.push_back(work("s" + std::to_string(i)));
      b.on(plan.back().key, passing(gate));
    }
    co_await b.submit("fan", plan);
    CHECK(commits == 5);
    co_await gate.arrivals(20);
    gate.open();
    co_await b.runner.wait("fan");
    CHECK(commits <= 7);
  });
}

TEST_CASE(
    "a failed step ends the operation: what may be interrupted is, the rest is waited for, then all is taken "
    "back",
    "[operations]") {
  TempDir dir;
  operations::Policy policy;
  std::vector<std::string> changes;
  policy.on_change = [&](store::Database& db, const store::OperationRow& row) {
    changes.push_back(row.state + " " + row.mode);
    store::Stacks::set_status(db, row.stack_id, row.state);
  };
  policy.plan_rollback = [](store::Database&, const store::OperationRow& row,
                            const std::vector<store::StepRow>& steps) {
    CHECK(row.mode == "rollback");
    std::vector<StepPlan> plan;
    for (const auto& step : steps)
      if (step.state == "done") plan.push_back(work("undo " + step.key));
    plan.push_back(work("last", "undo made", "broken"));
    return plan;
  };
  with_bench(dir.path() / "state.db", policy, [&](Bench& b) -> awaitable<void> {
    Gate never(b.executor), slow(b.executor);
    b.on("ready", passing(never));
    b.on("slow", passing(slow));
    b.on("broken", failing("no such image"));
    b.on("undo made", failing("cannot remove it"));
    co_await b.submit("op", steps(work("made"), waiting("ready", "made"), work("slow", "made"),
                                  work("broken", "made"), work("never", "broken"), work("later", "slow")));
    co_await slow.arrivals(1);
    // The failure is known and the waiting one let go, but nothing is taken back while `slow` runs.
    for (bool cancelled = false; !cancelled;) {
      const auto states = co_await b.states("op");
      cancelled = states[1] == "ready cancelled: the operation failed";
      if (!cancelled) co_await b.journal.changed().wait();
    }
    CHECK(b.runner.active("s-1")->mode == "forward");
    slow.open();
    const auto ended = co_await b.runner.wait("op");
    CHECK(ended.state == "failed");
    CHECK(ended.error ==
          R"({"cause":{"kind":"work","service":"","step":"broken"},"code":"failed",)"
          R"("details":["a line"],"message":"no such image","roll_back":["cannot remove it"]})");
    CHECK(ended.warnings == R"(["cannot remove it"])");
    CHECK_AWAITED(b.states("op"),
                  == lines("made done", "ready cancelled: the operation failed", "slow done",
                           "broken failed: no such image", "never skipped: needs broken, which failed",
                           "later skipped: the operation failed", "undo made failed: cannot remove it",
                           "undo slow done", "last done"));
    CHECK(changes == lines("running forward", "running rollback", "failed rollback"));
    const auto events = co_await b.events("op");
    CHECK(place(events, "operation.rolling_back no such image") < place(events, "step.started undo made"));
    CHECK(place(events, "step.ended slow done") < place(events, "operation.rolling_back no such image"));
    CHECK(events.back() == "operation.ended failed");
    auto look = [](store::Database& db) { return store::Stacks::get(db, "s-1")->status; };
    CHECK_AWAITED(b.journal.run(look), == "failed");
  });
}

TEST_CASE(
    "a step that goes on may fail: its dependents run, and the operation ends failed with the first error",
    "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    b.on("stop web", failing("first"));
    b.on("stop db", failing("second"));
    const auto ended = co_await b.finish(
        "op",
        steps(going_on(work("stop web")), going_on(work("stop db", "stop web")), work("remove", "stop db")));
    CHECK(ended.state == "failed");
    CHECK(ended.mode == "forward");
    CHECK(ended.error == R"({"cause":{"kind":"work","service":"","step":"stop web"},"code":"failed",)"
                         R"("details":["a line"],"message":"first"})");
    CHECK_AWAITED(b.states("op"),
                  == lines("stop web failed: first", "stop db failed: second", "remove done"));
  });
}

TEST_CASE("when failures do not stop the operation, what comes after one is skipped, near and far",
          "[operations]") {
  TempDir dir;
  operations::Policy policy;
  policy.stop_on_failure = [](const store::OperationRow&) { return false; };
  with_bench(dir.path() / "state.db", policy, [](Bench& b) -> awaitable<void> {
    b.on("start db", failing("no"));
    const auto ended = co_await b.finish("op", steps(work("start db"), going_on(work("ready db", "start db")),
                                                     work("start web", "start log", "ready db"),
                                                     work("start log"), work("ready log", "start log")));
    CHECK(ended.state == "failed");
    CHECK(ended.mode == "forward");
    CHECK_AWAITED(
        b.states("op"),
        == lines("start db failed: no", "ready db skipped: needs start db, which failed",
                 "start web skipped: needs start db, which failed", "start log done", "ready log done"));
  });
}

TEST_CASE("a skipped step's dependents run, its reason is kept and its result is nothing", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    b.on("pull", [](StepContext) -> awaitable<Outcome> {
      co_return Outcome{.result = {{"x", 1}}, .skipped = true, .reason = "image is there"};
    });
    b.on("start", [](StepContext context) -> awaitable<Outcome> {
      CHECK(context.result_of("pull") == nlohmann::json::object());
      co_return Outcome{};
    });
    CHECK_AWAITED(b.finish("op", steps(work("pull"), work("start", "pull"))), .state == "succeeded");
    CHECK_AWAITED(b.states("op"), == lines("pull skipped: image is there", "start done"));
  });
}

TEST_CASE("warnings are in the row as they come, and each is an event", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    b.on("a", [](StepContext) -> awaitable<Outcome> {
      co_return Outcome{.warnings = {"one", "bad \xff byte"}};
    });
    b.on("b", passing(gate));
    co_await b.submit("op", steps(work("a"), work("b", "a")));
    co_await gate.arrivals(1);
    auto look = [](store::Database& db) { return store::Operations::get(db, "op")->warnings; };
    CHECK_AWAITED(b.journal.run(look), == R"(["one","bad  byte"])");
    gate.open();
    CHECK_AWAITED(b.runner.wait("op"), .state == "succeeded");
    const auto events = co_await b.events("op");
    CHECK(place(events, "warning one") < place(events, "step.started b"));
  });
}

TEST_CASE("steps that follow from a step are written with its end, and may need old and new ones",
          "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    b.on("plan", [](StepContext) -> awaitable<Outcome> {
      co_return Outcome{.then = {work("y", "x", "other"), work("x", "plan")}};
    });
    const auto ended = co_await b.finish("op", steps(work("plan"), work("other", "plan")));
    CHECK(ended.state == "succeeded");
    CHECK_AWAITED(b.states("op"), == lines("plan done", "other done", "y done", "x done"));
    CHECK(b.log.back() == "y");
  });
}

TEST_CASE("a plan that could never end is refused, from a caller and from a step", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    const auto refused = [&b](std::vector<StepPlan> plan) {
      return error_of(b.submit("op", std::move(plan)));
    };
    auto error = co_await refused(steps(work("a", "b")));
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::internal);
    CHECK(std::string(error->what()) ==
          "cannot plan step 'a': it needs 'b', which is no step of the operation");
    error = co_await refused(steps(work("a"), work("a")));
    CHECK(std::string(error->what()) == "cannot plan step 'a': there is one already");
    error = co_await refused(steps(work("x"), work("a", "b", "x"), work("b", "a")));
    CHECK(std::string(error->what()) == "cannot plan step 'a': it comes after itself");
    CHECK_FALSE(b.runner.active("s-1"));
    b.on("bad", [](StepContext) -> awaitable<Outcome> { co_return Outcome{.then = {work("bad")}}; });
    const auto ended = co_await b.finish("op", steps(work("bad")));
    CHECK(ended.state == "failed");
    CHECK_AWAITED(b.states("op"), == lines("bad failed: cannot plan step 'bad': there is one already"));
  });
}

TEST_CASE("an operation without steps succeeds, one with a step of unknown kind fails", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    CHECK_AWAITED(b.finish("empty", steps()), .state == "succeeded");
    CHECK_AWAITED(b.events("empty"), == lines("operation.started", "operation.ended succeeded"));
    const StepPlan flying{.key = "k", .kind = "fly"};
    CHECK_AWAITED(b.finish("odd", steps(flying)), .state == "failed");
    CHECK_AWAITED(b.states("odd"), == lines("k failed: cannot run step 'k': there is no kind 'fly'"));
  });
}

TEST_CASE("whatever a step throws is a failure, also a cancellation that nobody asked for", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    b.on("a", [](StepContext) -> awaitable<Outcome> {
      throw boost::system::system_error(asio::error::operation_aborted);
      co_return Outcome{};
    });
    b.on("b", [](StepContext) -> awaitable<Outcome> {
      throw std::runtime_error("odd \xff");
      co_return Outcome{};
    });
    CHECK_AWAITED(b.finish("op1", steps(work("a"))), .state == "failed");
    CHECK_AWAITED(
        b.finish("op2", steps(work("b"))),
        .error ==
            R"({"cause":{"kind":"work","service":"","step":"b"},"code":"internal","details":[],"message":"odd "})");
  });
}

TEST_CASE("what a step throws that is no exception at all is a failure too, and the operation ends",
          "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    b.on("a", [](StepContext) -> awaitable<Outcome> {
      throw 42;
      co_return Outcome{};
    });
    CHECK_AWAITED(b.finish("op", steps(work("a"))), .state == "failed");
    CHECK_AWAITED(b.states("op"), == lines("a failed: it threw what is no error"));
  });
}

TEST_CASE("cancelling takes back what was made and ends cancelled", "[operations]") {
  TempDir dir;
  operations::Policy policy;
  policy.plan_rollback = [](store::Database&, const store::OperationRow& row,
                            const std::vector<store::StepRow>&) {
    CHECK(row.cancel_requested);
    return std::vector<StepPlan>{work("undo"), waiting("undo more", "undo")};
  };
  with_bench(dir.path() / "state.db", policy, [](Bench& b) -> awaitable<void> {
    Gate never(b.executor), busy(b.executor), undoing(b.executor);
    b.on("ready", passing(never));
    b.on("busy", passing(busy));
    b.on("undo more", passing(undoing));
    co_await b.submit("op", steps(waiting("ready"), work("busy"), work("later", "busy")));
    co_await busy.arrivals(1);
    CHECK_AWAITED(b.runner.cancel("op"), == true);
    auto look = [](store::Database& db) { return store::Operations::get(db, "op")->cancel_requested; };
    CHECK_AWAITED(b.journal.run(look), == true);
    CHECK(b.runner.active("s-1")->mode == "forward");
    busy.open();
    co_await undoing.arrivals(1);
    CHECK_AWAITED(b.runner.cancel("op"), == true);  // does nothing more: the roll-back goes on
    CHECK(undoing.arrived() == 1);
    undoing.open();
    const auto ended = co_await b.runner.wait("op");
    CHECK(ended.state == "cancelled");
    CHECK(ended.error == R"({"code":"cancelled","details":[],"message":"cancelled"})");
    CHECK_AWAITED(b.states("op"), == lines("ready cancelled: cancelled", "busy done",
                                           "later cancelled: cancelled", "undo done", "undo more done"));
    CHECK_AWAITED(b.runner.cancel("op"), == false);
    CHECK_AWAITED(b.runner.cancel("never was"), == false);
  });
}

TEST_CASE("cancelling an operation that is being taken back for a failure leaves it failed", "[operations]") {
  TempDir dir;
  operations::Policy policy;
  policy.plan_rollback = [](store::Database&, const store::OperationRow&,
                            const std::vector<store::StepRow>&) {
    return std::vector<StepPlan>{work("undo")};
  };
  with_bench(dir.path() / "state.db", policy, [](Bench& b) -> awaitable<void> {
    Gate undoing(b.executor);
    b.on("bad", failing("no"));
    b.on("undo", passing(undoing));
    co_await b.submit("op", steps(work("bad")));
    co_await undoing.arrivals(1);
    CHECK_AWAITED(b.runner.cancel("op"), == true);
    undoing.open();
    const auto ended = co_await b.runner.wait("op");
    CHECK(ended.state == "failed");
    CHECK_FALSE(ended.cancel_requested);
  });
}

TEST_CASE("a roll-back that cannot be planned takes nothing away and says so", "[operations]") {
  TempDir dir;
  operations::Policy policy;
  policy.plan_rollback = [](store::Database&, const store::OperationRow&,
                            const std::vector<store::StepRow>&) -> std::vector<StepPlan> {
    throw Error(ErrorKind::internal, "cannot read the spec");
  };
  // In the transaction that changes the mode: a daemon that died behind it would not know why.
  std::string written;
  policy.on_change = [&](store::Database& db, const store::OperationRow& row) {
    if (row.mode == "rollback" && row.state == "running")
      written = store::Operations::get(db, row.id)->warnings;
  };
  with_bench(dir.path() / "state.db", policy, [&](Bench& b) -> awaitable<void> {
    b.on("bad", failing("no"));
    const auto ended = co_await b.finish("op", steps(work("bad")));
    CHECK(ended.state == "failed");
    CHECK(ended.warnings == R"(["nothing was taken away: cannot read the spec"])");
    CHECK(written == ended.warnings);
    const auto events = co_await b.events("op");
    CHECK(std::count(events.begin(), events.end(), "warning nothing was taken away: cannot read the spec") ==
          1);
  });
}

TEST_CASE(
    "while the store refuses, an operation waits and nothing takes effect; it goes on when it can be written",
    "[operations]") {
  TempDir dir;
  operations::Policy policy;
  policy.retry = std::chrono::milliseconds(1);
  with_bench(dir.path() / "state.db", policy, [](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    b.on("a", passing(gate));
    co_await b.submit("op", steps(work("a"), work("b", "a")));
    co_await gate.arrivals(1);
    int refused = 0;
    auto refuse = [&](store::Database& db) {
      db.on_commit([&refused](store::Database::CommitPoint point, std::uint64_t) {
        if (point == store::Database::CommitPoint::before && refused++ == 0)
          throw Error(ErrorKind::io, "cannot write: database or disk is full");
      });
    };
    co_await b.journal.run(refuse);
    gate.open();
    CHECK_AWAITED(b.runner.wait("op"), .state == "succeeded");
    CHECK(refused > 1);
    CHECK(b.log == lines("a", "b"));
    auto accept = [](store::Database& db) { db.on_commit(nullptr); };
    co_await b.journal.run(accept);
  });
}
