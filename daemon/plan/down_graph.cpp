#include "daemon/plan/down_graph.hpp"

#include <algorithm>

#include "daemon/plan/order.hpp"

namespace stackd::plan {
namespace {

using model::Phase;

class DownGraph {
public:
  DownGraph(const model::Spec& spec, const DownChoice& choice, const Snapshot& seen)
      : spec_(spec), choice_(choice), seen_(seen) {
    for (const auto& [service, needs] : comes_after(spec))
      for (const auto& need : needs) dependents_[need].insert(service);
  }

  std::vector<operations::StepPlan> build() {
    for (const auto& id : choice_.hook_runs)
      append(gate_, {graph_.add("end " + id, "", EndHook{id}, {}, true)});
    if (choice_.stack_hooks)
      gate_ = graph_.add_hooks(spec_.hooks_of(Phase::before_down), "", gate_, like(), true);
    end_oneoffs();
    Keys all = gate_;
    for (const auto& service : spec_.services) append(all, end_service(service));
    append(all, end_orphans());
    for (const auto& hook : seen_.hook_containers)
      if (choice_.way == DownChoice::Way::down && is_going(hook.service))
        append(all, {graph_.add("remove " + hook.name, hook.service, Remove{hook.id, hook.name, true}, gate_,
                                true)});
    if (choice_.way == DownChoice::Way::down)
      for (const auto& kept : seen_.kept)
        if (is_going(kept.service))
          append(all, {graph_.add("remove " + kept.name, kept.service,
                                  Remove{kept.id, kept.name, choice_.volumes}, gate_, true)});
    if (choice_.way != DownChoice::Way::stop) append(all, remove_shared(all));
    if (choice_.stack_hooks) all = graph_.add_hooks(spec_.hooks_of(Phase::after_down), "", all, like(), true);
    FinishDown finish{choice_.whole, choice_.way == DownChoice::Way::rollback, choice_.forget, {}};
    if (choice_.forget && !choice_.whole)
      finish.forget_of.assign(choice_.selected.begin(), choice_.selected.end());
    graph_.add("finish down", "", finish, all, true);
    return graph_.take();
  }

private:
  Hook like() const {
    Hook hook;
    hook.reason = choice_.reason;
    return hook;
  }
  std::string reason(const std::string& service) const {
    return choice_.taken_along.contains(service) ? "dependency-restart" : choice_.reason;
  }
  FailingPreStop failing() const {
    return choice_.way == DownChoice::Way::stop ? FailingPreStop::forbids : FailingPreStop::fails;
  }

  // C4.11, a hook's container: of a service that goes; with the whole stack also of one that the file no
  // longer has, and of the stack's own ("").
  bool is_going(const std::string& service) const {
    return choice_.whole || choice_.selected.contains(service);
  }

  // Before what they may be using; without hooks (C5.4). A stop, a restart and a roll-back leave them.
  void end_oneoffs() {
    if (choice_.way != DownChoice::Way::down) return;
    Keys ended;
    for (const auto& oneoff : seen_.oneoffs) {
      if (!is_going(oneoff.service)) continue;
      const Stop stop{oneoff.id, oneoff.name, choice_.timeout, false, false};
      const auto stopped = graph_.add("stop " + oneoff.name, oneoff.service, stop, gate_, true);
      const Remove remove{oneoff.id, oneoff.name, choice_.volumes};
      append(ended, {graph_.add("remove " + oneoff.name, oneoff.service, remove, {stopped}, true)});
    }
    append(gate_, ended);
  }

  bool concerns(const Container& container) const {
    return choice_.way != DownChoice::Way::rollback || choice_.only_containers.contains(container.id);
  }

