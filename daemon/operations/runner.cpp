#include "daemon/operations/runner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/async/deadline.hpp"
#include "daemon/async/shielded.hpp"
#include "daemon/operations/runner_impl.hpp"

namespace stackd::operations {

namespace {

using store::Database;
using store::OperationRow;
using util::Error;
using util::ErrorKind;

// Missing parts of a policy do nothing, so that the rest need not ask.
Policy filled(Policy policy) {
  if (!policy.on_change) policy.on_change = [](Database&, const OperationRow&) {};
  if (!policy.plan_rollback)
    policy.plan_rollback = [](Database&, const OperationRow&, const std::vector<store::StepRow>&) {
      return std::vector<StepPlan>();
    };
  if (!policy.deadline) policy.deadline = [](const OperationRow&) { return std::nullopt; };
  if (!policy.stop_on_failure) policy.stop_on_failure = [](const OperationRow&) { return true; };
  return policy;
}

Error stopping_error(const std::string& what) {
  return Error(ErrorKind::failed, "cannot " + what + ": the daemon is stopping");
}

}  // namespace

nlohmann::json StepContext::result_of(const std::string& key) const {
  return runner->impl_->result_of(operation.id, key);
}
bool StepContext::ended(const std::string& key) const {
  return runner->impl_->has_ended(operation.id, key);
}

Runner::Runner(asio::any_io_executor executor, journal::Journal& journal, Policy policy)
    : impl_(std::make_unique<Impl>(*this, std::move(executor), journal, filled(std::move(policy)))) {}

Runner::~Runner() = default;

void Runner::add_kind(const std::string& name, StepKind kind) {
  impl_->add_kind(name, std::move(kind));
}

void Runner::on_ended(EndedFunction function) {
  impl_->on_ended(std::move(function));
}

awaitable<Submitted> Runner::submit(Submission submission) {
  return impl_->submit(std::move(submission));
}
awaitable<bool> Runner::cancel(const std::string& operation_id) {
  return impl_->cancel(operation_id);
}
awaitable<OperationRow> Runner::wait(const std::string& operation_id) {
  return impl_->wait(operation_id);
}
std::optional<OperationRow> Runner::active(const std::string& stack_id) const {
  return impl_->active(stack_id);
}
awaitable<void> Runner::recover() {
  return impl_->recover();
}
awaitable<void> Runner::stop(std::chrono::milliseconds patience) {
  return impl_->stop(patience);
}

// ---- Impl

Runner::Impl::Impl(Runner& runner, asio::any_io_executor executor, journal::Journal& journal, Policy policy)
    : runner_(runner),
      executor_(executor),
      journal_(journal),
      policy_(std::move(policy)),
      loops_(executor),
      steps_(executor),
      watches_(executor),
      left_(executor) {}

Runner::Impl::OperationPtr Runner::Impl::find(const std::string& operation_id) const {
  for (const auto& operation : operations_)
    if (operation->course.row().id == operation_id) return operation;
  return nullptr;
}

Runner::Impl::OperationPtr Runner::Impl::newest(const std::string& stack_id) const {
  for (auto it = operations_.rbegin(); it != operations_.rend(); ++it)
    if ((*it)->course.row().stack_id == stack_id) return *it;
  return nullptr;
}

std::optional<OperationRow> Runner::Impl::active(const std::string& stack_id) const {
  const auto operation = newest(stack_id);
  return operation ? std::optional(operation->course.row()) : std::nullopt;
}

nlohmann::json Runner::Impl::result_of(const std::string& operation_id, const std::string& key) const {
  const auto operation = find(operation_id);
  return operation ? operation->course.result_of(key) : nlohmann::json::object();
}

bool Runner::Impl::has_ended(const std::string& operation_id, const std::string& key) const {
  const auto operation = find(operation_id);
  return operation && operation->course.has_ended(key);
}

awaitable<Submitted> Runner::Impl::submit(Submission submission) {
  for (;;) {
    if (stopping_) throw stopping_error("begin an operation");
    const auto running = submission.gate ? newest(submission.row.stack_id) : nullptr;
    if (!running) co_return co_await begin(std::move(submission), "");
    const auto& row = running->course.row();
    if (submission.gate(row) == Decision::follow) {
      submission.row.after = row.id;
      co_return co_await begin(std::move(submission), row.id);
    }
    const bool joined = co_await join(running);
    if (joined) co_return Submitted{running->course.row().id, true};
  }
}

// Until the store has it. False when it never will.
awaitable<bool> Runner::Impl::join(OperationPtr operation) {
  while (!operation->stored && !operation->over && !operation->let_go) co_await operation->told.wait();
  co_return operation->stored;
}

// A look that fails, or takes its time, is the first step's own to fail and to wait for.
awaitable<std::optional<Outcome>> Runner::Impl::foreseen(Submission& submission) {
  if (!submission.foresee || !submission.row.after.empty()) co_return std::nullopt;
  try {
    auto look = submission.foresee(submission.row);
    co_return co_await async::within(submission.foresight, "look", std::move(look));
  } catch (const std::exception& error) {
    if (async::is_cancellation(std::current_exception())) throw;
    spdlog::debug("operation {} begins with a look of its own: {}", submission.row.id, error.what());
  }
  co_return std::nullopt;
}

// Nothing is awaited before the operation is on the list.
awaitable<Submitted> Runner::Impl::begin(Submission submission, std::string cancelled) {
  const auto id = submission.row.id;
  if (find(id)) throw Error(ErrorKind::conflict, "cannot begin operation " + id + ": there is one already");
  auto operation = std::make_shared<Operation>(
      executor_, Course(submission.row, submission.steps, policy_.stop_on_failure));
  // stop() waits for this one: what it has written is carried or left like any other.
  struct Submitting {
    Impl& impl;
    explicit Submitting(Impl& i) : impl(i) { ++impl.submitting_; }
    ~Submitting() {
      --impl.submitting_;
      impl.left_.notify();
    }
  } submitting(*this);
  operations_.push_back(operation);
  std::exception_ptr error;
  try {
    // Its cancelling is written first: a daemon that dies in between must not wait for it to succeed.
    if (!cancelled.empty()) co_await cancel(cancelled);
    // The one before it was let go, and has not ended.
    if (stopping_) throw stopping_error("begin an operation");
    auto outcome = co_await foreseen(submission);
    if (stopping_) throw stopping_error("begin an operation");
    if (submission.begins) submission.begins(operation->course.row());
    const bool cancelling = operation->cancel_asked;
    const bool at_once = outcome && !cancelling;
    const auto batch = at_once ? over_at_once(*operation, std::move(*outcome)) : turn(*operation);
    auto write = [this, batch, extra = submission.extra](Database& db) {
      if (extra) extra(db);
      return apply(db, *batch);
    };
    auto made = co_await journal_.commit(std::move(write));
    written(*operation, *batch, std::move(made));
    operation->to_start = batch->started;
    if (cancelling) operation->cancel_asked = false;
  } catch (...) {
    error = std::current_exception();
  }
  if (error) {
    operation->unwritten = true;
    leave(operation);
    std::rethrow_exception(error);
  }
  operation->stored = true;
  operation->told.notify();
  spawn_carry(operation);
  co_return Submitted{id};
}

awaitable<bool> Runner::Impl::cancel(std::string operation_id) {
  auto operation = find(operation_id);
  if (!operation) co_return false;
  const auto& course = operation->course;
  operation->cancel_asked = true;
  poke(*operation);
  // The loop may be in the middle of a commit that ends it, and then there was nothing left to cancel.
  while (operation->cancel_asked && !operation->over && !operation->let_go) co_await operation->told.wait();
  if (course.row().cancel_requested) co_return !operation->unwritten;
  co_return !operation->over && (course.row().mode == "rollback" || course.winding_down());
}

awaitable<OperationRow> Runner::Impl::wait(std::string operation_id) {
  if (auto operation = find(operation_id)) {
    while (!operation->over && !operation->let_go) co_await operation->told.wait();
    if (operation->over) co_return operation->course.row();
  }
  auto look = [operation_id](Database& db) { return store::Operations::get(db, operation_id); };
  const auto row = co_await journal_.run(std::move(look));
  if (!row) throw Error(ErrorKind::not_found, "there is no operation '" + operation_id + "'");
  if (row->state == "running") throw stopping_error("wait for operation " + operation_id);
  co_return *row;
}

awaitable<void> Runner::Impl::recover() {
  using Found = std::vector<std::pair<OperationRow, std::vector<store::StepRow>>>;
  auto look = [](Database& db) {
    Found found;
    for (auto& row : store::Operations::running(db)) {
      auto steps = store::Steps::of_operation(db, row.id);
      found.emplace_back(std::move(row), std::move(steps));
    }
    return found;
  };
  auto found = co_await journal_.run(std::move(look));
  std::vector<OperationPtr> recovered;
  for (auto& [row, steps] : found) {
    if (find(row.id)) continue;
    Course course(std::move(row), std::move(steps), policy_.stop_on_failure);
    recovered.push_back(std::make_shared<Operation>(executor_, std::move(course)));
    recovered.back()->stored = true;
  }
  // All are known before the first goes on, so that those that come after another see it. They were submitted
  // before anything that was submitted to this process.
  operations_.insert(operations_.begin(), recovered.begin(), recovered.end());
  for (const auto& operation : recovered) {
    resume(operation);
    spawn_carry(operation);
  }
}

void Runner::Impl::spawn_carry(const OperationPtr& operation) {
  loops_.spawn("operation " + operation->course.row().id, [this, operation] { return carry(operation); });
}

awaitable<void> Runner::Impl::stop(std::chrono::milliseconds patience) {
  // A shutdown that is itself hurried must still not leave anyone behind.
  co_await async::shielded(wind_up(patience));
}

awaitable<void> Runner::Impl::wind_up(std::chrono::milliseconds patience) {
  stopping_ = true;
  for (const auto& operation : operations_) poke(*operation);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!operations_.empty() || submitting_ > 0) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !co_await left_.wait_for(left)) break;
  }
  const auto late = operations_;
  for (const auto& operation : late) cancel_tasks(operation, true);
  while (submitting_ > 0) co_await left_.wait();
  co_await loops_.join();
  co_await steps_.join();
  watches_.cancel_all();
  co_await watches_.join();
}

}  // namespace stackd::operations
