#include "daemon/stacks/steps.hpp"

#include "daemon/spec/environment.hpp"
#include "daemon/stacks/model.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;
using store::OperationRow;

bool brings_up(const std::string& kind) {
  return kind == "up" || kind == "start" || kind == "restart";
}

bool any_failed(store::Database& db, const OperationRow& operation) {
  for (const auto& step : store::Steps::of_operation(db, operation.id))
    if (step.state == "failed" && step.kind != "hook") return true;
  return false;
}

// Of named services.
bool is_partial(const OperationRow& operation) {
  return !json::parse(operation.request).value("services", json::array()).empty();
}

// The step that starts anew what a restart has stopped for nothing.
constexpr const char* k_again = "plan again";

bool is_running_again(store::Database& db, const OperationRow& operation) {
  const auto steps = store::Steps::of_operation(db, operation.id);
  return std::any_of(steps.begin(), steps.end(),
                     [](const auto& step) { return step.key == k_again && step.state == "done"; });
}

// A stack's status after its operation has ended; views refine "up" by what they see.
std::string status_after(store::Database& db, const OperationRow& operation) {
  if (brings_up(operation.kind)) {
    if (operation.state == "succeeded") return "up";
    const bool was_up = extra_of(db, operation.stack_id).value("up", false);
    if (operation.state == "cancelled") return was_up ? "up" : "down";
    return was_up && is_running_again(db, operation) ? "up" : "failed";
  }
  if (operation.kind == "stop") return operation.state == "succeeded" ? "stopped" : "up";
  // X7: a down whose hooks failed has still taken everything away.
  return operation.state == "succeeded" || !any_failed(db, operation) ? "down" : "failed";
}

void on_change(store::Database& db, const OperationRow& operation) {
  // What stackd does by itself does not change what the user asked for.
  if (operation.kind == "recover") return;
  // A stack that is up, or failed, stays that when a part of it is stopped or taken away; views see what is
  // left.
  if (!brings_up(operation.kind) && is_partial(operation)) return;
  if (operation.state != "running")
    store::Stacks::set_status(db, operation.stack_id, status_after(db, operation));
  else
    store::Stacks::set_status(
        db, operation.stack_id,
        brings_up(operation.kind) && operation.mode == "forward" ? "starting" : "stopping");
}

// `up --keep` and runtime.kill_others_on_fail: false leave what was started.
bool keeps(const OperationRow& operation) {
  const auto request = json::parse(operation.request);
  return request.value("keep", false) || request.value("/options/keep"_json_pointer, false);
}

// X9: a hook that is still at it belongs to the operation and ends with it.
std::vector<operations::StepPlan> end_hooks(store::Database& db, const OperationRow& operation) {
  std::vector<operations::StepPlan> ends;
  for (const auto& hook : store::HookRuns::of_operation(db, operation.id))
    if (hook.state == "running")
      ends.push_back({"end " + hook.id, "end-hook", "", {{"run", hook.id}}, {}, true});
  return ends;
}

// A recovery gives way to a wish: its hooks are ended, and what it did not come to is still owed.
std::vector<operations::StepPlan> give_way(store::Database& db, const OperationRow& operation,
                                           const std::vector<store::StepRow>& steps) {
  for (const auto& step : steps)
    if (step.state == "cancelled" && !step.service.empty())
      store::Starts::owe(db, operation.stack_id, step.service);
  return end_hooks(db, operation);
}

// A restart whose first half failed: a pre_stop kept its container running (X7), and the others have been
// stopped for nothing.
bool has_only_stopped(const OperationRow& operation, const std::vector<store::StepRow>& steps) {
  return operation.kind == "restart" && !operation.cancel_requested &&
         std::none_of(steps.begin(), steps.end(),
                      [](const auto& step) { return step.kind == "plan-up" && step.state == "done"; });
}

