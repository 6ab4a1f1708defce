// What becomes of a stack when its operations start, end and fail.
#include <algorithm>

#include "daemon/plan/plan.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/world/stack_state.hpp"

namespace stackd::steps {
namespace {

using plan::Kind;
using store::OperationRow;
using store::StepRow;

bool any_failed(store::Database& db, const OperationRow& operation) {
  const auto steps = store::Steps::of_operation(db, operation.id);
  return std::any_of(steps.begin(), steps.end(), [](const StepRow& step) {
    return step.state == "failed" && step.kind != plan::Hook::k_kind;
  });
}

// The step that starts anew what a restart has stopped for nothing.
bool starts_again(const StepRow& step) {
  return step.kind == plan::PlanUp::k_kind &&
         model::decoded<plan::PlanUp>(nlohmann::json::parse(step.params), "params of a step").again;
}

bool is_running_again(store::Database& db, const OperationRow& operation) {
  const auto steps = store::Steps::of_operation(db, operation.id);
  return std::any_of(steps.begin(), steps.end(),
                     [](const StepRow& step) { return starts_again(step) && step.state == "done"; });
}

bool is_put_back(store::Database& db, const OperationRow& operation) {
  const auto done = store::Steps::of_kind(db, operation.id, plan::PutBackDone::k_kind);
  return std::any_of(done.begin(), done.end(), [](const StepRow& step) { return step.state == "done"; });
}

// A stack's status after its operation has ended; views refine "up" by what they see.
std::string status_after(store::Database& db, const OperationRow& operation, Kind kind) {
  if (plan::brings_up(kind)) {
    const bool was_up = world::state_of(db, operation.stack_id).up;
    // What was made for a one-off brings nothing up by itself.
    const bool one_off = !plan::wish_from(operation.request).prepare.empty();
    if (operation.state == "succeeded") return one_off && !was_up ? "down" : "up";
    if (was_up && is_put_back(db, operation)) return "up";  // X34
    if (operation.state == "cancelled") return was_up ? "up" : "down";
    return was_up && is_running_again(db, operation) ? "up" : "failed";
  }
  if (kind == Kind::rollback) {
    const bool was_up = world::state_of(db, operation.stack_id).up;
    return !is_put_back(db, operation) ? "failed" : was_up ? "up" : "down";
  }
  if (kind == Kind::stop) return operation.state == "succeeded" ? "stopped" : "up";
  // X7: a down whose hooks failed has still taken everything away.
  return operation.state == "succeeded" || !any_failed(db, operation) ? "down" : "failed";
}

void on_change(store::Database& db, const OperationRow& operation) {
  const auto kind = plan::kind_from(operation.kind);
  // What stackd does by itself does not change what the user asked for, nor does a hook that is run by hand.
  if (kind == Kind::recover || kind == Kind::hooks || plan::is_of_images(kind)) return;
  // A stack that is up, or failed, stays that when a part of it is stopped or taken away; views see what is
  // left.
  if (!plan::brings_up(kind) && !plan::wish_from(operation.request).services.empty()) return;
  if (operation.state != "running")
    store::Stacks::set_status(db, operation.stack_id, status_after(db, operation, kind));
  else
    store::Stacks::set_status(db, operation.stack_id,
                              (plan::brings_up(kind) || kind == Kind::rollback) && operation.mode == "forward"
                                  ? "starting"
                                  : "stopping");
}

// X9: a hook that is still at it belongs to the operation and ends with it.
std::vector<operations::StepPlan> end_hooks(store::Database& db, const OperationRow& operation) {
  std::vector<std::string> runs;
  for (const auto& hook : store::HookRuns::of_operation(db, operation.id))
    if (hook.state == "running") runs.push_back(hook.id);
  return plan::end_hooks(runs);
}

// A recovery gives way to a wish: its hooks are ended, and what it did not come to is still owed.
std::vector<operations::StepPlan> give_way(store::Database& db, const OperationRow& operation,
                                           const std::vector<StepRow>& steps) {
  for (const auto& step : steps)
    if (step.state == "cancelled" && !step.service.empty())
      store::Starts::owe(db, operation.stack_id, step.service);
  return end_hooks(db, operation);
}

// A restart whose first half failed: a pre_stop kept its container running (X7), and the others have been
// stopped for nothing.
bool has_only_stopped(const OperationRow& operation, const std::vector<StepRow>& steps) {
  return plan::kind_from(operation.kind) == Kind::restart && !operation.cancel_requested &&
         std::none_of(steps.begin(), steps.end(), [](const StepRow& step) {
           return step.kind == plan::PlanUp::k_kind && step.state == "done";
         });
}

std::vector<operations::StepPlan> roll_back(store::Database& db, const OperationRow& operation,
                                            const std::vector<StepRow>& steps) {
  const auto kind = plan::kind_from(operation.kind);
  if (kind == Kind::recover) return give_way(db, operation, steps);
  if (kind == Kind::hooks) return {plan::step("plan-rollback", "", plan::PlanRollback{true}, {}, true)};
  // Its builds end with it; there is nothing to take away.
  if (plan::is_of_images(kind)) return {plan::step("plan-rollback", "", plan::PlanRollback{true}, {}, true)};
  if (!plan::brings_up(kind)) return end_hooks(db, operation);
  if (has_only_stopped(operation, steps)) {
    auto again = end_hooks(db, operation);
    again.push_back(plan::step("plan again", "", plan::PlanUp{.again = true}, {}, true));
    return again;
  }
  // What `keep` leaves is what runs; its hooks end with the operation all the same.
  const bool only_hooks = plan::wish_from(operation.request).keep && !operation.cancel_requested;
  return {plan::step("plan-rollback", "", plan::PlanRollback{only_hooks}, {}, true)};
}

// up --timeout
std::optional<std::int64_t> deadline(const OperationRow& operation) {
  const auto limit = plan::wish_from(operation.request).deadline;
  if (!limit || limit->count() <= 0) return std::nullopt;
  return operation.created_at + limit->count();
}

}  // namespace

operations::Policy operation_policy() {
  operations::Policy policy;
  policy.on_change = on_change;
  policy.plan_rollback = roll_back;
  policy.deadline = deadline;
  policy.stop_on_failure = [](const OperationRow& operation) {
    return plan::brings_up(plan::kind_from(operation.kind)) && !plan::wish_from(operation.request).keep;
  };
  return policy;
}

}  // namespace stackd::steps
