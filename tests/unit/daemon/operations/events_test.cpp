#include <iostream>

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/operations/bench.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

// Reads a few events at a time, as they come, until the operation's end; `pause` makes it slow.
awaitable<std::vector<store::EventRow>> follow(journal::Journal& journal, std::int64_t sequence,
                                               std::function<awaitable<void>()> pause) {
  std::vector<store::EventRow> seen;
  for (;;) {
    const auto commits = journal.commits();
    auto read = [sequence](store::Database& db) { return store::Events::after(db, sequence, "", "op", 3); };
    const auto rows = co_await journal.run(std::move(read));
    for (const auto& row : rows) {
      sequence = row.sequence;
      seen.push_back(row);
      if (row.kind == "operation.ended") co_return seen;
    }
    co_await pause();
    if (rows.empty() && journal.commits() == commits) co_await journal.changed().wait();
  }
}

}  // namespace

TEST_CASE("a slow subscriber, a quick one and one that comes back see every event once, in order",
          "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    constexpr int k_steps = 100;
    std::vector<StepPlan> plan;
    for (int i = 0; i < k_steps; ++i)
      plan.push_back(work("s" + std::to_string(i), i % 10 == 0 ? std::vector<std::string>{}
                                                               : std::vector<std::string>{plan.back().key}));
    std::vector<store::EventRow> slow, quick;
    const auto executor = b.executor;
    std::function<awaitable<void>()> turns = [executor]() -> awaitable<void> {
      for (int i = 0; i < 200; ++i) co_await asio::post(executor, use_awaitable);
    };
    std::function<awaitable<void>()> none = []() -> awaitable<void> { co_return; };
    async::TaskGroup group(b.executor);
    group.spawn("slow", [&]() -> awaitable<void> { slow = co_await follow(b.journal, 0, turns); });
    group.spawn("quick", [&]() -> awaitable<void> { quick = co_await follow(b.journal, 0, none); });
    co_await b.submit("op", plan);
    co_await b.runner.wait("op");
    co_await group.join();
    REQUIRE(slow.size() == 2 * k_steps + 2);
    REQUIRE(quick.size() == slow.size());
    for (std::size_t i = 0; i < slow.size(); ++i) {
      CHECK(slow[i].sequence == static_cast<std::int64_t>(i + 1));
      CHECK(quick[i].sequence == slow[i].sequence);
    }
    const auto rest = co_await follow(b.journal, 150, none);
    CHECK(rest.size() == slow.size() - 150);
    CHECK(rest.front().sequence == 151);
  });
}

TEST_CASE("an event is seen by those who are woken, and not when its transaction fails", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    auto bad = [](store::Database& db) {
      journal::Journal::event(db, "s-1", "", "warning", {{"message", "never"}});
      throw util::Error(util::ErrorKind::io, "no");
    };
    const auto before = b.journal.commits();
    bool thrown = false;
    try {
      co_await b.journal.commit(std::move(bad));
    } catch (const util::Error&) {
      thrown = true;
    }
    CHECK(thrown);
    CHECK(b.journal.commits() == before);
    auto good = [](store::Database& db) {
      journal::Journal::event(db, "s-1", "", "warning", {{"message", "bytes \xff kept"}});
      return 5;
    };
    CHECK_AWAITED(b.journal.commit(std::move(good)), == 5);
    CHECK(b.journal.commits() == before + 1);
    auto read = [](store::Database& db) { return store::Events::after(db, 0, "s-1", "", 10); };
    const auto rows = co_await b.journal.run(std::move(read));
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].kind == "warning");
    CHECK(rows[0].at > 0);
    CHECK(nlohmann::json::parse(rows[0].data)["message"] == "bytes \xef\xbf\xbd kept");
  });
}

TEST_CASE("passing notes are numbered, wake those who watch, and only the newest 256 are kept",
          "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    async::TaskGroup group(b.executor);
    bool woken = false;
    group.spawn("watch", [&]() -> awaitable<void> {
      co_await b.journal.changed().wait();
      woken = true;
    });
    group.spawn("note", [&]() -> awaitable<void> {
      for (int i = 0; i < 300; ++i) b.journal.note("s-1", "op", "progress", {{"text", std::to_string(i)}});
      co_return;
    });
    co_await group.join();
    CHECK(woken);
    CHECK(b.journal.newest_note() == 300);
    REQUIRE(b.journal.notes().size() == 256);
    CHECK(b.journal.notes().front().number == 45);
    CHECK(b.journal.notes().back().data["text"] == "299");
    auto newest = [](store::Database& db) { return store::Events::newest(db); };
    CHECK_AWAITED(b.journal.run(std::move(newest)), == 0);
  });
}

TEST_CASE("an operation of 1,000 steps is carried quickly, wide or long", "[operations]") {
  with_bench([](Bench& b) -> awaitable<void> {
    b.journal.direct().execute("PRAGMA synchronous = OFF");  // the runner's own time, not the disk's
    using Clock = std::chrono::steady_clock;
    std::vector<StepPlan> wide, chain;
    for (int i = 0; i < 1000; ++i) {
      wide.push_back(work("w" + std::to_string(i)));
      chain.push_back(work("c" + std::to_string(i)));
      if (i > 0) chain.back().needs = {chain[chain.size() - 2].key};
    }
    const auto start = Clock::now();
    CHECK_AWAITED(b.finish("wide", wide), .state == "succeeded");
    const auto between = Clock::now();
    CHECK_AWAITED(b.finish("chain", chain), .state == "succeeded");
    const auto end = Clock::now();
    const auto ms = [](Clock::duration d) {
      return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
    };
    std::cout << "1,000 steps: " << ms(between - start) << " ms side by side, " << ms(end - between)
              << " ms one after another\n";
    // Generous, for sanitizers on a busy machine; quadratic work would be far above.
    CHECK(ms(end - start) < 20000);
  });
}
