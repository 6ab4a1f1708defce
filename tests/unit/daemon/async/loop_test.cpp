#include "daemon/async/loop.hpp"

#include <time.h>

#include <boost/asio/detached.hpp>
#include <functional>
#include <map>

#include "daemon/async/signal.hpp"
#include "daemon/async/task_group.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using namespace std::chrono_literals;

namespace {

// Uses this thread's time, whatever else the machine does.
void work_for(std::chrono::milliseconds time) {
  const auto now = [] {
    timespec at{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec);
  };
  for (const auto until = now() + time; now() < until;) continue;
}

// Runs the tasks, each by its name, to their ends.
void run(async::Loop& loop, std::map<std::string, std::function<awaitable<void>()>> tasks) {
  async::TaskGroup group(loop.executor());
  for (auto& [name, task] : tasks) group.spawn(name, std::move(task));
  asio::co_spawn(
      loop.executor(),
      [&]() -> awaitable<void> {
        co_await group.join();
        loop.stop();
      },
      asio::detached);
  loop.run();
}

}  // namespace

TEST_CASE("the longest turn is known, and whose it was", "[async][loop]") {
  async::Loop loop;
  run(loop, {{"quick", []() -> awaitable<void> { co_await async::sleep_for(1ms); }},
             {"slow", []() -> awaitable<void> {
                co_await async::sleep_for(1ms);
                work_for(20ms);
                co_await async::sleep_for(1ms);
              }}});
  CHECK(loop.turns().longest >= 20ms);
  CHECK(loop.turns().longest_what == "slow");
  CHECK(loop.turns().long_ones == 1);
  CHECK(loop.turns().count > 4);
}

TEST_CASE("a timer that fires late makes a lag, as long as what kept it", "[async][loop]") {
  async::Loop loop;
  run(loop, {{"sleeper", []() -> awaitable<void> { co_await async::sleep_for(5ms); }},
             {"worker", []() -> awaitable<void> {
                co_await async::sleep_for(1ms);
                work_for(40ms);
              }}});
  CHECK(loop.turns().lag >= 30ms);
  CHECK(loop.turns().recent_lag == loop.turns().lag);
}

TEST_CASE("waiting is no turn", "[async][loop]") {
  async::Loop loop;
  run(loop, {{"sleeper", []() -> awaitable<void> { co_await async::sleep_for(30ms); }}});
  CHECK(loop.turns().longest < 10ms);
  CHECK(loop.turns().long_ones == 0);
}
