// What stackd does by itself, planned: the same graph as an up's, of the services that the keeper named, with
// containers taken as they are. (keeper.hpp)
#include "daemon/stacks/plan.hpp"
#include "daemon/stacks/steps.hpp"

namespace stackd::stacks {

awaitable<Outcome> plan_recover_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto seen = co_await observe(services, model.id, needs_engine(*model.spec));
  const auto restarted = context.request.value("restarted", std::map<std::string, std::set<int>>{});
  UpPlan plan;
  plan.recover = true;
  plan.stack_hooks = false;
  plan.pull = "never";
  plan.reason = "recover";
  plan.reasons = context.request.value("reasons", std::map<std::string, std::string>{});
  for (const auto& [name, reason] : plan.reasons) {
    const auto* service = model.spec->find(name);
    if (!service) continue;
    plan.selected.insert(name);
    if (!service->container) {
      if (!seen.running_processes.contains(name)) plan.fresh.insert(name);
      continue;
    }
    const auto containers = seen.containers.find(name);
    plan.scale[name] = 0;
    if (containers == seen.containers.end()) continue;
    for (const auto& [number, container] : containers->second) {
      plan.scale[name] = std::max(plan.scale[name], number);
      if (container.state != "running") plan.fresh.insert(name);
    }
    if (const auto again = restarted.find(name); again != restarted.end())
      plan.restarted[name] = again->second;
  }
  Outcome outcome;
  outcome.then = plan_up(*model.spec, plan);
  name_existing(seen, outcome.then);
  co_return outcome;
}

}  // namespace stackd::stacks
