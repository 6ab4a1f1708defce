// The loop of one operation. It waits until something happened (a step ended, a cancel, the one before it
// ended), feeds that to the course, commits what comes out in one transaction, and starts what the
// transaction marked as running. What happens during a commit waits for the next, so a busy operation needs
// fewer commits and not more.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/operations/runner_impl.hpp"
#include "daemon/util/text.hpp"

namespace stackd::operations {

namespace {

using store::Database;
using store::StepRow;
using util::Error;
using util::ErrorKind;

StepEnd failure(int ordinal, std::string_view code, std::string message,
                std::vector<std::string> details = {}) {
  return {.ordinal = ordinal,
          .how = StepEnd::How::failed,
          .code = std::string(code),
          .message = std::move(message),
          .details = std::move(details)};
}

StepEnd failure(int ordinal, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    return failure(ordinal, e.code(), e.what(), e.details());
  } catch (const std::exception& e) {
    return failure(ordinal, util::code_of(ErrorKind::internal), e.what());
  } catch (...) {
    return failure(ordinal, util::code_of(ErrorKind::internal), "it threw what is no error");
  }
}

// Without what only the next daemon has to know.
nlohmann::json told_of(const std::string& error) {
  auto told = nlohmann::json::parse(error);
  told.erase(k_out_of_time);
  return told;
}

constexpr std::chrono::seconds k_last_retry{30};

}  // namespace

void Runner::Impl::poke(Operation& operation) {
  operation.attention = true;
  operation.wake.notify();
}

// For the one that it comes after, and for all of its stack that were there before: that one may itself have
// waited, and have been cancelled before it began.
bool Runner::Impl::waits(const Operation& operation) const {
  const auto& row = operation.course.row();
  if (row.after.empty() || row.after == row.id) return false;
  for (const auto& other : operations_) {
    if (other.get() == &operation) break;
    if (other->course.row().stack_id == row.stack_id) return true;
  }
  return find(row.after) != nullptr;
}

// Takes it off the list and tells those who wait for it.
void Runner::Impl::leave(const OperationPtr& operation) {
  (operation->course.ended() && !operation->unwritten ? operation->over : operation->let_go) = true;
  operations_.erase(std::remove(operations_.begin(), operations_.end(), operation), operations_.end());
  operation->told.notify();
  left_.notify();
  for (const auto& other : operations_)
    if (!other->course.begun()) poke(*other);
  if (operation->over && on_ended_) on_ended_(operation->course.row());
}

awaitable<void> Runner::Impl::carry(OperationPtr operation) {
  std::vector<int> started = std::move(operation->to_start);
  watch_all(operation);
  for (;;) {
    if (!stopping_)
      for (const auto ordinal : started) start(operation, ordinal, false);
    if (stopping_ || operation->course.winding_down()) cancel_tasks(operation, false);
    if (stopping_ || !operation->course.goes_forward()) end_watches(*operation);
    if (operation->course.ended() && !operation->unwritten) break;
    if (stopping_ && operation->tasks.empty() && operation->ends.empty() && !operation->cancel_asked) break;
    co_await wait_for_news(operation);
    auto marked = co_await go_on(operation);
    if (!marked) break;
    started = std::move(*marked);
  }
  leave(operation);
}

// Until something happened, or the operation is out of time.
awaitable<void> Runner::Impl::wait_for_news(OperationPtr operation) {
  while (!operation->attention) {
    const auto left = time_left(*operation);
    if (left && left->count() <= 0) break;
    if (left)
      co_await operation->wake.wait_for(*left);
    else
      co_await operation->wake.wait();
  }
  operation->attention = false;
}

// Nothing when it has no limit, or when that does not matter any more.
std::optional<std::chrono::milliseconds> Runner::Impl::time_left(const Operation& operation) const {
  const auto& course = operation.course;
  const auto& row = course.row();
  if (stopping_ || !course.begun() || course.ended() || course.winding_down() || row.mode == "rollback")
    return std::nullopt;
  const auto deadline = policy_.deadline(row);
  if (!deadline) return std::nullopt;
  constexpr std::chrono::milliseconds k_longest = std::chrono::hours(24 * 365 * 100);  // what clocks can add
  const auto limit = std::min(std::chrono::milliseconds(*deadline - row.created_at), k_longest);
  const auto end = operation.created + limit;
  return std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
}

// What happened, and what follows from it. The time is looked at before anything begins, whatever else there
// was to do: it may have passed while no daemon ran, or while this operation waited for its turn.
std::shared_ptr<const Batch> Runner::Impl::turn(Operation& operation) {
  auto& course = operation.course;
  const auto is_late = [&] {
    const auto left = time_left(operation);
    return left && left->count() <= 0;
  };
  for (auto& end : std::exchange(operation.ends, {})) course.end_step(std::move(end));
  for (const auto& end : std::exchange(operation.early, {})) course.fail_early(end);
  if (is_late()) course.run_out_of_time();
  if (operation.cancel_asked) course.request_cancel();
  if (!stopping_ && !course.begun() && !course.row().cancel_requested && !waits(operation)) {
    course.begin();
    if (is_late()) course.run_out_of_time();
  }
  return std::make_shared<const Batch>(course.advance(!stopping_));
}

