// Serial<T>: an object that lives on a thread of its own. Blocking work on it (SQLite, mostly) never blocks
// the control thread: `co_await serial.run([](T& t) { … })` runs the function there, in order, and resumes
// here with its result or its exception. Not cancellable once begun, so that what was asked for is known to
// have happened.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "daemon/async/asio.hpp"

namespace stackd::async {

template <class T>
class Serial {
public:
  // The object is built by the calling thread and destroyed by it, after the thread has ended.
  template <class... Args>
  explicit Serial(Args&&... args) : value_(std::forward<Args>(args)...), thread_(1) {}
  ~Serial() { thread_.join(); }
  Serial(const Serial&) = delete;
  Serial& operator=(const Serial&) = delete;

  // Not a coroutine itself, and by reference: GCC 12 destroys a closure twice when it is made in a co_await
  // expression and becomes a coroutine's parameter without a move.
  template <class F>
  auto run(F&& function) -> awaitable<std::invoke_result_t<std::decay_t<F>&, T&>> {
    return run_owned<std::decay_t<F>>(std::forward<F>(function));
  }

  // For start-up and shutdown only, before and after the loop runs.
  T& direct() { return value_; }

private:
  template <class F>
  auto run_owned(F function) -> awaitable<std::invoke_result_t<F&, T&>> {
    using R = std::invoke_result_t<F&, T&>;
    // An empty slot: a cancellation would be delivered on the control thread to a coroutine that runs on
    // another.
    auto work = [this, function = std::move(function)]() mutable -> awaitable<R> {
      co_return function(value_);
    };
    co_return co_await asio::co_spawn(thread_, std::move(work),
                                      asio::bind_cancellation_slot(asio::cancellation_slot(), use_awaitable));
  }

  T value_;
  asio::thread_pool thread_;
};

}  // namespace stackd::async
