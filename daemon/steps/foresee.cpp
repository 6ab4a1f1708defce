#include "daemon/steps/foresee.hpp"

#include "daemon/plan/due.hpp"
#include "daemon/steps/common/host_ports.hpp"
#include "daemon/steps/common/step.hpp"
#include "daemon/steps/env_from.hpp"
#include "daemon/store/kept.hpp"
#include "daemon/world/seen.hpp"

namespace stackd::steps {
namespace {

// Nothing of the stack has changed by an operation since the lists were asked for, and none is under way.
bool is_quiet_since(store::Database& db, const std::string& stack, util::TimeMs asked_at) {
  for (const auto& row : store::Operations::of_stack(db, stack, 1))
    if (!row.ended_at || *row.ended_at >= asked_at) return false;
  return true;
}

}  // namespace

operations::Outcome outcome_of_up(const std::string& stack, plan::Plan plan) {
  operations::Outcome outcome;
  outcome.result = model::encode(plan::PlanUp::Result{plan.unchanged});
  outcome.then = std::move(plan.steps);
  outcome.warnings = std::move(plan.warnings);
  // Nothing is taken out of service, so there is nothing to go back to.
  if (plan.unchanged)
    outcome.record = [id = stack](store::Database& db) {
      if (store::Kept::of_stack(db, id).empty()) store::Former::forget(db, id);
    };
  return outcome;
}

awaitable<std::optional<operations::Outcome>> foresee_up(Tools& tools, model::Stack stack,
                                                         store::OperationRow operation, Lists lists) {
  if (has_env_from(stack) || !stack.facts->env_from.empty()) co_return std::nullopt;
  const plan::Request request{operation.id, plan::Kind::up, plan::wish_from(operation.request)};
  auto query = [stack, range = tools.ports, wish = request.wish, at = lists.asked_at](store::Database& db) {
    return is_quiet_since(db, stack.id, at) && are_ports_settled(db, stack, range, wish);
  };
  const bool settled = co_await tools.journal.run(query);
  if (!settled) co_return std::nullopt;
  stack = co_await world::looked_at(tools.user_files, stack);
  auto seen = co_await look_listed(tools, stack, lists);
  if (!seen.kept.empty() || !seen.taken.empty()) co_return std::nullopt;  // an up that failed has left them
  const auto services = plan::selected_by(*stack.spec, request);
  co_await look_for_up(tools, stack, operation, services, seen, true);
  plan::heed_wish(stack, request.wish, seen);
  auto plan = plan::plan_up(stack, request, seen);
  if (!plan.unchanged || !plan.steps.empty()) co_return std::nullopt;
  co_return outcome_of_up(stack.id, std::move(plan));
}

}  // namespace stackd::steps
