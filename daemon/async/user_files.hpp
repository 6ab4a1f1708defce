// UserFiles: work on files that are not the daemon's own. Below them may be anybody's disk, a pipe that
// nobody writes to, a network that is gone; so each piece of work has a thread of its own while it lasts, at
// most k_most at once, and nobody waits for a thread whose asker has gone: not another stack, not the
// daemon's end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

#include "daemon/async/asio.hpp"

namespace stackd::async {

class UserFiles {
public:
  static constexpr int k_most = 32;
  explicit UserFiles(asio::any_io_executor executor);
  // What is still at work goes on and is not heard any more.
  ~UserFiles();
  UserFiles(const UserFiles&) = delete;
  UserFiles& operator=(const UserFiles&) = delete;

  // Runs the function on a thread and resumes here with its result or its exception. Cancelled, it returns at
  // once, and what the function gives is dropped; so what it works on must be its own.
  template <class F>
  auto run(F function) -> awaitable<std::invoke_result_t<F&>> {
    using R = std::invoke_result_t<F&>;
    if constexpr (std::is_void_v<R>) {
      return run_job(std::move(function));
    } else {
      auto result = std::make_shared<std::optional<R>>();
      std::function<void()> job = [result, function = std::move(function)]() mutable {
        result->emplace(function());
      };
      return take(std::move(job), std::move(result));
    }
  }
  // Threads that are at work.
  int busy() const;

private:
  struct State;
  awaitable<void> run_job(std::function<void()> job);
  template <class R>
  awaitable<R> take(std::function<void()> job, std::shared_ptr<std::optional<R>> result) {
    co_await run_job(std::move(job));
    co_return std::move(**result);
  }
  std::shared_ptr<State> state_;
};

}  // namespace stackd::async
