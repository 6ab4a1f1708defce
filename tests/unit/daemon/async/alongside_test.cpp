#include "daemon/async/alongside.hpp"

#include <stdexcept>

#include "daemon/async/signal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_coro.hpp"

using namespace stackd;
using namespace std::chrono_literals;

TEST_CASE("alongside: the task's end cancels the helper, the helper's end the task", "[async]") {
  bool helper_gone = false, task_gone = false;
  struct Gone {
    bool& flag;
    ~Gone() { flag = true; }
  };
  const auto forever = [](bool& flag) -> awaitable<void> {
    Gone gone{flag};
    co_await async::sleep_for(1h);
  };
  const auto soon = []() -> awaitable<void> { co_await async::sleep_for(1ms); };
  const auto broken = []() -> awaitable<void> {
    co_await async::sleep_for(1ms);
    throw std::runtime_error("broken");
  };
  CHECK(test::run_coro([&](auto) { return async::alongside(soon(), forever(helper_gone)); }, 5s));
  CHECK(helper_gone);
  CHECK_FALSE(test::run_coro([&](auto) { return async::alongside(forever(task_gone), soon()); }, 5s));
  CHECK(task_gone);
  helper_gone = false;
  CHECK_THROWS_WITH(
      test::run_coro([&](auto) { return async::alongside(broken(), forever(helper_gone)); }, 5s), "broken");
  CHECK(helper_gone);
  CHECK_FALSE(test::run_coro([&](auto) { return async::alongside(forever(task_gone), broken()); }, 5s));
}
