#include "daemon/async/alongside.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <exception>

namespace stackd::async {
namespace {

// || waits for the first that *succeeds*, so failures are handed out as values.
awaitable<std::exception_ptr> caught(awaitable<void> task) {
  std::exception_ptr error;
  try {
    co_await std::move(task);
  } catch (...) {
    error = std::current_exception();
  }
  co_return error;
}

}  // namespace

awaitable<bool> alongside(awaitable<void> task, awaitable<void> helper) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto result = co_await (caught(std::move(task)) || caught(std::move(helper)));
  if (result.index() == 1) co_return false;
  if (auto error = std::get<0>(std::move(result))) std::rethrow_exception(error);
  co_return true;
}

}  // namespace stackd::async
