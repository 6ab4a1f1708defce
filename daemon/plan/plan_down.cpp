#include <algorithm>

#include "daemon/plan/down_graph.hpp"
#include "daemon/plan/order.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/plan/step_kinds.hpp"

namespace stackd::plan {
std::set<std::string> selected_by(const model::Spec& spec, const Request& request) {
  const auto& named = request.wish.services;
  switch (request.kind) {
    case Kind::restart:  // not what they depend on: that was not stopped
      return named.empty() || request.wish.no_deps ? selection(spec, named, false)
                                                   : with_restarting(spec, named);
    case Kind::stop:
      return selection(spec, named, false);
    case Kind::down:
      return with_dependents(spec, named);
    default:
      break;
  }
  const auto& prepare = request.wish.prepare;
  if (prepare.empty()) return selection(spec, named, !request.wish.no_deps);
  auto needed = selection(spec, prepare, !request.wish.no_deps);
  for (const auto& name : prepare) needed.erase(name);
  return needed;
}

Plan plan_down(const model::Stack& stack, const Request& request, const Snapshot& seen) {
  const auto& wish = request.wish;
  const bool stopping = request.kind != Kind::down;
  const bool all = wish.services.empty();
  DownChoice choice;
  choice.way = stopping ? DownChoice::Way::stop : DownChoice::Way::down;
  choice.selected = selected_by(*stack.spec, request);
  if (request.kind == Kind::restart && !all) {
    choice.taken_along = choice.selected;
    for (const auto& name : wish.services) choice.taken_along.erase(name);
  }
  choice.whole = all && !stopping;
  choice.orphans = all;
  // Nothing was brought up since the last down: there is nothing that before_down could look at.
  choice.stack_hooks = all && request.kind != Kind::stop && seen.touched && !wish.no_hooks;
  choice.service_hooks = !wish.no_hooks;
  choice.networks = !stopping && seen.engine;
  choice.forget = !stopping && wish.volumes;
  if (seen.engine) {  // or there is none of either
    choice.volumes = wish.volumes;
    choice.rmi = wish.rmi;
  }
  choice.reason = to_string(request.kind);
  choice.timeout = wish.stop_timeout;
  Plan plan{.steps = down_graph(*stack.spec, choice, seen)};
  if (request.kind == Kind::restart) {
    // The second half begins when the first has ended; it plans by what is there then.
    Keys ends;
    for (const auto& step : plan.steps) ends.push_back(step.key);
    plan.steps.push_back(step("plan", "", PlanUp{}, ends));
  }
  return plan;
}

Plan plan_rollback(const model::Stack& stack, const Request& request, const Snapshot& seen,
                   const Deeds& deeds) {
  if (deeds.finished) {
    Plan rest{.steps = remove_left_over(seen)};
    name_apart(deeds.keys, rest.steps);
    return rest;
  }
  DownChoice choice;
  choice.way = DownChoice::Way::rollback;
  choice.selected = selection(*stack.spec, {}, false);
  choice.stack_hooks = false;  // L4: no down hooks of the stack in a roll-back
  choice.whole = false;
  choice.networks = seen.engine;
  choice.reason = "rollback";
  choice.created_by = request.operation;
  choice.hook_runs = deeds.running_hooks;
  choice.only_containers = deeds.started;
  // T7: a service whose pre_start failed stays created, beside the kept hook container that shows why.
  for (const auto& [service, containers] : seen.containers)
    for (const auto& [number, container] : containers)
      if (container.operation == request.operation &&
          !(!seen.former && container.state == "created" && deeds.failed_before_start.contains(service)))
        choice.only_containers.insert(container.id);
  // X34: those go back to what they were doing; to stop them first would only cost time.
  for (const auto& id : seen.taken) choice.only_containers.erase(id);
  auto own = seen;
  std::erase_if(own.processes,
                [&](const auto& entry) { return entry.second.operation != request.operation; });
  Plan plan{.steps = down_graph(*stack.spec, choice, own)};
  if (seen.former && (request.kind == Kind::up || request.kind == Kind::rollback)) {
    const Keys last{plan.steps.back().key};
    plan.steps.push_back(step("put back", "", PutBack{}, last));
  }
  name_apart(deeds.keys, plan.steps);
  return plan;
}

std::vector<operations::StepPlan> remove_left_over(const Snapshot& seen) {
  std::vector<operations::StepPlan> removes;
  for (const auto& kept : seen.kept)
    if (!seen.taken.contains(kept.id))
      removes.push_back(
          step("remove " + kept.name, kept.service, Remove{kept.id, kept.name, false, true}, {}, true));
  return removes;
}

std::vector<operations::StepPlan> end_hooks(const std::vector<std::string>& runs) {
  std::vector<operations::StepPlan> ends;
  for (const auto& run : runs) ends.push_back(step("end " + run, "", EndHook{run}, {}, true));
  return ends;
}

bool needs_engine(const model::Spec& spec) {
  const auto in_container = [](const model::Hook& hook) {
    return !hook.run_in_image.empty() || !hook.once_volume.empty();
  };
  const auto needs = [&](const model::Service& service) {
    return service.kind == model::ServiceKind::container ||
           std::any_of(service.hooks.begin(), service.hooks.end(), in_container);
  };
  return std::any_of(spec.services.begin(), spec.services.end(), needs) ||
         std::any_of(spec.gone.begin(), spec.gone.end(), needs) ||
         std::any_of(spec.hooks.begin(), spec.hooks.end(), in_container);
}

operations::StepPlan first_step(Kind kind) {
  switch (kind) {
    case Kind::restart:
      return step("plan-stop", "", PlanDown{});
    case Kind::stop:
    case Kind::down:
      return step("plan", "", PlanDown{});
    case Kind::hooks:
      return step("plan", "", PlanHooks{});
    case Kind::rollback:
      return step("plan", "", PlanRollback{.by_hand = true});
    case Kind::recover:
      return step("plan", "", PlanRecover{});
    case Kind::build:
    case Kind::pull:
    case Kind::push:
      return step("plan", "", PlanImages{});
    default:
      return step("plan", "", PlanUp{});
  }
}

}  // namespace stackd::plan
