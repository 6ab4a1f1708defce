// shielded(): runs a coroutine that the caller's cancellation does not reach. Never use
// reset_cancellation_state in a nested coroutine for this: that changes the whole chain of callers.
#pragma once

#include "daemon/async/asio.hpp"

namespace stackd::async {

template <class T>
awaitable<T> shielded(awaitable<T> task) {
  auto executor = co_await asio::this_coro::executor;
  co_return co_await asio::co_spawn(executor, std::move(task),
                                    asio::bind_cancellation_slot(asio::cancellation_slot(), use_awaitable));
}

}  // namespace stackd::async
