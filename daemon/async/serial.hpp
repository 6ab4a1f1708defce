// Serial<T>: an object that lives on a thread of its own. Blocking work on it (SQLite, files) never blocks
// the control thread: `co_await serial.run([](T& t) { … })` runs the function there, in order, and resumes
// here with its result or its exception. Not cancellable once begun.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "daemon/async/job_thread.hpp"

namespace stackd::async {

template <class T>
class Serial {
public:
  // The object is built by the calling thread and destroyed by it, after the thread has ended.
  template <class... Args>
  explicit Serial(Args&&... args) : value_(std::forward<Args>(args)...) {}
  Serial(const Serial&) = delete;
  Serial& operator=(const Serial&) = delete;

  // Not a coroutine itself, and its coroutines are of the result's type alone: each of them costs a second of
  // compiling. (GCC 12 destroys a closure twice that is made in a co_await expression and becomes a
  // coroutine's parameter without a move.)
  template <class F>
  auto run(F&& function) -> awaitable<std::invoke_result_t<std::decay_t<F>&, T&>> {
    using R = std::invoke_result_t<std::decay_t<F>&, T&>;
    if constexpr (std::is_void_v<R>) {
      std::function<void()> job = [this, function = std::forward<F>(function)]() mutable {
        function(value_);
      };
      return thread_.run(std::move(job));
    } else {
      auto result = std::make_shared<std::optional<R>>();
      std::function<void()> job = [this, result, function = std::forward<F>(function)]() mutable {
        result->emplace(function(value_));
      };
      return take(std::move(job), std::move(result));
    }
  }

  // For start-up and shutdown only, before and after the loop runs.
  T& direct() { return value_; }

private:
  template <class R>
  awaitable<R> take(std::function<void()> job, std::shared_ptr<std::optional<R>> result) {
    co_await thread_.run(std::move(job));
    co_return std::move(**result);
  }

  T value_;
  JobThread thread_;  // ends first
};

}  // namespace stackd::async
