#include "daemon/async/signal.hpp"

#include <boost/asio/multiple_exceptions.hpp>
#include <boost/system/system_error.hpp>
#include <list>

#include "daemon/async/loop.hpp"
#include "daemon/util/error.hpp"

namespace stackd::async {

// One timer a waiter: notify() cancels them all, and a waiter tells a wake-up from a cancellation by `woken`.
struct Signal::Waiters {
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    bool woken = false;
  };
  std::list<Waiter*> waiting;
};

Signal::Signal(asio::any_io_executor executor)
    : executor_(std::move(executor)), waiters_(std::make_shared<Waiters>()) {}

awaitable<void> Signal::wait() {
  co_await wait_for(std::chrono::hours(24 * 365));
}

awaitable<bool> Signal::wait_for(std::chrono::milliseconds limit) {
  // The list outlives the Signal, should it go away while someone waits.
  auto waiters = waiters_;
  Waiters::Waiter waiter(executor_);
  waiter.timer.expires_after(limit);
  const auto place = waiters->waiting.insert(waiters->waiting.end(), &waiter);
  struct Leave {
    Waiters& waiters;
    std::list<Waiters::Waiter*>::iterator place;
    ~Leave() { waiters.waiting.erase(place); }
  } leave{*waiters, place};
  auto [error] = co_await waiter.timer.async_wait(asio::as_tuple(use_awaitable));
  if (waiter.woken) co_return true;
  if (error) throw boost::system::system_error(error);
  fired(executor_, waiter.timer.expiry());
  co_return false;
}

void Signal::notify() {
  for (auto* waiter : waiters_->waiting) {
    waiter->woken = true;
    waiter->timer.cancel();
  }
}

awaitable<void> sleep_for(std::chrono::milliseconds duration) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  timer.expires_after(duration);
  co_await timer.async_wait(use_awaitable);
  fired(executor, timer.expiry());
}

awaitable<void> next_turn() {
  co_await asio::post(co_await asio::this_coro::executor, use_awaitable);
}

bool is_cancellation(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (const asio::multiple_exceptions& e) {
    return is_cancellation(e.first_exception());  // of two things awaited together, both were
  } catch (const util::Error& e) {
    return e.kind() == util::ErrorKind::cancelled;
  } catch (...) {
  }
  return false;
}

}  // namespace stackd::async