  // The last steps of a service's end; those who come after it end first.
  Keys end_service(const model::Service& service) {
    if (!choice_.selected.contains(service.name)) return {};
    if (const auto known = ended_.find(service.name); known != ended_.end()) return known->second;
    auto needs = gate_;
    for (const auto& name : dependents_[service.name])
      if (const auto* other = spec_.find(name)) append(needs, end_service(*other));
    Keys last;
    if (service.container) {
      needs = before_down(service, needs, reason(service.name));
      for (const auto& [number, container] : seen_.of(service.name)) {
        if (!concerns(container)) continue;
        append(last, add_container_end(graph_, with_hooks(&service), container, needs,
                                       ending(container, failing(), reason(service.name))));
      }
    } else if (seen_.processes.contains(service.name)) {
      last = end_process(service, needs, reason(service.name));
    }
    return ended_[service.name] = last.empty() ? needs : last;
  }

  ContainerEnd ending(const Container& container, FailingPreStop failing, const std::string& reason) const {
    const bool remove = choice_.way == DownChoice::Way::down || (choice_.way == DownChoice::Way::rollback &&
                                                                 container.operation == choice_.created_by);
    return {remove, failing, reason, choice_.timeout, choice_.volumes};
  }

  // None of a service's own in a roll-back (L4) but its pre_stop, which is the container's (X8).
  bool host_hooks() const { return choice_.way != DownChoice::Way::rollback && choice_.service_hooks; }
  const model::Service* with_hooks(const model::Service* service) const {
    return choice_.service_hooks ? service : nullptr;
  }

  Keys before_down(const model::Service& service, const Keys& needs, const std::string& reason,
                   bool gone = false) {
    const auto& all = seen_.of(service.name);
    const bool alive =
        std::any_of(all.begin(), all.end(), [](const auto& entry) { return entry.second.runs(); });
    return alive && host_hooks() ? add_before_down(graph_, service, needs, reason, gone) : needs;
  }

  // What a oneshot has done is there although it has ended.
  Keys end_process(const model::Service& service, const Keys& needs, const std::string& reason,
                   bool gone = false) {
    const bool alive = seen_.processes.at(service.name).alive || service.kind == model::ServiceKind::oneshot;
    return add_process_end(graph_, service, needs, alive && host_hooks(), reason, gone);
  }

  Keys end_orphans() {
    Keys last;
    if (!choice_.orphans) return last;
    for (const auto& [service, containers] : seen_.containers) {
      if (const auto* own = spec_.find(service); own && own->container) continue;
      const auto* gone = spec_.find_gone(service);
      const auto needs = gone ? before_down(*gone, gate_, "orphan", true) : gate_;
      for (const auto& [number, container] : containers)
        if (concerns(container))
          append(last, add_container_end(graph_, with_hooks(gone), container, needs,
                                         ending(container, FailingPreStop::fails, "orphan")));
    }
    // Processes of services that the file no longer has: their rows are all that tells of them.
    for (const auto& [service, process] : seen_.processes)
      if (const auto* gone = spec_.find_gone(service); gone && gone->process)
        append(last, end_process(*gone, gate_, "orphan", true));
    return last;
  }

  Keys remove_shared(const Keys& needs) {
    Keys last;
    if (choice_.networks)
      last = {graph_.add("networks", "", RemoveNetworks{choice_.created_by}, needs, true)};
    if (choice_.volumes) append(last, {graph_.add("volumes", "", RemoveVolumes{}, needs, true)});
    if (!choice_.rmi.empty())
      append(last, {graph_.add("images", "", RemoveImages{choice_.rmi}, needs, true)});
    return last;
  }

  const model::Spec& spec_;
  const DownChoice& choice_;
  const Snapshot& seen_;
  Graph graph_;
  Keys gate_;
  std::map<std::string, std::set<std::string>> dependents_;
  std::map<std::string, Keys> ended_;
};

}  // namespace

std::vector<operations::StepPlan> down_graph(const model::Spec& spec, const DownChoice& choice,
                                             const Snapshot& seen) {
  return DownGraph(spec, choice, seen).build();
}

}  // namespace stackd::plan
