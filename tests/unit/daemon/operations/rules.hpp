// Rules: what the rows of operations may become from one commit to the next. A second, slower telling of what
// operations/runner.hpp promises, that shares no code with it: it looks at rows alone, and at all of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/store/records.hpp"
#include "tests/unit/daemon/operations/script.hpp"

namespace stackd::test {

struct OperationRows {
  store::OperationRow row;
  std::vector<store::StepRow> steps;

  const store::StepRow* find(const std::string& key) const {
    for (const auto& step : steps)
      if (step.key == key) return &step;
    return nullptr;
  }
};
using AllRows = std::map<std::string, OperationRows>;

inline bool has_ended(const store::StepRow& step) {
  return step.state != "pending" && step.state != "running";
}
inline bool has_begun(const OperationRows& operation) {
  return operation.row.mode == "rollback" ||
         std::any_of(operation.steps.begin(), operation.steps.end(),
                     [](const auto& step) { return step.started_at.has_value(); });
}
// Parsed once for each text: it is asked for all steps at every commit.
inline const std::vector<std::string>& needs_of(const store::StepRow& step) {
  thread_local std::map<std::string, std::vector<std::string>> known;
  const auto [place, fresh] = known.try_emplace(step.needs);
  if (fresh) place->second = nlohmann::json::parse(step.needs).get<std::vector<std::string>>();
  return place->second;
}

// The test's Policy::stop_on_failure.
inline bool stops_on_failure(const store::OperationRow& row) {
  return row.kind != "down";
}

class Rules {
public:
  // What is wrong with a commit that changed `before` into `after`. `idle`: the runner was not stopping, so
  // that whatever could begin has.
  static std::vector<std::string> check(const AllRows& before, const AllRows& after, bool idle) {
    Rules rules;
    std::map<std::string, std::string> begun;
    for (const auto& [id, now] : after) {
      rules.id_ = id;
      const auto old = before.find(id);
      if (old != before.end())
        rules.operation(old->second, now);
      else
        rules.submitted(now.row, before);
      for (const auto& step : now.steps) rules.step(old == before.end() ? nullptr : &old->second, now, step);
      if (old == before.end() || is_other(old->second, now)) rules.whole(now, idle);
      if (now.row.state != "running" || !has_begun(now)) continue;
      const auto [other, only] = begun.emplace(now.row.stack_id, id);
      rules.expect(only, "it is past its gate together with " + other->second);
    }
    for (const auto& [id, old] : before) {
      rules.id_ = id;
      rules.expect(after.count(id) > 0, "it is gone");
    }
    return rules.wrong_;
  }

  // Nothing of the forward graph may begin, and then comes the roll-back.
  static bool is_stopped(const OperationRows& operation) {
    if (operation.row.cancel_requested || is_out_of_time(operation.row)) return true;
    return stops_on_failure(operation.row) &&
           std::any_of(operation.steps.begin(), operation.steps.end(),
                       [](const auto& step) { return step.state == "failed" && step.on_error == "stop"; });
  }
  static bool is_out_of_time(const store::OperationRow& row) {
    const auto error = nlohmann::json::parse(row.error, nullptr, false);
    return error.is_object() && (error.value("out_of_time", false) ||
                                 (error.value("code", "") == "timed-out" && !error.contains("cause")));
  }

private:
  void expect(bool holds, const std::string& what) {
    if (!holds) wrong_.push_back(id_ + ": " + what);
  }

  static bool is_other(const OperationRows& a, const OperationRows& b) {
    return a.row.state != b.row.state || a.row.mode != b.row.mode || a.row.error != b.row.error ||
           a.row.cancel_requested != b.row.cancel_requested || a.row.warnings != b.row.warnings ||
           !std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(), b.steps.end(),
                       [](const auto& x, const auto& y) { return x.state == y.state; });
  }

