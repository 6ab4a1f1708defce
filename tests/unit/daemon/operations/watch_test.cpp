// Steps that are watched until their turn comes (StepKind::watch).
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/operations/bench.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

// `last` comes after `slow`, which waits for ever, and is watched meanwhile.
std::vector<StepPlan> slow_and_watched() {
  return steps(work("begin"), waiting("slow", "begin"),
               StepPlan{.key = "last", .kind = "watched", .needs = {"slow"}}, work("after", "last"));
}

Bench::Step failing_with(std::string words) {
  return [words](StepContext) -> awaitable<Outcome> {
    throw util::Error(util::ErrorKind::failed, words);
    co_return Outcome{};
  };
}

}  // namespace

TEST_CASE("what a watch throws fails its step before its turn, and ends the operation at once",
          "[operations]") {
  with_bench([&](Bench& b) -> awaitable<void> {
    Gate never(b.executor), dies(b.executor);
    b.on("slow", passing(never));
    b.on("watch of last", [&](StepContext) -> awaitable<Outcome> {
      co_await dies.pass();
      throw util::Error(util::ErrorKind::failed, "db is dead");
    });
    co_await b.submit("op", slow_and_watched());
    co_await never.arrivals(1);
    dies.open();
    const auto row = co_await b.runner.wait("op");
    CHECK(row.state == "failed");
    CHECK(nlohmann::json::parse(row.error).value("message", "") == "db is dead");
    CHECK_AWAITED(b.states("op"),
                  == lines("begin done", "slow cancelled: the operation failed", "last failed: db is dead",
                           "after skipped: needs last, which failed"));
  });
}

TEST_CASE("a watch ends when the turn of its step comes, and when the operation is cancelled",
          "[operations]") {
  with_bench([&](Bench& b) -> awaitable<void> {
    Gate slow(b.executor), never(b.executor);
    int ended = 0;
    struct Count {
      int& count;
      explicit Count(int& c) : count(c) {}
      ~Count() { ++count; }
    };
    b.on("slow", passing(slow));
    b.on("watch of last", [&](StepContext) -> awaitable<Outcome> {
      const Count count(ended);
      co_await never.pass();
      co_return Outcome{};
    });
    co_await b.submit("op", slow_and_watched());
    co_await slow.arrivals(1);
    CHECK(ended == 0);
    slow.open();
    const auto row = co_await b.runner.wait("op");
    CHECK(row.state == "succeeded");
    CHECK(ended == 1);

    Gate still(b.executor);
    b.on("slow", passing(still));
    co_await b.submit("other", slow_and_watched());
    co_await still.arrivals(1);
    co_await b.runner.cancel("other");
    const auto cancelled = co_await b.runner.wait("other");
    CHECK(cancelled.state == "cancelled");
    CHECK(ended == 2);
  });
}

TEST_CASE("a watch sees which steps have ended, and what they gave", "[operations]") {
  with_bench([&](Bench& b) -> awaitable<void> {
    Gate never(b.executor);
    std::string seen;
    b.on("slow", passing(never));
    b.on("watch of last", [&](StepContext context) -> awaitable<Outcome> {
      co_await never.arrivals(1);
      for (const char* key : {"begin", "slow", "last", "nobody"})
        seen += std::string(key) + (context.ended(key) ? " has ended; " : " has not; ");
      throw util::Error(util::ErrorKind::failed, "enough");
    });
    co_await b.finish("op", slow_and_watched());
    CHECK(seen == "begin has ended; slow has not; last has not; nobody has not; ");
  });
}

TEST_CASE("the next daemon watches again, and a step that was failed early stays failed", "[operations]") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  with_bench(
      file, {},
      [&](Bench& b) -> awaitable<void> {
        Gate never(b.executor);
        b.on("slow", passing(never));
        co_await b.submit("op", slow_and_watched());
        co_await never.arrivals(1);
      },
      std::chrono::milliseconds(0));
  with_bench(file, {}, [&](Bench& b) -> awaitable<void> {
    Gate never(b.executor);
    b.on("slow", passing(never));
    b.on("watch of last", failing_with("db is dead"));
    co_await b.runner.recover();
    const auto row = co_await b.runner.wait("op");
    CHECK(row.state == "failed");
    CHECK_AWAITED(b.states("op"),
                  == lines("begin done", "slow cancelled: the operation failed", "last failed: db is dead",
                           "after skipped: needs last, which failed"));
  });
}
