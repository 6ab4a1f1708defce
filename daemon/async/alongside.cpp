#include "daemon/async/alongside.hpp"

#include "daemon/async/deadline.hpp"

namespace stackd::async {

awaitable<bool> alongside(awaitable<void> task, awaitable<void> helper) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto result = co_await (caught(std::move(task)) || caught(std::move(helper)));
  if (result.index() == 1) co_return false;
  if (const auto error = std::get<0>(result).error) std::rethrow_exception(error);
  co_return true;
}

}  // namespace stackd::async
