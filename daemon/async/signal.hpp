// Signal: coroutines wait, anyone on the control thread wakes them all. Nothing is remembered: look at the
// state, then wait, with no co_await between the two. One io_context thread, so no lock.
#pragma once

#include <chrono>

#include "daemon/async/asio.hpp"

namespace stackd::async {

class Signal {
public:
  explicit Signal(asio::any_io_executor executor);

  // Until the next notify(). Throws system_error(operation_aborted) when the waiting coroutine is cancelled.
  awaitable<void> wait();
  // The same with a limit; false when it passed first.
  awaitable<bool> wait_for(std::chrono::milliseconds limit);
  void notify();

private:
  struct Waiters;
  asio::any_io_executor executor_;
  std::shared_ptr<Waiters> waiters_;
};

// Suspends for `duration`; cancellable like any wait.
awaitable<void> sleep_for(std::chrono::milliseconds duration);

// Lets everything else run that is ready to. For loops that have much to do and nothing to wait for.
awaitable<void> next_turn();

// True when the exception is Asio's way of saying that this coroutine was cancelled.
bool is_cancellation(const std::exception_ptr& error);

}  // namespace stackd::async
