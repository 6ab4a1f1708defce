// Whether a wish may begin: what becomes of it while another operation of its stack runs, comes or goes.
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/operations/bench.hpp"

using namespace stackd;
using namespace stackd::test;
using operations::Decision;
using util::Error;
using util::ErrorKind;
using Point = store::Database::CommitPoint;

namespace {

struct Answer {
  std::string id;
  bool joined = false;
  std::string error;
};

// One of the same kind is joined, and any other followed.
awaitable<void> wish(Bench& b, std::string id, std::string kind, std::vector<StepPlan> plan, Answer& answer) {
  operations::Submission submission;
  submission.row = {.id = id, .stack_id = "s-1", .kind = kind, .created_at = util::now_ms()};
  submission.steps = std::move(plan);
  submission.gate = [kind](const store::OperationRow& running) {
    return running.kind == kind && !running.cancel_requested ? Decision::join : Decision::follow;
  };
  try {
    const auto submitted = co_await b.runner.submit(std::move(submission));
    answer = {submitted.id, submitted.joined, ""};
  } catch (const Error& error) {
    answer = {"", false, error.what()};
  }
}

// Several at once: none of them has been written when the next asks.
class Wishes {
public:
  explicit Wishes(Bench& bench) : bench_(bench), group_(bench.executor) {}
  void add(const std::string& id, const std::string& kind, std::vector<StepPlan> plan) {
    auto& answer = answers_[id];
    group_.spawn(id, [this, id, kind, plan, &answer] { return wish(bench_, id, kind, plan, answer); });
  }
  awaitable<void> answered() { return group_.join(); }
  const Answer& of(const std::string& id) { return answers_[id]; }

private:
  Bench& bench_;
  async::TaskGroup group_;
  std::map<std::string, Answer> answers_;
};

operations::Policy undoing_each() {
  operations::Policy policy;
  policy.retry = std::chrono::milliseconds(1);
  policy.plan_rollback = [](store::Database&, const store::OperationRow& row,
                            const std::vector<store::StepRow>&) {
    return std::vector<StepPlan>{work("undo " + row.id)};
  };
  return policy;
}

std::optional<store::OperationRow> row_of(const std::filesystem::path& file, const std::string& id) {
  store::Database db(file);
  return store::Operations::get(db, id);
}

}  // namespace

TEST_CASE("of wishes at the same time that are the same one operation is made, and all know it",
          "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    Wishes wishes(b);
    for (const char* id : {"a", "b", "c"}) wishes.add(id, "up", steps(work("step " + std::string(id))));
    co_await wishes.answered();
    for (const char* id : {"a", "b", "c"}) CHECK(wishes.of(id).id == "a");
    CHECK_FALSE(wishes.of("a").joined);
    CHECK(wishes.of("c").joined);
    co_await b.runner.wait("a");
    CHECK(b.log == lines("step a"));
  });
}

TEST_CASE("a wish that joined one which could not be written begins itself, and the next joins that",
          "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    int commits = 0;
    auto refuse_first = [&commits](store::Database& db) {
      db.on_commit([&commits](Point point, std::uint64_t) {
        if (point == Point::before && commits++ == 0) throw Error(ErrorKind::io, "disk is full");
      });
    };
    co_await b.journal.run(refuse_first);
    Wishes wishes(b);
    for (const char* id : {"a", "b", "c"}) wishes.add(id, "up", steps(work("step " + std::string(id))));
    co_await wishes.answered();
    CHECK(wishes.of("a").error == "disk is full");
    CHECK(wishes.of("b").id == "b");
    CHECK(wishes.of("c").id == "b");
    CHECK(wishes.of("c").joined);
    co_await b.runner.wait("b");
    CHECK(b.log == lines("step b"));
    CHECK_AWAITED(error_of(b.runner.wait("a")), ->kind() == ErrorKind::not_found);
  });
}

TEST_CASE("two downs during an up are one, and it begins when the up is taken back", "[operations]") {
  TempDir dir;
  with_bench(dir.path() / "state.db", undoing_each(), [](Bench& b) -> awaitable<void> {
    Gate busy(b.executor);
    b.on("start", passing(busy));
    Wishes wishes(b);
    wishes.add("up", "up", steps(work("start")));
    wishes.add("down1", "down", steps(work("stop")));
    wishes.add("down2", "down", steps(work("stop")));
    co_await wishes.answered();
    CHECK(wishes.of("down2").id == "down1");
    co_await busy.arrivals(1);
    busy.open();
    co_await b.runner.wait("down1");
    CHECK_AWAITED(b.runner.wait("up"), .state == "cancelled");
    CHECK(b.log == lines("start", "undo up", "stop"));
  });
}

TEST_CASE("what follows one that never began waits for what that one waited for", "[operations]") {
  TempDir dir;
  with_bench(dir.path() / "state.db", undoing_each(), [](Bench& b) -> awaitable<void> {
    Gate busy(b.executor);
    b.on("mend", passing(busy));
    Wishes wishes(b);
    wishes.add("first", "recover", steps(work("mend")));
    co_await wishes.answered();
    wishes.add("second", "up", steps(work("start")));
    co_await wishes.answered();
    wishes.add("third", "down", steps(work("stop")));
    co_await wishes.answered();
    CHECK_AWAITED(b.runner.wait("second"), .state == "cancelled");
    CHECK_AWAITED(b.states("third"), == lines("stop pending"));
    busy.open();
    CHECK_AWAITED(b.runner.wait("third"), .state == "succeeded");
    CHECK(b.log == lines("mend", "undo first", "stop"));
  });
}