  // Whoever dies now must not leave one behind that waits for the success of another.
  void submitted(const store::OperationRow& row, const AllRows& before) {
    const auto other = before.find(row.after);
    if (other == before.end()) return;
    expect(other->second.row.state != "running" || other->second.row.mode == "rollback" ||
               is_stopped(other->second),
           "it is written before " + row.after + " is cancelled");
  }

  void operation(const OperationRows& old, const OperationRows& now) {
    const auto &a = old.row, &b = now.row;
    expect(a.stack_id == b.stack_id && a.kind == b.kind && a.request == b.request && a.after == b.after &&
               a.created_at == b.created_at,
           "what it was submitted with has changed");
    expect(a.mode == b.mode || a.mode == "forward", "its roll-back was given up");
    expect(!a.cancel_requested || b.cancel_requested, "it is not cancelled any more");
    expect(a.cancel_requested == b.cancel_requested || (a.mode == "forward" && !is_stopped(old)),
           "it was cancelled though it was stopped already");
    expect(a.state == b.state || a.state == "running", "it has ended twice");
    expect(!b.cancel_requested || a.cancel_requested ||
               b.error.find(R"("code":"cancelled")") != std::string::npos,
           "its error does not say that it was cancelled");
    if (!a.error.empty() && a.cancel_requested == b.cancel_requested)
      expect(message(a) == message(b), "its first error was not kept");
    const auto was = nlohmann::json::parse(a.warnings), is = nlohmann::json::parse(b.warnings);
    expect(is.size() >= was.size() && std::equal(was.begin(), was.end(), is.begin()), "a warning is gone");
    expect(old.steps.size() <= now.steps.size(), "a step is gone");
    if (a.mode != b.mode)
      for (const auto& step : old.steps) {
        const auto* then = now.find(step.key);
        expect(then && has_ended(*then), "it is taken back before " + step.key + " has ended");
      }
    if (a.state != "running")
      expect(a.state == b.state && a.ended_at == b.ended_at, "it changed after its end");
  }

  static std::string message(const store::OperationRow& row) {
    return nlohmann::json::parse(row.error).value("message", "");
  }

  void step(const OperationRows* old, const OperationRows& now, const store::StepRow& step) {
    const auto* before = old ? old->find(step.key) : nullptr;
    const std::string was = before ? before->state : "pending";
    expect(step.ordinal == static_cast<int>(&step - now.steps.data()), step.key + " has a wrong ordinal");
    expect(has_ended(step) == step.ended_at.has_value(), step.key + " has a wrong end");
    if (was == step.state) return;
    expect(!before || !has_ended(*before), step.key + " was " + was + " and is " + step.state);
    if (was == "running") {
      expect(step.state != "pending", step.key + " is pending again");
      expect(step.state != "cancelled" || is_stopped(*old), step.key + " was cancelled for nothing");
      expect(step.state != "cancelled" || step.kind == "wait", step.key + " was cancelled, and may not be");
      return;
    }
    if (step.state == "running") return began(old, now, step);
    left_out(old, now, step);
  }

  void began(const OperationRows* old, const OperationRows& now, const store::StepRow& step) {
    const bool forward = is_forward(old, now, step);
    for (const auto& need : needs_of(step)) {
      const auto* other = now.find(need);
      expect(other && has_ended(*other), step.key + " began before " + need + " had ended");
      if (forward && other)
        expect(blocking(now, *other).empty(), step.key + " began though " + need + " failed");
    }
    expect(now.row.state == "running", step.key + " began in an operation that has ended");
    if (forward)
      expect(now.row.mode == "forward" && !is_stopped(now),
             step.key + " began though the operation was stopped: " + now.row.error);
    else
      expect(old && old->row.mode == "rollback", step.key + " began before the roll-back");
  }

  // Steps that were there when the roll-back began are of the forward graph; all the others go on.
  static bool is_forward(const OperationRows* old, const OperationRows& now, const store::StepRow& step) {
    if (now.row.mode == "forward") return true;
    return old && old->row.mode == "forward" && old->find(step.key);
  }