// Begun, its only step ended as it was foreseen, and over: one commit.
std::shared_ptr<const Batch> Runner::Impl::over_at_once(Operation& operation, Outcome outcome) {
  operation.course.begin();
  return std::make_shared<const Batch>(operation.course.run_through(std::move(outcome)));
}

// The store has it.
void Runner::Impl::written(Operation& operation, const Batch& batch, Written written) {
  operation.course.add_stored(std::move(written.planned), written.warning);
  // The steps of the roll-back are there now, and the first of them may begin.
  if (batch.roll_back) operation.attention = true;
}

// One turn becomes one commit. Returns the steps that it marked as running; nothing when the store refused
// until the daemon stopped, and no step is left to wait for.
awaitable<std::optional<std::vector<int>>> Runner::Impl::go_on(OperationPtr operation) {
  const bool cancelling = operation->cancel_asked;
  const auto batch = turn(*operation);
  std::vector<int> marked;
  if (!batch->empty() && !operation->unwritten) {
    auto made = co_await write(operation, batch);
    if (made) {
      marked = batch->started;
      written(*operation, *batch, std::move(*made));
      if (batch->changed || !batch->insert.empty()) watch_all(operation);
    } else {
      operation->unwritten = true;
    }
  }
  if (cancelling) operation->cancel_asked = false;
  operation->told.notify();
  if (operation->unwritten && operation->tasks.empty()) co_return std::nullopt;
  co_return marked;
}

// Nothing when the daemon stopped before the store took it.
awaitable<std::optional<Runner::Impl::Written>> Runner::Impl::write(OperationPtr operation,
                                                                    std::shared_ptr<const Batch> batch) {
  for (auto delay = policy_.retry;; delay = std::min<std::chrono::milliseconds>(delay * 2, k_last_retry)) {
    try {
      auto apply_batch = [this, batch](Database& db) { return apply(db, *batch); };
      co_return co_await journal_.commit(std::move(apply_batch));
    } catch (const std::exception& error) {
      spdlog::error("operation {} waits, because what it did could not be written: {}", batch->operation.id,
                    error.what());
    }
    if (stopping_) co_return std::nullopt;
    co_await operation->wake.wait_for(delay);
    if (stopping_) co_return std::nullopt;
  }
}

// On the store's thread, inside a transaction.
Runner::Impl::Written Runner::Impl::apply(Database& db, const Batch& batch) const {
  const auto& row = batch.operation;
  if (batch.insert_operation) store::Operations::insert(db, row);
  if (batch.update_operation) store::Operations::update(db, row);
  for (const auto& step : batch.insert) store::Steps::insert(db, step);
  for (const auto& step : batch.update) store::Steps::update(db, step);
  for (const auto& record : batch.records) record(db);
  for (const auto& [kind, data] : batch.events) journal::Journal::event(db, row.stack_id, row.id, kind, data);
  Written written;
  if (batch.roll_back) plan_rollback(db, batch, written);
  if (batch.changed) policy_.on_change(db, row);
  if (batch.ended) {
    nlohmann::json data{{"state", row.state}, {"warnings", nlohmann::json::parse(row.warnings)}};
    if (!row.error.empty()) data["error"] = told_of(row.error);
    journal::Journal::event(db, row.stack_id, row.id, "operation.ended", data);
  }
  return written;
}

void Runner::Impl::plan_rollback(Database& db, const Batch& batch, Written& written) const {
  try {
    const auto plans = policy_.plan_rollback(db, batch.operation, batch.all);
    const auto known = [&](const std::string& key) {
      return std::any_of(batch.all.begin(), batch.all.end(),
                         [&](const StepRow& step) { return step.key == key; });
    };
    written.planned = rows_of(batch.operation.id, plans, batch.all.size(), known, true);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::io) throw;  // the store's: the whole transaction is tried again
    written.warning = std::string("nothing was taken away: ") + error.what();
  } catch (const std::exception& error) {
    written.warning = std::string("nothing was taken away: ") + error.what();
  }
  for (const auto& step : written.planned) store::Steps::insert(db, step);
  if (written.warning.empty()) return;
  auto warned = batch.operation;
  warned.warnings = with_warning(warned.warnings, written.warning);
  store::Operations::update(db, warned);
  journal::Journal::event(db, warned.stack_id, warned.id, "warning",
                          {{"message", util::valid_utf8(written.warning)}});
}

