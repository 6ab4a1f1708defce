#include "daemon/async/user_files.hpp"

#include <mutex>
#include <thread>

#include "daemon/async/signal.hpp"

namespace stackd::async {
namespace {

// What a thread works on. Nothing in it knows a loop: the thread may outlive that.
struct Job {
  std::function<void()> work;
  std::exception_ptr error;
};

// The coroutine's, and only its: control thread.
struct Waiter {
  explicit Waiter(const asio::any_io_executor& executor) : over(executor) {}
  bool done = false;
  Signal over;
};

}  // namespace

// The lock guards `executor` only: a thread must not speak to a loop that is going away.
struct UserFiles::State {
  explicit State(const asio::any_io_executor& e) : executor(e), room(std::in_place, e) {}
  std::mutex mutex;
  std::optional<asio::any_io_executor> executor;
  int busy = 0;                // control thread
  std::optional<Signal> room;  // control thread

  static void work(const std::shared_ptr<State>& state, const std::shared_ptr<Job>& job,
                   const std::weak_ptr<Waiter>& waiter) {
    try {
      job->work();
    } catch (...) {
      job->error = std::current_exception();
    }
    job->work = nullptr;  // what it holds may be heavy, and is this thread's to free
    const std::lock_guard lock(state->mutex);
    if (!state->executor) return;
    asio::post(*state->executor, [state, waiter] {
      --state->busy;
      if (state->room) state->room->notify();
      const auto waits = waiter.lock();
      if (!waits) return;
      waits->done = true;
      waits->over.notify();
    });
  }
};

UserFiles::UserFiles(asio::any_io_executor executor) : state_(std::make_shared<State>(executor)) {}

UserFiles::~UserFiles() {
  const std::lock_guard lock(state_->mutex);
  state_->executor.reset();
  state_->room.reset();
}

int UserFiles::busy() const {
  return state_->busy;
}

awaitable<void> UserFiles::run_job(std::function<void()> work) {
  const auto state = state_;
  while (state->busy >= k_most) co_await state->room->wait();
  auto job = std::make_shared<Job>();
  job->work = std::move(work);
  auto waiter = std::make_shared<Waiter>(co_await asio::this_coro::executor);
  std::thread(State::work, state, job, std::weak_ptr<Waiter>(waiter)).detach();
  ++state->busy;
  while (!waiter->done) co_await waiter->over.wait();
  if (job->error) std::rethrow_exception(job->error);
}

}  // namespace stackd::async