  // It never ran: it comes after what failed, the operation was stopped before its turn, or its watch failed
  // it.
  void left_out(const OperationRows* old, const OperationRows& now, const store::StepRow& step) {
    if (step.state == "failed")
      return expect(!old || (old->row.mode == "forward" && !is_stopped(*old)),
                    step.key + " failed before its turn in an operation that had been stopped");
    expect(step.state == "skipped" || step.state == "cancelled",
           step.key + " never ran and is " + step.state);
    if (step.reason.find("needs ") == 0) {
      const auto by = first_blocking(now, step);
      expect(std::all_of(by.second.begin(), by.second.end(), [](const auto* s) { return has_ended(*s); }),
             step.key + " is skipped before all that it needs has ended");
      return expect(step.reason == "needs " + by.first + ", which failed",
                    step.key + " is skipped for another reason: " + step.reason + "; it was " + by.first);
    }
    const bool taken_back = now.row.mode == "rollback" && (!old || old->row.mode == "forward");
    const bool never_begun = now.row.state == "cancelled" && !has_begun(now);
    expect(taken_back || never_begun, step.key + " was left out for nothing: " + step.reason);
    expect(step.state == (now.row.cancel_requested ? "cancelled" : "skipped"),
           step.key + " is " + step.state);
  }

  // The failed step that a step comes after, near or far: of several the one that its needs name first.
  static std::pair<std::string, std::vector<const store::StepRow*>> first_blocking(
      const OperationRows& operation, const store::StepRow& step) {
    std::pair<std::string, std::vector<const store::StepRow*>> found;
    for (const auto& need : needs_of(step))
      if (const auto* other = operation.find(need)) {
        found.second.push_back(other);
        if (found.first.empty()) found.first = blocking(operation, *other);
      }
    return found;
  }
  static std::string blocking(const OperationRows& operation, const store::StepRow& step) {
    if (step.state == "skipped" && !step.started_at) return first_blocking(operation, step).first;
    const bool failed = step.state == "failed" || step.state == "cancelled";
    return failed && step.on_error == "stop" ? step.key : "";
  }

  void whole(const OperationRows& now, bool idle) {
    const auto& row = now.row;
    bool all_ended = true, any_runs = false;
    for (const auto& step : now.steps) {
      all_ended = all_ended && has_ended(step);
      any_runs = any_runs || step.state == "running";
    }
    expect((row.state == "running") != row.ended_at.has_value(), "its end has no time, or a time and no end");
    if (row.state != "running") {
      expect(all_ended, "it has ended before its steps");
      const std::string state = row.cancel_requested ? "cancelled"
                                : row.error.empty()  ? "succeeded"
                                                     : "failed";
      expect(row.state == state, "it has ended " + row.state + " and not " + state);
      expect(row.mode == "rollback" || !has_begun(now) || !is_stopped(now), "it was never taken back");
      return;
    }
    if (row.mode == "rollback" && now.steps.empty()) return;
    if (!idle || !has_begun(now)) return;
    if (row.mode == "forward" && is_stopped(now))
      return expect(any_runs, "nothing runs, and it is not taken back");
    for (const auto& step : now.steps) {
      if (step.state != "pending" || rolled_back_now(now)) continue;
      const auto needs = first_blocking(now, step).second;
      expect(std::any_of(needs.begin(), needs.end(), [](const auto* need) { return !has_ended(*need); }),
             step.key + " could begin and does not");
    }
    expect(!all_ended || rolled_back_now(now), "all has ended, and it has not");
  }

  // The commit that changes the mode brings the steps of the roll-back; they begin with the next.
  static bool rolled_back_now(const OperationRows& now) {
    return now.row.mode == "rollback" && std::none_of(now.steps.begin(), now.steps.end(),
                                                      [](const auto& s) { return s.state == "running"; });
  }

  std::string id_;
  std::vector<std::string> wrong_;
};

}  // namespace stackd::test