// What `keeps` leaves is what runs; its hooks end with the operation all the same.
std::vector<operations::StepPlan> plan_rollback(store::Database& db, const OperationRow& operation,
                                                const std::vector<store::StepRow>& steps) {
  if (operation.kind == "recover") return give_way(db, operation, steps);
  if (!brings_up(operation.kind)) return end_hooks(db, operation);
  if (has_only_stopped(operation, steps)) {
    auto again = end_hooks(db, operation);
    again.push_back({k_again, "plan-up", "", {{"again", true}}, {}, true});
    return again;
  }
  const bool only_hooks = keeps(operation) && !operation.cancel_requested;
  return {{"plan-rollback", "plan-rollback", "", {{"only_hooks", only_hooks}}, {}, true}};
}

// up --timeout
std::optional<std::int64_t> deadline(const OperationRow& operation) {
  const auto limit = json::parse(operation.request).value("/options/timeout_ms"_json_pointer, json());
  if (!limit.is_number_integer() || limit.get<std::int64_t>() <= 0) return std::nullopt;
  return operation.created_at + limit.get<std::int64_t>();
}

using Function = awaitable<Outcome> (*)(Services&, StepContext);

awaitable<std::vector<std::string>> secrets_of(Services& services, std::string stack) {
  const auto model = co_await services.models.get(stack);
  co_return spec::secret_values(*model.spec, *model.facts);
}

// What a step says goes into the journal and to whoever asks: the last lines of a service's log, say.
awaitable<Outcome> masked(Function function, Services& services, StepContext context) {
  const auto stack = context.operation.stack_id;
  std::optional<util::Error> failed;
  Outcome outcome;
  try {
    outcome = co_await function(services, std::move(context));
  } catch (const util::Error& error) {
    failed = error;
  }
  if (!failed && outcome.warnings.empty() && outcome.reason.empty()) co_return outcome;
  const auto secrets = co_await secrets_of(services, stack);
  if (failed) {
    auto details = failed->details();
    for (auto& line : details) line = spec::mask(line, secrets);
    throw util::Error(failed->kind(), spec::mask(failed->what(), secrets), details);
  }
  for (auto& warning : outcome.warnings) warning = spec::mask(warning, secrets);
  outcome.reason = spec::mask(outcome.reason, secrets);
  co_return outcome;
}

}  // namespace

operations::Policy operation_policy() {
  operations::Policy policy;
  policy.on_change = on_change;
  policy.plan_rollback = plan_rollback;
  policy.deadline = deadline;
  policy.stop_on_failure = [](const OperationRow& operation) {
    return brings_up(operation.kind) && !keeps(operation);
  };
  return policy;
}

void add_step_kinds(operations::Runner& runner, Services& services) {
  struct Row {
    const char* kind;
    Function function;
    bool interruptible;
  };
  static constexpr Row k_rows[] = {
      {"plan-up", plan_up_step, false},
      {"plan-down", plan_down_step, false},
      {"plan-recover", plan_recover_step, false},
      {"plan-rollback", plan_rollback_step, false},
      {"env-from", env_from_step, true},
      {"create", create_step, false},
      {"start", start_step, false},
      {"stop", stop_step, false},
      {"remove", remove_step, false},
      {"ready", ready_step, true},
      {"ready-process", ready_process_step, true},
      {"completed", completed_step, true},
      {"settle", settle_step, true},
      {"image", image_step, true},
      {"derive", derive_step, true},
      {"pre-run", pre_run_step, true},
      {"network", network_step, false},
      {"volume", volume_step, false},
      {"remove-networks", remove_networks_step, false},
      {"remove-volumes", remove_volumes_step, false},
      {"remove-images", remove_images_step, false},
      {"hook", hook_step, true},
      {"end-hook", end_hook_step, false},
      {"start-process", start_process_step, false},
      {"stop-process", stop_process_step, false},
      {"finish-up", finish_up_step, false},
      {"finish-down", finish_down_step, false},
  };
  for (const auto& row : k_rows)
    runner.add_kind(row.kind, {[&services, function = row.function](StepContext context) {
                                 return masked(function, services, std::move(context));
                               },
                               row.interruptible});
}

}  // namespace stackd::stacks