TEST_CASE("the next daemon too lets it wait for that", "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  {
    store::Database db(file);
    store::Stacks::put(db, {.id = "s-1", .name = "s"});
    store::OperationRow first{.id = "first", .stack_id = "s-1", .kind = "recover", .cancel_requested = true};
    store::OperationRow second{.id = "second", .stack_id = "s-1", .kind = "up", .state = "cancelled"};
    store::OperationRow third{.id = "third", .stack_id = "s-1", .kind = "down", .after = "second"};
    for (const auto& row : {first, second, third}) store::Operations::insert(db, row);
    store::Steps::insert(db, {.operation_id = "first", .key = "mend", .kind = "work", .state = "running"});
    store::Steps::insert(db, {.operation_id = "third", .key = "stop", .kind = "work"});
  }
  with_bench(file, undoing_each(), [](Bench& b) -> awaitable<void> {
    Gate busy(b.executor);
    b.on("mend", passing(busy));
    co_await b.runner.recover();
    co_await busy.arrivals(1);
    busy.open();
    CHECK_AWAITED(b.runner.wait("third"), .state == "succeeded");
    CHECK(b.log == lines("again mend", "undo first", "stop"));
  });
}

TEST_CASE(
    "a wish that waits for another's cancelling to be written is refused when the daemon stops meanwhile",
    "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  std::string error;
  with_bench(file, undoing_each(), [&](Bench& b) -> awaitable<void> {
    Gate never(b.executor);
    async::Signal refused(b.executor);
    b.on("ready", passing(never));
    int refusals = 0;
    auto refuse_cancel = [&refusals](store::Database& db) {
      db.on_commit([&refusals, &db](Point point, std::uint64_t) {
        const auto up = store::Operations::get(db, "up");
        if (point == Point::after || !up || !up->cancel_requested) return;
        ++refusals;
        throw Error(ErrorKind::io, "disk is full");
      });
    };
    co_await b.journal.run(refuse_cancel);
    Wishes wishes(b);
    wishes.add("up", "up", steps(waiting("ready")));
    co_await never.arrivals(1);
    wishes.add("down", "down", steps(work("stop")));
    auto look = [&refusals](store::Database&) { return refusals; };
    while (co_await b.journal.run(look) == 0) {
    }
    co_await b.runner.stop();
    co_await wishes.answered();
    error = wishes.of("down").error;
    CHECK(b.log == lines("ready"));
  });
  CHECK(error == "cannot begin an operation: the daemon is stopping");
  CHECK_FALSE(row_of(file, "down"));
  CHECK_FALSE(row_of(file, "up")->cancel_requested);
}

TEST_CASE("an operation whose turn comes while the daemon stops is begun by the next, once", "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  with_bench(file, undoing_each(), [](Bench& b) -> awaitable<void> {
    Gate busy(b.executor);
    b.on("start", passing(busy));
    co_await b.submit("first", steps(work("start")));
    co_await b.submit("second", steps(work("stop")), "first");
    co_await busy.arrivals(1);
    async::TaskGroup group(b.executor);
    group.spawn("stop", [&b]() -> awaitable<void> { co_await b.runner.stop(); });
    group.spawn("open", [&busy]() -> awaitable<void> {
      busy.open();
      co_return;
    });
    co_await group.join();
    CHECK_AWAITED(b.runner.wait("first"), .state == "succeeded");
    CHECK_AWAITED(b.events("second"), .empty());
  });
  with_bench(file, undoing_each(), [](Bench& b) -> awaitable<void> {
    co_await b.runner.recover();
    CHECK_AWAITED(b.runner.wait("second"), .state == "succeeded");
    const auto events = co_await b.events("second");
    CHECK(std::count(events.begin(), events.end(), "operation.started") == 1);
  });
}

TEST_CASE("what a wish brings is asked for when the one before it is cancelled, and not when it joins",
          "[operations]") {
  TempDir dir;
  with_bench(dir.path() / "state.db", undoing_each(), [](Bench& b) -> awaitable<void> {
    Gate never(b.executor);
    b.on("ready", passing(never));
    co_await b.submit("first", steps(waiting("ready")));
    co_await never.arrivals(1);
    std::uint64_t commits = b.journal.commits();
    const auto submission = [&](const std::string& id, Decision decision) {
      operations::Submission made;
      made.row = {.id = id, .stack_id = "s-1", .kind = "up"};
      made.steps = steps(work("start"));
      made.gate = [decision](const store::OperationRow&) { return decision; };
      made.begins = [&](const store::OperationRow&) { commits = b.journal.commits() - commits; };
      return made;
    };
    auto joining = submission("joining", Decision::join),
         following = submission("following", Decision::follow);
    const auto before = commits;
    CHECK_AWAITED(b.runner.submit(std::move(joining)), .joined);
    CHECK(commits == before);
    co_await b.runner.submit(std::move(following));
    CHECK(commits == 1);  // the cancelling
    co_await b.runner.wait("following");
  });
}
