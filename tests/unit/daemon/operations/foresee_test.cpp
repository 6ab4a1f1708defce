// An operation whose first step is foreseen to have nothing to do is written once.
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/operations/bench.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

using Look = std::function<awaitable<std::optional<Outcome>>(const store::OperationRow&)>;

operations::Submission with_look(const std::string& id, Look look, const std::string& after = "") {
  operations::Submission submission;
  submission.row = {.id = id, .stack_id = "s-1", .kind = "up", .after = after, .created_at = util::now_ms()};
  submission.steps = {work("plan")};
  submission.foresee = std::move(look);
  submission.foresight = std::chrono::milliseconds(50);
  return submission;
}

Look saying(std::optional<Outcome> outcome) {
  return [outcome](const store::OperationRow&) -> awaitable<std::optional<Outcome>> { co_return outcome; };
}

Outcome nothing_to_do() {
  Outcome outcome;
  outcome.result = {{"unchanged", true}};
  outcome.warnings = {"as before"};
  outcome.record = [](store::Database& db) { store::Stacks::set_status(db, "s-1", "recorded"); };
  return outcome;
}

}  // namespace

TEST_CASE("An operation that is foreseen to do nothing is one commit, and is told like any other",
          "[operations]") {
  TempDir dir;
  operations::Policy policy;
  std::vector<std::string> changes;
  policy.on_change = [&](store::Database& db, const store::OperationRow& row) {
    changes.push_back(row.state + " after " + store::Stacks::get(db, "s-1")->status);
  };
  with_bench(dir.path() / "state.db", policy, [&](Bench& b) -> awaitable<void> {
    std::uint64_t commits = 0;
    b.journal.direct().on_commit([&](store::Database::CommitPoint, std::uint64_t n) { commits = n; });
    std::vector<std::string> ended;
    b.runner.on_ended([&](const store::OperationRow& row) { ended.push_back(row.id + " " + row.state); });
    auto submission = with_look("op", saying(nothing_to_do()));
    int extras = 0;
    submission.extra = [&](store::Database&) { ++extras; };
    co_await b.runner.submit(std::move(submission));
    const auto row = co_await b.runner.wait("op");
    CHECK(commits == 1);
    CHECK(extras == 1);
    CHECK(row.state == "succeeded");
    CHECK(row.warnings == "[\"as before\"]");
    CHECK(row.ended_at);
    CHECK(b.log.empty());
    CHECK(changes == lines("succeeded after recorded"));
    CHECK(ended == lines("op succeeded"));
    CHECK_FALSE(b.runner.active("s-1"));
    CHECK_AWAITED(b.states("op"), == lines("plan done"));
    CHECK_AWAITED(b.events("op"), == lines("operation.started", "step.started plan", "step.ended plan done",
                                           "warning as before", "operation.ended succeeded"));
  });
}

TEST_CASE("A look that finds something to do, fails or takes its time leaves the step to run",
          "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    Gate never(b.executor);
    const std::map<std::string, Look> looks{
        {"something", saying(std::nullopt)},
        {"failing",
         [](const store::OperationRow&) -> awaitable<std::optional<Outcome>> {
           throw util::Error(util::ErrorKind::no_engine, "gone");
           co_return std::nullopt;
         }},
        {"slow", [&never](const store::OperationRow&) -> awaitable<std::optional<Outcome>> {
           co_await never.pass();
           co_return nothing_to_do();
         }}};
    for (const auto& [id, look] : looks) {
      auto submission = with_look(id, look);
      co_await b.runner.submit(std::move(submission));
      const auto row = co_await b.runner.wait(id);
      INFO(id);
      CHECK(row.state == "succeeded");
      CHECK(row.warnings == "[]");
      CHECK_AWAITED(b.states(id), == lines("plan done"));
    }
    CHECK(b.log == lines("plan", "plan", "plan"));
  });
}

TEST_CASE("One that comes after another does not look before that has ended", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    b.on("first", passing(gate));
    co_await b.submit("one", steps(work("first")));
    co_await gate.arrivals(1);
    auto submission = with_look("two", saying(nothing_to_do()), "one");
    co_await b.runner.submit(std::move(submission));
    CHECK_AWAITED(b.states("two"), == lines("plan pending"));
    gate.open();
    CHECK_AWAITED(b.runner.wait("two"), .state == "succeeded");
    CHECK(b.log == lines("first", "plan"));
  });
}

TEST_CASE("One that is cancelled while it looks is cancelled, whatever the look says", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    Gate gate(b.executor);
    auto look = [&gate](const store::OperationRow&) -> awaitable<std::optional<Outcome>> {
      co_await gate.pass();
      co_return nothing_to_do();
    };
    auto submission = with_look("op", look);
    submission.foresight = std::chrono::seconds(20);
    async::TaskGroup tasks(b.executor);
    auto held = std::make_shared<operations::Submission>(std::move(submission));
    tasks.spawn("submit", [&b, held]() -> awaitable<void> { co_await b.runner.submit(*held); });
    co_await gate.arrivals(1);
    CHECK(b.runner.active("s-1"));
    tasks.spawn("cancel", [&b]() -> awaitable<void> { co_await b.runner.cancel("op"); });
    gate.open();
    co_await tasks.join();
    CHECK_AWAITED(b.runner.wait("op"), .state == "cancelled");
  });
}
