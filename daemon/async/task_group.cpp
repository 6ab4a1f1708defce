#include "daemon/async/task_group.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <map>

#include "daemon/async/loop.hpp"
#include "daemon/async/shielded.hpp"

namespace stackd::async {

struct TaskGroup::State {
  explicit State(const asio::any_io_executor& e) : executor(e), left(e) {}
  asio::any_io_executor executor;
  std::map<Id, std::shared_ptr<asio::cancellation_signal>> tasks;
  Id next = 1;
  Signal left;

  static awaitable<void> wait_until_empty(std::shared_ptr<State> state) {
    while (!state->tasks.empty()) co_await state->left.wait();
  }
};

namespace {

std::string words_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "it threw what is no error";
  }
}

awaitable<void> keep_going(std::string name, std::function<awaitable<void>()> loop) {
  constexpr std::chrono::milliseconds k_first_pause{100}, k_longest_pause{10'000};
  constexpr std::chrono::minutes k_lived_well{1};
  auto pause = k_first_pause;
  for (;;) {
    const auto begun = std::chrono::steady_clock::now();
    std::exception_ptr error;
    try {
      co_await loop();
      co_return;
    } catch (...) {
      error = std::current_exception();
    }
    // By the state, not by the error: a wait that was aborted by anybody else ends no loop.
    const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
    if (cancelled != asio::cancellation_type::none) std::rethrow_exception(error);
    if (std::chrono::steady_clock::now() - begun >= k_lived_well) pause = k_first_pause;
    spdlog::error("{} has stopped: {}; it is started again in {} ms", name, words_of(error), pause.count());
    co_await sleep_for(pause);
    pause = std::min(pause * 2, k_longest_pause);
  }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor) : state_(std::make_shared<State>(executor)) {}

TaskGroup::~TaskGroup() {
  assert(state_->tasks.empty() && "join() a TaskGroup before it goes away");
}

TaskGroup::Id TaskGroup::spawn(std::string name, std::function<awaitable<void>()> task) {
  const auto id = state_->next++;
  auto signal = std::make_shared<asio::cancellation_signal>();
  state_->tasks.emplace(id, signal);
  auto executor = named(state_->executor, name);
  auto done = [state = state_, id, signal, name = std::move(name)](std::exception_ptr error) {
    if (error && !is_cancellation(error)) {
      try {
        std::rethrow_exception(error);
      } catch (const std::exception& e) {
        spdlog::error("task {}: {}", name, e.what());
      }
    }
    state->tasks.erase(id);
    state->left.notify();
  };
  // Passing the callable, not calling it, keeps its captures alive as long as the coroutine.
  asio::co_spawn(executor, std::move(task), asio::bind_cancellation_slot(signal->slot(), std::move(done)));
  return id;
}

TaskGroup::Id TaskGroup::keep(std::string name, std::function<awaitable<void>()> loop) {
  auto kept = [name, loop = std::move(loop)] { return keep_going(name, loop); };
  return spawn(name, std::move(kept));
}

void TaskGroup::cancel(Id task) {
  const auto found = state_->tasks.find(task);
  if (found == state_->tasks.end()) return;
  auto signal = found->second;  // the task may end, and its entry go, inside emit
  signal->emit(asio::cancellation_type::terminal);
}

void TaskGroup::cancel_all() {
  std::vector<Id> ids;
  for (const auto& [id, signal] : state_->tasks) ids.push_back(id);
  for (const auto id : ids) cancel(id);
}

awaitable<void> TaskGroup::join() {
  co_await shielded(State::wait_until_empty(state_));
}

std::size_t TaskGroup::size() const {
  return state_->tasks.size();
}

}  // namespace stackd::async
