#include "daemon/async/user_files.hpp"

#include <mutex>
#include <thread>

#include "daemon/async/signal.hpp"

namespace stackd::async {
namespace {

// What a thread and the coroutine that waits for it share.
struct Job {
  explicit Job(const asio::any_io_executor& executor) : over(executor) {}
  std::function<void()> work;
  std::exception_ptr error;
  bool done = false;  // control thread
  Signal over;        // control thread
};

}  // namespace

// The lock guards `open` only: a thread must not speak to a loop that is going away.
struct UserFiles::State {
  explicit State(const asio::any_io_executor& e) : executor(e), room(e) {}
  asio::any_io_executor executor;
  int busy = 0;  // control thread
  Signal room;   // control thread
  std::mutex mutex;
  bool open = true;

  static void work(const std::shared_ptr<State>& state, std::shared_ptr<Job> job) {
    try {
      job->work();
    } catch (...) {
      job->error = std::current_exception();
    }
    job->work = nullptr;  // what it holds may be heavy, and is this thread's to free
    const std::lock_guard lock(state->mutex);
    if (!state->open) return;
    asio::post(state->executor, [state, job = std::move(job)] {
      job->done = true;
      --state->busy;
      job->over.notify();
      state->room.notify();
    });
  }
};

UserFiles::UserFiles(asio::any_io_executor executor) : state_(std::make_shared<State>(executor)) {}

UserFiles::~UserFiles() {
  const std::lock_guard lock(state_->mutex);
  state_->open = false;
}

int UserFiles::busy() const {
  return state_->busy;
}

awaitable<void> UserFiles::run_job(std::function<void()> work) {
  const auto state = state_;
  while (state->busy >= k_most) co_await state->room.wait();
  auto job = std::make_shared<Job>(state->executor);
  job->work = std::move(work);
  ++state->busy;
  std::thread(State::work, state, job).detach();
  while (!job->done) co_await job->over.wait();
  if (job->error) std::rethrow_exception(job->error);
}

}  // namespace stackd::async
