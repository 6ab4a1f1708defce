#include "daemon/operations/course.hpp"

#include <algorithm>
#include <utility>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::operations {

namespace {

using nlohmann::json;
using store::StepRow;

// What a row holds that is no JSON (it never is, unless someone edited the database) reads as empty.
json parsed(const std::string& text, json otherwise) {
  auto value = json::parse(text, nullptr, false);
  return value.is_discarded() || value.type() != otherwise.type() ? otherwise : value;
}

bool is_ended(const StepRow& row) {
  return row.state != "pending" && row.state != "running";
}

// By its watch, before what it needs had ended: nobody waits for those on its account.
bool failed_early(const StepRow& row) {
  return row.state == "failed" && !row.started_at;
}

const char* const k_operation_failed = "the operation failed";
const char* const k_cancelled = "cancelled";

}  // namespace

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string with_warning(const std::string& warnings, const std::string& message) {
  auto list = parsed(warnings, json::array());
  list.push_back(util::valid_utf8(message));
  return dump(list);
}

Course::Course(store::OperationRow row, const std::vector<StepPlan>& plans, StopOnFailure stop_on_failure)
    : row_(std::move(row)),
      stop_on_failure_(std::move(stop_on_failure)),
      request_(parsed(row_.request, json::object())) {
  add(rows_of(
          row_.id, plans, 0, [](const auto&) { return false; }, false),
      false);
}

Course::Course(store::OperationRow row, std::vector<StepRow> steps, StopOnFailure stop_on_failure)
    : row_(std::move(row)),
      stop_on_failure_(std::move(stop_on_failure)),
      request_(parsed(row_.request, json::object())),
      stored_(true) {
  begun_ = row_.mode == "rollback";
  for (const auto& step : steps) {
    begun_ = begun_ || step.state != "pending";
    failed_ = failed_ || (step.state == "failed" && step.on_error == "stop");
  }
  failed_ = failed_ && stop_on_failure_(row_);
  failed_ = failed_ || parsed(row_.error, json::object()).value(k_out_of_time, false);
  add(std::move(steps), true);
  // What had ended was heard of in the earlier process. Until it is here, an end that comes now would be
  // counted twice.
  release();
}

json Course::result_of(const std::string& key) const {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return json::object();
  const auto& node = nodes_[found->second];
  return node.row.state == "done" ? node.result : json::object();
}

bool Course::has_ended(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found != by_key_.end() && is_ended(nodes_[found->second].row);
}

std::vector<int> Course::running() const {
  return in_state("running");
}
std::vector<int> Course::pending() const {
  return in_state("pending");
}
std::vector<int> Course::in_state(std::string_view state) const {
  std::vector<int> ordinals;
  for (const auto& node : nodes_)
    if (node.row.state == state) ordinals.push_back(node.row.ordinal);
  return ordinals;
}

bool Course::winding_down() const {
  return begun_ && !ended() && row_.mode == "forward" && (row_.cancel_requested || failed_);
}

// ---- what happens to it

void Course::begin() {
  begun_ = true;
  announce_ = changed_ = true;
  event("operation.started", {{"kind", row_.kind}});
}

void Course::request_cancel() {
  if (ended() || winding_down() || row_.mode == "rollback" || row_.cancel_requested) return;
  row_.cancel_requested = true;
  row_.error = dump({{"code", util::code_of(util::ErrorKind::cancelled)},
                     {"message", k_cancelled},
                     {"details", json::array()}});
  changed_ = true;
}

void Course::run_out_of_time() {
  if (ended() || !begun_ || winding_down() || row_.mode == "rollback") return;
  if (running_ == 0 && pending_ == 0) return;
  std::string waited;
  for (const auto& node : nodes_)
    if (node.row.state == "running") waited += (waited.empty() ? "" : ", ") + node.row.key;
  auto error = parsed(row_.error, json::object());
  if (error.empty())
    error = {{"code", util::code_of(util::ErrorKind::timed_out)},
             {"message", "the " + row_.kind + " is out of time" +
                             (waited.empty() ? "" : "; it still waited for: " + waited)},
             {"details", json::array()}};
  error[k_out_of_time] = true;
  row_.error = dump(error);
  failed_ = changed_ = true;
}

void Course::end_step(StepEnd end) {
  const auto index = static_cast<std::size_t>(end.ordinal);
  switch (end.how) {
    case StepEnd::How::done:
      return finish(index, end.outcome);
    case StepEnd::How::failed:
      return fail(index, end);
    case StepEnd::How::cancelled:
      if (end.message.empty()) end.message = row_.cancel_requested ? k_cancelled : k_operation_failed;
      return leave(index, "cancelled", end.message);
  }
}

