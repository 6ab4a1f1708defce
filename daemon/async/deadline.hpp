// Limits for waits.
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <chrono>
#include <string>
#include <variant>

#include "daemon/async/asio.hpp"
#include "daemon/async/signal.hpp"
#include "daemon/util/error.hpp"

namespace stackd::async {

// The task's result, or a `timed_out` Error "<what>: no answer within <limit>" and the task cancelled.
template <class T>
awaitable<T> within(std::chrono::milliseconds limit, std::string what, awaitable<T> task) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto result = co_await (std::move(task) || sleep_for(limit));
  if (result.index() == 1)
    throw util::Error(util::ErrorKind::timed_out,
                      what + ": no answer within " + std::to_string(limit.count()) + " ms");
  if constexpr (!std::is_void_v<T>) co_return std::get<0>(std::move(result));
}

}  // namespace stackd::async
