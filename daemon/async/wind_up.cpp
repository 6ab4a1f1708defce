#include "daemon/async/wind_up.hpp"

#include "daemon/async/signal.hpp"

namespace stackd::async {

awaitable<void> wind_up(TaskGroup& tasks, std::chrono::milliseconds limit) {
  TaskGroup clock(co_await asio::this_coro::executor);
  clock.spawn("limit of an end", [&tasks, limit]() -> awaitable<void> {
    co_await sleep_for(limit);
    tasks.cancel_all();
  });
  auto ended = tasks.join();
  co_await clock.during(std::move(ended));
}

}  // namespace stackd::async