void Course::fail_early(const StepEnd& end) {
  const auto index = static_cast<std::size_t>(end.ordinal);
  if (goes_forward() && nodes_[index].row.state == "pending") fail(index, end);
}

void Course::warn(const std::string& message) {
  row_.warnings = with_warning(row_.warnings, message);
  changed_ = true;
  event("warning", {{"message", util::valid_utf8(message)}});
}

void Course::add_stored(std::vector<StepRow> rows, const std::string& warning) {
  add(std::move(rows), true);
  if (!warning.empty()) row_.warnings = with_warning(row_.warnings, warning);
}

Batch Course::advance(bool may_start) {
  release();
  if (!begun_) {
    if (row_.cancel_requested) {
      end_rest();
      end();
    }
  } else if (winding_down()) {
    if (running_ == 0 && may_start) {
      end_rest();
      row_.mode = "rollback";
      roll_back_ = announce_ = changed_ = true;
      event("operation.rolling_back",
            {{"kind", row_.kind}, {"reason", parsed(row_.error, json::object()).value("message", "")}});
    }
  } else if (!ended()) {
    if (may_start) start_ready();
    if (running_ == 0 && pending_ == 0) end();
  }
  return take();
}

Batch Course::run_through(Outcome first) {
  release();
  start_ready();
  const int ordinal = started_.at(0);
  started_.erase(started_.begin());
  end_step({.ordinal = ordinal, .outcome = std::move(first)});
  return advance(true);
}

// ---- steps

void Course::add(std::vector<StepRow> rows, bool stored) {
  const auto first = nodes_.size();
  for (auto& row : rows) {
    const auto index = nodes_.size();
    by_key_.emplace(row.key, index);
    Node node;
    node.params = parsed(row.params, json::object());
    node.result = parsed(row.result, json::object());
    node.stored = stored;
    node.row = std::move(row);
    if (node.row.state == "pending") ++pending_;
    if (node.row.state == "running") ++running_;
    nodes_.push_back(std::move(node));
    if (!stored) touch(index);
  }
  for (auto index = first; index < nodes_.size(); ++index) {
    auto& node = nodes_[index];
    for (const auto& need : parsed(node.row.needs, json::array())) {
      const auto found = by_key_.find(need.get<std::string>());
      if (found == by_key_.end()) continue;
      auto& other = nodes_[found->second];
      node.needs.push_back(found->second);
      // One of an earlier batch that has ended was heard of; everything else makes itself known when it ends,
      // or, as rows of an earlier process, in the order of the graph.
      if (found->second < first && is_ended(other.row)) continue;
      other.dependents.push_back(index);
      ++node.unmet;
    }
  }
  for (auto index = first; index < nodes_.size(); ++index)
    if (nodes_[index].unmet == 0 || failed_early(nodes_[index].row)) heard_all(index);
}

// All that it needs has ended. Of several that have failed the first in its list is named, in whatever order
// they did: so it is the same for whoever reads the rows.
void Course::heard_all(std::size_t index) {
  auto& node = nodes_[index];
  if (!node.row.started_at)
    for (const auto need : node.needs)
      if (node.blocked_by.empty()) node.blocked_by = blocking_key(nodes_[need]);
  if (!is_ended(node.row)) return ready_.push_back(index);
  if (!std::exchange(node.told, true)) ended_.push_back(index);
}

std::string Course::blocking_key(const Node& node) const {
  if (row_.mode == "rollback") return "";
  if (node.row.state == "skipped") return node.blocked_by;
  const bool stopped = node.row.state == "failed" || node.row.state == "cancelled";
  return stopped && node.row.on_error == "stop" ? node.row.key : "";
}

// Tells every step that waits for one that has ended; what comes after a failed one is skipped, and that goes
// on.
void Course::release() {
  std::vector<std::size_t> free;
  while (!ready_.empty() || !ended_.empty()) {
    while (!ended_.empty()) {
      const auto index = ended_.back();
      ended_.pop_back();
      for (const auto dependent : nodes_[index].dependents)
        if (--nodes_[dependent].unmet == 0) heard_all(dependent);
    }
    for (const auto index : std::exchange(ready_, {})) {
      const auto& node = nodes_[index];
      if (node.row.state != "pending") continue;
      if (node.blocked_by.empty())
        free.push_back(index);
      else
        leave(index, "skipped", "needs " + node.blocked_by + ", which failed");
    }
  }
  ready_ = std::move(free);
}

