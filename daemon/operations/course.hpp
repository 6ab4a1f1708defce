// Course: one operation in memory. It knows which steps may begin, what a step's end means for the others,
// and what of all this has to be written. Pure: no store, no coroutines. The runner feeds it what happened
// and commits what it gives back; it is ahead of the store by that one commit, and nothing takes effect
// before it.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/operations/runner.hpp"
#include "daemon/store/records.hpp"

namespace stackd::operations {

// How a step's run() ended.
struct StepEnd {
  enum class How { done, failed, cancelled };
  int ordinal = 0;
  How how = How::done;
  Outcome outcome;  // when done
  std::string code,
      message;  // when failed: a word of ErrorKind, and why; when cancelled, if it was not clean
  std::vector<std::string> details;
};

// What one transaction writes.
struct Batch {
  store::OperationRow operation;
  bool insert_operation = false, update_operation = false;
  std::vector<store::StepRow> insert, update;
  std::vector<std::function<void(store::Database&)>> records;  // Outcome::record of the steps that ended
  std::vector<std::pair<std::string, nlohmann::json>> events;  // kind and data, in order
  bool changed = false;    // started, ended or another mode: Policy::on_change
  bool ended = false;      // operation.ended comes last, after what on_change has to tell
  bool roll_back = false;  // Policy::plan_rollback, with `all`
  std::vector<store::StepRow> all;
  std::vector<int> started;  // ordinals to run once it is committed

  bool empty() const {
    return !insert_operation && !update_operation && insert.empty() && update.empty() && events.empty();
  }
};

// In the error of an operation's row: it was stopped because its time was over, whatever had failed before.
// No step's row would say so.
inline constexpr const char* k_out_of_time = "out_of_time";

// The text of a JSON value; bytes that are no UTF-8 are replaced and do not throw.
std::string dump(const nlohmann::json& value);
// A row's warnings (a JSON list) with one more.
std::string with_warning(const std::string& warnings, const std::string& message);
// Rows for planned steps, not begun; ordinals from `first`. `known` says which keys the operation has
// already. Throws Error(internal) when a key is there twice, when a need names no step, or when steps need
// each other in a circle.
using KnownKey = std::function<bool(const std::string&)>;
std::vector<store::StepRow> rows_of(const std::string& operation_id, const std::vector<StepPlan>& plans,
                                    std::size_t first, const KnownKey& known, bool all_go_on);

class Course {
public:
  using StopOnFailure = std::function<bool(const store::OperationRow&)>;

  // A new operation: everything is still to be written.
  Course(store::OperationRow row, const std::vector<StepPlan>& plans, StopOnFailure stop_on_failure);
  // One that the store has: decides as the one that wrote these rows would have.
  Course(store::OperationRow row, std::vector<store::StepRow> steps, StopOnFailure stop_on_failure);

  const store::OperationRow& row() const { return row_; }
  const nlohmann::json& request() const { return request_; }
  const store::StepRow& step(int ordinal) const { return nodes_[static_cast<std::size_t>(ordinal)].row; }
  nlohmann::json params(int ordinal) const { return nodes_[static_cast<std::size_t>(ordinal)].params; }
  nlohmann::json result_of(const std::string& key) const;
  bool has_ended(const std::string& key) const;
  std::vector<int> running() const, pending() const;
  bool begun() const { return begun_; }
  bool ended() const { return row_.state != "running"; }
  // It failed or was cancelled, and waits for what runs; the roll-back comes after.
  bool winding_down() const;
  // Its own steps run or are to run: nothing has failed that ends it, and nobody has cancelled it.
  bool goes_forward() const { return begun_ && !ended() && row_.mode == "forward" && !winding_down(); }

  void begin();
  // Does nothing when it is already being taken back.
  void request_cancel();
  // Its time is over. Does nothing when all its steps have ended, it has failed already, or is being taken
  // back.
  void run_out_of_time();
  void end_step(StepEnd end);
  // A step fails before its turn. Does nothing when its turn has come, or when the operation does not go
  // forward.
  void fail_early(const StepEnd& end);
  void warn(const std::string& message);
  // What the store has got already: the roll-back, as planned in the transaction that changed the mode, and
  // the warning when it could not be.
  void add_stored(std::vector<store::StepRow> rows, const std::string& warning);

  // Goes on as far as it can, and hands over everything that has changed since the last time. Without
  // `may_start` (the daemon stops) nothing new begins.
  Batch advance(bool may_start);
  // The same, of one that has just begun: its first step comes to this at once, and nothing is to be run for
  // it.
  Batch run_through(Outcome first);

private:
  struct Node {
    store::StepRow row;
    nlohmann::json params, result;
    std::vector<std::size_t> needs, dependents;
    int unmet = 0;           // needs that have not ended
    std::string blocked_by;  // why it never ran: key of the failed step that it comes after, near or far
    bool told = false;       // it has ended, and its dependents hear or have heard of it
    bool stored = false, changed = false;
  };

  void add(std::vector<store::StepRow> rows, bool stored);
  std::vector<store::StepRow> rows() const;
  std::vector<int> in_state(std::string_view state) const;
  void release();
  void heard_all(std::size_t index);
  std::string blocking_key(const Node& node) const;
  void leave(std::size_t index, const std::string& state, const std::string& reason);
  void fail(std::size_t index, const StepEnd& end);
  void finish(std::size_t index, const Outcome& outcome);
  void start_ready();
  void end_rest();
  void end();
  void event(const std::string& kind, nlohmann::json data) { events_.emplace_back(kind, std::move(data)); }
  void touch(std::size_t index);
  Batch take();

  store::OperationRow row_;
  StopOnFailure stop_on_failure_;
  nlohmann::json request_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string, std::size_t> by_key_;
  std::vector<std::size_t> ended_;  // whose dependents have not heard of it
  std::vector<std::size_t> ready_;
  std::vector<std::size_t> touched_;
  std::vector<int> started_;
  std::vector<std::pair<std::string, nlohmann::json>> events_;
  std::vector<std::function<void(store::Database&)>> records_;
  int pending_ = 0, running_ = 0;
  bool begun_ = false, failed_ = false;  // failed_: by a step that stops the operation, or out of time
  bool stored_ = false, changed_ = false, announce_ = false, roll_back_ = false;
};

}  // namespace stackd::operations
