#include "daemon/async/job_thread.hpp"

#include <boost/asio/thread_pool.hpp>

namespace stackd::async {

struct JobThread::Pool {
  asio::thread_pool threads{1};
};

JobThread::JobThread() : pool_(std::make_unique<Pool>()) {}
JobThread::~JobThread() {
  pool_->threads.join();
}

awaitable<void> JobThread::run(std::function<void()> job) {
  auto work = [job = std::move(job)]() -> awaitable<void> {
    job();
    co_return;
  };
  // An empty slot: a cancellation would be delivered on the control thread to a coroutine that runs on
  // another.
  co_await asio::co_spawn(pool_->threads, std::move(work),
                          asio::bind_cancellation_slot(asio::cancellation_slot(), use_awaitable));
}

}  // namespace stackd::async
