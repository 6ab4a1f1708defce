// An io_context that runs on a thread of its own, as the daemon's control thread does, while the test talks
// to it over sockets from the outside.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <stdexcept>
#include <thread>

#include "daemon/async/asio.hpp"

namespace stackd::test {

class LoopThread {
public:
  LoopThread() : guard_(asio::make_work_guard(loop_)), thread_([this] { loop_.run(); }) {}
  ~LoopThread() {
    guard_.reset();
    loop_.stop();
    thread_.join();
  }

  asio::any_io_executor executor() { return loop_.get_executor(); }

  // Runs a coroutine there and waits for its result or its exception.
  template <class T>
  T run(std::function<awaitable<T>()> task) {
    auto future = asio::co_spawn(loop_, std::move(task), asio::use_future);
    if (future.wait_for(std::chrono::seconds(60)) != std::future_status::ready)
      throw std::runtime_error("the loop did not get it done in 60 s");
    return future.get();
  }
  // Runs a function there and waits for its result.
  template <class F>
  auto call(F function) {
    using R = std::invoke_result_t<F&>;
    return run<R>([function]() mutable -> awaitable<R> { co_return function(); });
  }

private:
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::thread thread_;
};

}  // namespace stackd::test
