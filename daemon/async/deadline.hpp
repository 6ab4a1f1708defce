// Limits for waits.
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>

#include "daemon/async/asio.hpp"
#include "daemon/async/signal.hpp"
#include "daemon/util/error.hpp"

namespace stackd::async {

// What a task gave or threw, as a value: || waits for the first that *succeeds*, so whoever throws would be
// heard of only when the other has ended.
template <class T>
struct Caught {
  std::exception_ptr error;
  std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>> value;
};

template <class T>
awaitable<Caught<T>> caught(awaitable<T> task) {
  Caught<T> result;
  try {
    if constexpr (std::is_void_v<T>)
      co_await std::move(task);
    else
      result.value = co_await std::move(task);
  } catch (...) {
    result.error = std::current_exception();
  }
  co_return result;
}

// The task's result, or what it threw, or a `timed_out` Error "<what>: no answer within <limit>" and the task
// cancelled.
template <class T>
awaitable<T> within(std::chrono::milliseconds limit, std::string what, awaitable<T> task) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto result = co_await (caught(std::move(task)) || sleep_for(limit));
  if (result.index() == 1)
    throw util::Error(util::ErrorKind::timed_out,
                      what + ": no answer within " + std::to_string(limit.count()) + " ms");
  auto& ended = std::get<0>(result);
  if (ended.error) std::rethrow_exception(ended.error);
  if constexpr (!std::is_void_v<T>) co_return std::move(*ended.value);
}

}  // namespace stackd::async
