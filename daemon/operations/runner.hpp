// Runner: carries operations through their steps, and through crashes. It knows step kinds only as names;
// steps/ registers what they do. Control thread; the store on its own. What it cannot write (a full disk) it
// logs and tries again until it can: the operation waits meanwhile, and nothing takes effect that is not
// written.
//
//   operation  running ──► succeeded                          step  pending ──► running ──► done
//                 │  └──► failed      (after roll-back)                │           ├──► failed
//                 └─────► cancelled   (after roll-back)                ├──► skipped └──► cancelled
//
// The rules that make kill -9 harmless, for every step kind that there is or will be:
//   1. "running" is committed before a step's effect, its outcome (with the steps that follow from it) after.
//      (A first step that is foreseen to have no effect is committed once, with its end:
//      Submission::foresee.)
//   2. After a restart every step found "running" is run again with `resumed` set; so run() must find out
//   whether its
//      effect is there already (deterministic names, labels with the operation, run directories) and take it
//      as done.
//   3. Failure and cancellation undo nothing by themselves: the roll-back is more steps, planned by
//   `plan_rollback` from
//      the rows, committed with the change of mode, run like any others.
//   4. A daemon that stops lets go of waiting steps without a mark: they are still "running" for the next
//   one.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/async/asio.hpp"
#include "daemon/async/serial.hpp"
#include "daemon/journal/journal.hpp"
#include "daemon/operations/step_plan.hpp"
#include "daemon/store/records.hpp"
#include "daemon/util/error.hpp"

namespace stackd::operations {

struct Outcome {
  nlohmann::json result = nlohmann::json::object();
  bool skipped = false;
  std::string reason;
  std::vector<std::string> warnings;
  std::vector<StepPlan> then;  // more steps, written in the same commit as this one's end
  // What it has found out of why the operation failed: put into its error.
  nlohmann::json explained = nlohmann::json::object();
  std::function<void(store::Database&)>
      record;  // more rows for that commit; may be called again when it fails
};

class Runner;

// What a step kind's run() gets. Copyable values only, so that it may outlive the call.
struct StepContext {
  store::OperationRow operation;
  store::StepRow step;
  nlohmann::json params;
  nlohmann::json request;  // of the operation
  bool resumed = false;    // the daemon died or stopped while this step ran
  Runner* runner = nullptr;

  // Result of a step that this one came after; an empty object when it was skipped or is unknown.
  nlohmann::json result_of(const std::string& key) const;
  // Whether that step has ended, however; false for one that the operation does not have.
  bool ended(const std::string& key) const;
};

struct StepKind {
  // Throws Error to fail. Must be safe to run again (rule 2).
  std::function<awaitable<Outcome>(StepContext)> run;
  // May be cancelled while it waits (readiness, hooks, pulls, builds). Others always run to their end.
  bool interruptible = false;
  // Runs from when the step is planned until its turn comes, and again in the next daemon: what it throws
  // fails the step before its turn, so the operation need not get there to find out. What it returns is of no
  // use. Its effects are none.
  std::function<awaitable<Outcome>(StepContext)> watch = nullptr;
};

// Policy that the runner does not have itself. on_change and plan_rollback are called on the store's thread,
// inside the transaction they belong to, and again when that could not be committed; stop_on_failure on the
// control thread.
struct Policy {
  // When an operation starts, ends or changes mode: what becomes of the stack (its status column). Not for
  // one that was cancelled before it began: it changed nothing.
  std::function<void(store::Database&, const store::OperationRow&)> on_change;
  // The steps that take away what the operation made or started; empty leaves everything (up --keep). They
  // all go on when one fails. Gets all rows of the operation. Throwing means that nothing is taken away, with
  // a warning.
  std::function<std::vector<StepPlan>(store::Database&, const store::OperationRow&,
                                      const std::vector<store::StepRow>&)>
      plan_rollback;
  // A failed step's siblings: true stops the operation at once (and rolls back), false lets what does not
  // depend on it go on.
  std::function<bool(const store::OperationRow&)> stop_on_failure;
  // When an operation is out of time (milliseconds since 1970), by its row alone, so that the next daemon
  // says the same; nothing when it may take as long as it likes. It then fails as by a failed step. Control
  // thread.
  std::function<std::optional<std::int64_t>(const store::OperationRow&)> deadline;
  // Until what the store refused is written again the first time; then twice that, and so on, up to 30 s.
  std::chrono::milliseconds retry{1000};
};

// What becomes of a wish while another operation of its stack runs.
enum class Decision {
  join,   // that one is what was asked for
  follow  // that one is cancelled, and this one begins when it has ended
};
// Asked about the stack's running operation that was submitted last. Throws to refuse.
using Gate = std::function<Decision(const store::OperationRow& running)>;

struct Submission {
  store::OperationRow row;
  std::vector<StepPlan> steps;
  std::function<void(store::Database&)> extra = nullptr;  // written in the same transaction, before the rest
  Gate gate = nullptr;                                    // without one it begins whatever runs
  // Right before it is written, with nothing awaited in between; not when it joins or is refused.
  std::function<void(const store::OperationRow&)> begins = nullptr;
  // What its first step, the only one, would come to, when that is to do nothing: rows alone change, and no
  // step follows. Asked before anything is written, and not of one that comes after another. The operation is
  // then written once, begun and ended. When it says nothing, throws, or takes longer than `foresight`, the
  // step runs like any other.
  std::function<awaitable<std::optional<Outcome>>(const store::OperationRow&)> foresee = nullptr;
  std::chrono::milliseconds foresight{500};
};
struct Submitted {
  std::string id;
  bool joined = false;  // it is an operation that was running; it is written
};

// When an operation has ended and that is written; on the control thread.
using EndedFunction = std::function<void(const store::OperationRow&)>;

class Runner {
public:
  Runner(asio::any_io_executor executor, journal::Journal& journal, Policy policy);
  ~Runner();

  void add_kind(const std::string& name, StepKind kind);
  void on_ended(EndedFunction function);

  // Writes the operation with its first steps and starts it (after `row.after` has ended). Whether it may
  // begin is decided in the moment in which active() knows of it, before anything is awaited: two wishes
  // never pass each other. One that follows another begins when nothing that was there before it is left of
  // its stack. Throws what the gate, `extra` and the store throw, Error(internal) for steps that
  // could never end, Error(failed) while the daemon stops.
  awaitable<Submitted> submit(Submission submission);
  // Asks a running operation to stop and take away what it made; returns when that is written. False when it
  // is not running (any more). One that is already being taken back goes on with that.
  awaitable<bool> cancel(const std::string& operation_id);
  // Until the operation has ended; its final row. Cancellable. Throws Error(not_found), and Error(failed)
  // when the daemon stops first.
  awaitable<store::OperationRow> wait(const std::string& operation_id);
  // The running operation of a stack that was submitted last, if any.
  std::optional<store::OperationRow> active(const std::string& stack_id) const;

  // Start-up: takes up every operation that the store says is running.
  awaitable<void> recover();
  // Shutdown: no more steps; waits for those that may not be interrupted, at most `patience`, and lets go of
  // the rest (rule 4). Must have ended before the runner goes away.
  awaitable<void> stop(std::chrono::milliseconds patience = std::chrono::seconds(10));

private:
  friend struct StepContext;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stackd::operations