// Rule 2. When the operation was to be taken back already, only what may not be interrupted is run again: it
// may be in the middle of its effect, and the roll-back must not begin before that is over (E5).
void Runner::Impl::resume(const OperationPtr& operation) {
  for (const auto ordinal : operation->course.running()) {
    const auto kind = kinds_.find(operation->course.step(ordinal).kind);
    if (operation->course.winding_down() && kind != kinds_.end() && kind->second.interruptible) {
      operation->ends.push_back({.ordinal = ordinal, .how = StepEnd::How::cancelled});
    } else {
      start(operation, ordinal, true);
    }
  }
  watch_all(operation);
  poke(*operation);
}

void Runner::Impl::start(const OperationPtr& operation, int ordinal, bool resumed) {
  const auto& course = operation->course;
  const auto& step = course.step(ordinal);
  const auto kind = kinds_.find(step.kind);
  if (kind == kinds_.end()) {
    operation->ends.push_back(
        failure(ordinal, util::code_of(ErrorKind::internal),
                "cannot run step '" + step.key + "': there is no kind '" + step.kind + "'"));
    return poke(*operation);
  }
  if (const auto watched = operation->watches.find(ordinal); watched != operation->watches.end()) {
    watches_.cancel(watched->second);
    operation->watches.erase(watched);
  }
  auto context = context_of(*operation, ordinal);
  context.resumed = resumed;
  auto task = std::make_shared<Task>();
  task->interruptible = kind->second.interruptible;
  operation->tasks[ordinal] = task;
  task->id =
      steps_.spawn(step.key, [this, operation, task, context] { return run_step(operation, task, context); });
}

StepContext Runner::Impl::context_of(const Operation& operation, int ordinal) const {
  const auto& course = operation.course;
  return {.operation = course.row(),
          .step = course.step(ordinal),
          .params = course.params(ordinal),
          .request = course.request(),
          .runner = &runner_};
}

void Runner::Impl::watch_all(const OperationPtr& operation) {
  const auto& course = operation->course;
  if (stopping_ || !course.goes_forward()) return;
  for (const auto ordinal : course.pending()) {
    const auto& step = course.step(ordinal);
    const auto kind = kinds_.find(step.kind);
    if (kind == kinds_.end() || !kind->second.watch || operation->watches.count(ordinal) > 0) continue;
    auto run = [this, operation, context = context_of(*operation, ordinal)] {
      return run_watch(operation, context);
    };
    operation->watches[ordinal] = watches_.spawn("watch of " + step.key, std::move(run));
  }
}

awaitable<void> Runner::Impl::run_watch(OperationPtr operation, StepContext context) {
  const int ordinal = context.step.ordinal;
  const auto watch = kinds_.at(context.step.kind).watch;
  try {
    co_await watch(std::move(context));
  } catch (...) {
    const auto error = std::current_exception();
    if (async::is_cancellation(error) || stopping_) co_return;
    operation->early.push_back(failure(ordinal, error));
    poke(*operation);
  }
}

void Runner::Impl::end_watches(Operation& operation) {
  for (const auto& [ordinal, id] : std::exchange(operation.watches, {})) watches_.cancel(id);
}

awaitable<void> Runner::Impl::run_step(OperationPtr operation, std::shared_ptr<Task> task,
                                       StepContext context) {
  const int ordinal = context.step.ordinal;
  StepEnd end{.ordinal = ordinal};
  // A task that is cancelled before its first turn would end without a word, so that is only noted
  // (cancel_tasks).
  task->begun = true;
  if (task->cancelled) {
    end.how = StepEnd::How::cancelled;
  } else {
    const auto run = kinds_.at(context.step.kind).run;
    try {
      end.outcome = co_await run(std::move(context));
    } catch (...) {
      const auto error = std::current_exception();
      end = failure(ordinal, error);
      if (task->cancelled) {
        end.how = StepEnd::How::cancelled;
        if (async::is_cancellation(error)) end.message.clear();
      }
    }
  }
  // No co_await from here on: in a task that was cancelled it would throw.
  operation->tasks.erase(ordinal);
  // Rule 4: what goes wrong while the daemon stops says nothing about the step. It is still "running" for the
  // next one.
  if (!stopping_ || end.how == StepEnd::How::done) operation->ends.push_back(std::move(end));
  poke(*operation);
}

// Interruptible steps, or all: those of a roll-back only when the daemon stops.
void Runner::Impl::cancel_tasks(const OperationPtr& operation, bool all) {
  const auto tasks = operation->tasks;  // a step may end, and its entry go, while it is cancelled
  for (const auto& [ordinal, task] : tasks) {
    if (task->cancelled || (!all && !task->interruptible)) continue;
    task->cancelled = true;
    if (task->begun) steps_.cancel(task->id);
  }
}

}  // namespace stackd::operations
