// TaskGroup: the owner of spawned coroutines. Nothing in the daemon is spawned detached: whoever spawns holds
// a group, cancels it and joins it before going away. Control thread only.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

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

  // Starts the task on the next turn of the loop. An exception that leaves it is a bug of the task; it is
  // given to `on_error` (by default logged as "task <name>: …"); a cancellation is silent. Returns a handle
  // for cancel().
  using Id = std::uint64_t;
  Id spawn(std::string name, std::function<awaitable<void>()> task);

  // Asks one task, or all, to stop at their next suspension point. Must be called from the loop, not from the
  // task itself.
  void cancel(Id task);
  void cancel_all();

  // Until no task is left. Not cancellable, so that an owner cannot skip it.
  awaitable<void> join();
  std::size_t size() const;

private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stackd::async
