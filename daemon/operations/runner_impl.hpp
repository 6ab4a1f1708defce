// Inside of the Runner: runner.cpp has what callers see, carry.cpp the loop of one operation.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/async/signal.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/operations/course.hpp"
#include "daemon/operations/runner.hpp"

namespace stackd::operations {

class Runner::Impl {
public:
  // A step whose run() has not returned.
  struct Task {
    async::TaskGroup::Id id = 0;
    bool interruptible = false, begun = false, cancelled = false;
  };

  // An operation that is carried. Its loop (carry) alone changes `course` and writes; everyone else leaves a
  // wish here and calls poke().
  struct Operation {
    Operation(const asio::any_io_executor& executor, Course c)
        : course(std::move(c)),
          created(util::steady_at(course.row().created_at)),
          wake(executor),
          told(executor) {}

    Course course;
    const std::chrono::steady_clock::time_point
        created;                                  // its limit goes by this clock while the daemon runs
    std::map<int, std::shared_ptr<Task>> tasks;   // by ordinal
    std::vector<StepEnd> ends;                    // not fed to the course yet
    std::map<int, async::TaskGroup::Id> watches;  // of steps whose turn has not come
    std::vector<StepEnd> early;                   // what those have thrown, not fed to the course yet
    std::vector<int> to_start;                    // marked running by the commit that submitted it
    bool cancel_asked = false;
    bool attention = false;             // poke() is remembered while the loop does not wait
    bool unwritten = false;             // the daemon stopped while the store refused: write no more
    bool stored = false;                // its row is in the store
    bool over = false, let_go = false;  // the loop is done: ended, or left for the next daemon
    async::Signal wake;                 // for the loop
    async::Signal told;                 // for those who wait for it: something was committed, or it is done
  };
  using OperationPtr = std::shared_ptr<Operation>;

  Impl(Runner& runner, asio::any_io_executor executor, journal::Journal& journal, Policy policy);

  awaitable<Submitted> submit(Submission submission);
  awaitable<bool> cancel(std::string operation_id);
  awaitable<store::OperationRow> wait(std::string operation_id);
  awaitable<void> recover();
  awaitable<void> stop(std::chrono::milliseconds patience);

  OperationPtr find(const std::string& operation_id) const;
  std::optional<store::OperationRow> active(const std::string& stack_id) const;
  nlohmann::json result_of(const std::string& operation_id, const std::string& key) const;
  bool has_ended(const std::string& operation_id, const std::string& key) const;
  void add_kind(const std::string& name, StepKind kind) { kinds_[name] = std::move(kind); }
  void on_ended(EndedFunction function) { on_ended_ = std::move(function); }

private:
  // What the store made of a batch: the steps of the roll-back, when it asked for one, or why there are none.
  struct Written {
    std::vector<store::StepRow> planned;
    std::string warning;
  };

  // carry.cpp
  awaitable<void> carry(OperationPtr operation);
  awaitable<void> wait_for_news(OperationPtr operation);
  std::optional<std::chrono::milliseconds> time_left(const Operation& operation) const;
  std::shared_ptr<const Batch> turn(Operation& operation);
  static std::shared_ptr<const Batch> over_at_once(Operation& operation, Outcome outcome);
  void written(Operation& operation, const Batch& batch, Written written);
  awaitable<std::optional<std::vector<int>>> go_on(OperationPtr operation);
  awaitable<std::optional<Written>> write(OperationPtr operation, std::shared_ptr<const Batch> batch);
  Written apply(store::Database& db, const Batch& batch) const;
  void plan_rollback(store::Database& db, const Batch& batch, Written& written) const;
  void resume(const OperationPtr& operation);
  void start(const OperationPtr& operation, int ordinal, bool resumed);
  awaitable<void> run_step(OperationPtr operation, std::shared_ptr<Task> task, StepContext context);
  StepContext context_of(const Operation& operation, int ordinal) const;
  void watch_all(const OperationPtr& operation);
  awaitable<void> run_watch(OperationPtr operation, StepContext context);
  void end_watches(Operation& operation);
  void cancel_tasks(const OperationPtr& operation, bool all);
  bool waits(const Operation& operation) const;
  void leave(const OperationPtr& operation);
  static void poke(Operation& operation);

  // runner.cpp
  void spawn_carry(const OperationPtr& operation);
  OperationPtr newest(const std::string& stack_id) const;
  awaitable<bool> join(OperationPtr operation);
  awaitable<Submitted> begin(Submission submission, std::string cancelled);
  awaitable<std::optional<Outcome>> foreseen(Submission& submission);
  awaitable<void> wind_up(std::chrono::milliseconds patience);

  Runner& runner_;
  asio::any_io_executor executor_;
  journal::Journal& journal_;
  Policy policy_;
  EndedFunction on_ended_;
  std::map<std::string, StepKind> kinds_;
  std::vector<OperationPtr> operations_;  // in the order submitted
  async::TaskGroup loops_, steps_, watches_;
  async::Signal left_;  // an operation was left, or a submit() returned
  int submitting_ = 0;
  bool stopping_ = false;
};

}  // namespace stackd::operations