void Course::leave(std::size_t index, const std::string& state, const std::string& reason) {
  auto& row = nodes_[index].row;
  --(row.state == "running" ? running_ : pending_);
  row.state = state;
  row.reason = util::valid_utf8(reason);
  row.ended_at = util::now_ms();
  touch(index);
  nodes_[index].told = true;
  ended_.push_back(index);
  json data{{"key", row.key},
            {"kind", row.kind},
            {"service", row.service},
            {"state", state},
            {"reason", row.reason}};
  if (row.started_at) data["duration_ms"] = *row.ended_at - *row.started_at;
  event("step.ended", std::move(data));
}

void Course::finish(std::size_t index, const Outcome& outcome) {
  std::vector<StepRow> more;
  try {
    const auto known = [this](const std::string& key) { return by_key_.count(key) > 0; };
    more = rows_of(row_.id, outcome.then, nodes_.size(), known, row_.mode == "rollback");
  } catch (const util::Error& error) {
    return fail(index, {.code = std::string(error.code()), .message = error.what()});
  }
  auto& node = nodes_[index];
  node.result = outcome.result;
  node.row.result = dump(outcome.result);
  if (outcome.record) records_.push_back(outcome.record);
  if (!outcome.explained.empty() && !row_.error.empty()) {
    auto error = parsed(row_.error, json::object());
    error.update(outcome.explained);
    row_.error = dump(error);
    changed_ = true;
  }
  leave(index, outcome.skipped ? "skipped" : "done", outcome.reason);
  for (const auto& warning : outcome.warnings) warn(warning);
  add(std::move(more), false);
}

void Course::fail(std::size_t index, const StepEnd& end) {
  leave(index, "failed", end.message);
  const auto message = util::valid_utf8(end.message);
  // What the roll-back could not take away does not change why there was one, but someone has to know.
  if (row_.mode == "rollback") {
    if (!row_.error.empty()) {
      auto error = parsed(row_.error, json::object());
      error["roll_back"].push_back(message);
      row_.error = dump(error);
    }
    return warn(message);
  }
  if (row_.error.empty()) {
    const auto& row = nodes_[index].row;
    row_.error = dump({{"code", end.code},
                       {"message", message},
                       {"details", end.details},
                       {"cause", {{"kind", row.kind}, {"step", row.key}, {"service", row.service}}}});
    changed_ = true;
  }
  if (nodes_[index].row.on_error == "stop" && stop_on_failure_(row_)) failed_ = true;
}

void Course::start_ready() {
  std::sort(ready_.begin(), ready_.end());
  for (const auto index : ready_) {
    auto& row = nodes_[index].row;
    row.state = "running";
    row.started_at = util::now_ms();
    --pending_;
    ++running_;
    touch(index);
    started_.push_back(row.ordinal);
    event("step.started", {{"key", row.key}, {"kind", row.kind}, {"service", row.service}});
  }
  ready_.clear();
}

void Course::end_rest() {
  for (std::size_t index = 0; index < nodes_.size(); ++index) {
    if (nodes_[index].row.state != "pending") continue;
    if (row_.cancel_requested) {
      leave(index, "cancelled", k_cancelled);
    } else {
      leave(index, "skipped", k_operation_failed);
    }
  }
  ended_.clear();  // nobody waits any more
  ready_.clear();
}

void Course::end() {
  if (row_.cancel_requested) {
    row_.state = "cancelled";
  } else {
    row_.state = row_.error.empty() ? "succeeded" : "failed";
  }
  row_.ended_at = util::now_ms();
  changed_ = true;
  announce_ = begun_;
}

// ---- what is to be written

void Course::touch(std::size_t index) {
  if (nodes_[index].changed) return;
  nodes_[index].changed = true;
  touched_.push_back(index);
}

std::vector<StepRow> Course::rows() const {
  std::vector<StepRow> rows;
  for (const auto& node : nodes_) rows.push_back(node.row);
  return rows;
}

Batch Course::take() {
  Batch batch;
  batch.operation = row_;
  batch.insert_operation = !stored_;
  batch.update_operation = stored_ && changed_;
  for (const auto index : touched_) {
    auto& node = nodes_[index];
    (node.stored ? batch.update : batch.insert).push_back(node.row);
    node.stored = true;
    node.changed = false;
  }
  batch.events = std::move(events_);
  batch.records = std::move(records_);
  batch.changed = announce_;
  batch.ended = ended() && changed_;
  batch.roll_back = roll_back_;
  if (roll_back_) batch.all = rows();
  batch.started = std::move(started_);
  touched_.clear();
  events_.clear();
  records_.clear();
  started_.clear();
  stored_ = true;
  changed_ = announce_ = roll_back_ = false;
  return batch;
}

}  // namespace stackd::operations
