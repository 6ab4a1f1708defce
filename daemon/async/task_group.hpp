// TaskGroup: the owner of spawned coroutines. Nothing in the daemon is spawned detached: whoever spawns holds
// a group, cancels it and joins it before going away. Control thread only.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>

#include "daemon/async/asio.hpp"
#include "daemon/async/signal.hpp"

namespace stackd::async {

class TaskGroup {
public:
  explicit TaskGroup(asio::any_io_executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  // Must be empty: join() first. (A task that is left would use what its owner frees.)
  ~TaskGroup();

  // Starts the task: called on the loop it runs at once, to its first wait. An exception that leaves it is a
  // bug of the task; it is given to `on_error` (by default logged as "task <name>: …"); a cancellation is
  // silent. Returns a handle for cancel().
  using Id = std::uint64_t;
  Id spawn(std::string name, std::function<awaitable<void>()> task);
  // The same for a loop that is to live as long as its owner: when it throws, that is logged and it is
  // started again, after a pause that grows from 100 ms to 10 s, and begins anew once the loop has lived for
  // a minute. So what it needs to begin with it must make itself. It is over when it returns, or is
  // cancelled.
  Id keep(std::string name, std::function<awaitable<void>()> loop);

  // Asks one task, or all, to stop at their next suspension point. Must be called from the loop, not from the
  // task itself.
  void cancel(Id task);
  void cancel_all();

  // Until no task is left. Not cancellable, so that an owner cannot skip it.
  awaitable<void> join();
  std::size_t size() const;

  // What `body` gives or throws. The tasks live as long as it runs: then they are cancelled and joined, also
  // when it threw, and when the caller was cancelled.
  template <class T>
  awaitable<T> during(awaitable<T> body) {
    std::exception_ptr error;
    std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>> result;
    try {
      if constexpr (std::is_void_v<T>)
        co_await std::move(body);
      else
        result = co_await std::move(body);
    } catch (...) {
      error = std::current_exception();
    }
    // A caller that was cancelled would not come to the next line otherwise.
    co_await asio::this_coro::throw_if_cancelled(false);
    cancel_all();
    co_await join();
    co_await asio::this_coro::throw_if_cancelled(true);
    if (error) std::rethrow_exception(error);
    if constexpr (!std::is_void_v<T>) co_return std::move(*result);
  }

private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stackd::async
