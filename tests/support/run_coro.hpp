// Runs one coroutine to its end on a loop of its own and returns its result or throws what it threw.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>

#include "daemon/async/asio.hpp"

// CHECK evaluates an expression with a co_await in it twice.
#define CHECK_AWAITED(awaitable, ...)              \
  do {                                             \
    const auto awaited_value = co_await awaitable; \
    CHECK(awaited_value __VA_ARGS__);              \
  } while (false)

namespace stackd::test {

// `make(executor)` returns the awaitable. Fails when it takes longer than `limit`: a hang is a failure, not a
// wait.
template <class Make>
auto run_coro(Make make, std::chrono::seconds limit = std::chrono::seconds(60)) {
  asio::io_context loop(1);
  using R = typename decltype(make(loop.get_executor()))::value_type;
  std::exception_ptr error;
  bool done = false;
  if constexpr (std::is_void_v<R>) {
    asio::co_spawn(loop, make(loop.get_executor()), [&](std::exception_ptr e) {
      error = e;
      done = true;
      loop.stop();
    });
    loop.run_for(limit);
    if (!done) throw std::runtime_error("the coroutine did not end in time");
    if (error) std::rethrow_exception(error);
  } else {
    std::optional<R> result;
    asio::co_spawn(loop, make(loop.get_executor()), [&](std::exception_ptr e, R r) {
      error = e;
      if (!e) result = std::move(r);
      done = true;
      loop.stop();
    });
    loop.run_for(limit);
    if (!done) throw std::runtime_error("the coroutine did not end in time");
    if (error) std::rethrow_exception(error);
    return std::move(*result);
  }
}

}  // namespace stackd::test
