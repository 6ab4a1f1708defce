#include "daemon/plan/explain.hpp"

#include <algorithm>
#include <set>

#include "daemon/resolve/hook_policy.hpp"
#include "daemon/translate/images.hpp"

namespace stackd::plan {
namespace {

using operations::StepPlan;

// A down's graph. `reason` is what is said of what goes.
class DownWords {
public:
  DownWords(const model::Stack& stack, const Request& request, const Snapshot& seen, std::string reason)
      : stack_(stack), request_(request), seen_(seen), reason_(std::move(reason)) {}

  void read_step(const StepPlan& step, const std::vector<StepPlan>& all) {
    if (const auto hook = read<Hook>(step)) look_at_hook(step, *hook);
    if (const auto stop = read<Stop>(step)) look_at_stop(step, *stop, all);
    if (const auto gone = read<Remove>(step))
      add({"remove", after(step.key, "remove "), step.service, reason_of(step.service), {}, {}});
    if (read<StopProcess>(step)) look_at_process(step);
    if (read<RemoveNetworks>(step))
      for (const auto& [key, made] : seen_.networks)
        add({"remove",
             "network " + key,
             "",
             request_.wish.services.empty() ? reason_ : "unless something is left on it",
             {},
             {}});
    if (read<RemoveVolumes>(step))
      for (const auto& [key, made] : seen_.volumes) add({"remove", "volume " + key, "", "--volumes", {}, {}});
    if (const auto images = read<RemoveImages>(step)) look_at_images(images->rmi);
  }

  std::vector<Action> take() { return std::move(actions_); }

private:
  static std::string after(const std::string& key, std::string_view prefix) {
    return key.substr(prefix.size());
  }
  void add(Action action) {
    if (said_.insert(action.what + " " + action.subject).second) actions_.push_back(std::move(action));
  }
  std::string reason_of(const std::string& service) const {
    if (!service.empty() && !stack_.spec->find(service)) return "the stack file does not have it (any more)";
    const auto& named = request_.wish.services;
    const bool along = !named.empty() && std::find(named.begin(), named.end(), service) == named.end();
    return along ? "it depends on what was named" : reason_;
  }

  void look_at_stop(const StepPlan& step, const Stop& params, const std::vector<StepPlan>& all) {
    const bool removed = std::any_of(all.begin(), all.end(), [&](const auto& other) {
      const auto gone = read<Remove>(other);
      return gone && gone->id == params.id;
    });
    for (const auto& [number, container] : seen_.of(step.service))
      if (!removed && container.id == params.id && container.alive())
        add({"stop", after(step.key, "stop "), step.service, reason_of(step.service), {}, {}});
  }

  void look_at_process(const StepPlan& step) {
    const auto process = seen_.processes.find(step.service);
    const auto* own = stack_.spec->find_known(step.service);
    const bool oneshot = own && own->kind == model::ServiceKind::oneshot;
    if (process == seen_.processes.end() || (!process->second.alive && !oneshot)) return;
    add({"stop", step.service, step.service, reason_of(step.service), {}, {}});
  }

  void look_at_images(const std::string& rmi) {
    for (const auto& service : stack_.spec->services)
      if (service.container && (rmi == "all" || service.container->build))
        add({"remove",
             "image " + translate::image_of(*stack_.spec, service),
             service.name,
             "--rmi " + rmi,
             {},
             {}});
  }

  void look_at_hook(const StepPlan& step, const Hook& params) {
    model::Hook hook;
    hook.phase = params.phase;
    hook.index = params.index;
    hook.service = step.service;
    const auto* outlook = seen_.outlook(step.service, params.phase, params.index);
    const bool skips = outlook && !outlook->skip.empty();
    add({skips ? "skip" : "run",
         resolve::label_of(hook),
         step.service,
         skips                  ? outlook->skip
         : step.service.empty() ? reason_
                                : step.service + " is stopped",
         {},
         {}});
  }

  const model::Stack& stack_;
  const Request& request_;
  const Snapshot& seen_;
  std::string reason_;
  std::vector<Action> actions_;
  std::set<std::string> said_;
};

std::string whole_reason(Kind kind) {
  if (kind == Kind::down) return "the whole stack goes";
  return kind == Kind::stop ? "the whole stack stops" : "the whole stack restarts";
}

std::vector<Action> words_of_down(const model::Stack& stack, const Request& request, const Snapshot& seen,
                                  const std::vector<StepPlan>& steps) {
  const bool named = !request.wish.services.empty();
  DownWords words(stack, request, seen, named ? "it was named" : whole_reason(request.kind));
  for (const auto& step : steps) words.read_step(step, steps);
  return words.take();
}

// What the first half of a restart leaves.
Snapshot stopped(const model::Stack& stack, const Request& request, Snapshot seen) {
  const auto selected = selected_by(*stack.spec, request);
  for (auto& [service, containers] : seen.containers)
    for (auto& [number, container] : containers)
      if (selected.contains(service) && container.alive()) container.state = "exited";
  for (auto& [service, process] : seen.processes)
    if (selected.contains(service)) process.alive = process.done = false;
  return seen;
}

}  // namespace

Explained explain_down(const model::Stack& stack, const Request& request, const Snapshot& seen) {
  Explained told;
  const auto plan = plan_down(stack, request, seen);
  told.warnings = plan.warnings;
  told.steps = keys_of(plan.steps);
  told.actions = words_of_down(stack, request, seen, plan.steps);
  return told;
}

Explained explain_restart(const model::Stack& stack, const Request& request, const Snapshot& seen) {
  auto told = explain_down(stack, request, seen);
  std::set<std::string> stops;
  std::erase_if(told.actions, [&](const Action& action) {
    if (action.what == "stop") stops.insert(action.service);
    return action.what == "stop";
  });
  auto second = explain_up(stack, stack, request, stopped(stack, request, seen));
  for (auto& action : second.actions) {
    if (action.what == "start" && stops.contains(action.service)) {
      action.what = "restart";
      const auto& named = request.wish.services;
      const bool along =
          !named.empty() && std::find(named.begin(), named.end(), action.service) == named.end();
      action.reason = along           ? "it restarts with what was named"
                      : named.empty() ? whole_reason(request.kind)
                                      : "it was named";
    }
    told.actions.push_back(std::move(action));
  }
  for (auto& warning : second.warnings) told.warnings.push_back(std::move(warning));
  return told;
}

}  // namespace stackd::plan
