#include <algorithm>

#include "daemon/stacks/images.hpp"
#include "daemon/stacks/labels.hpp"
#include "daemon/stacks/plan.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;
using spec::Phase;

class DownGraph {
public:
  DownGraph(const spec::Spec& spec, const DownPlan& plan, const Observed& seen)
      : spec_(spec), plan_(plan), seen_(seen) {
    for (const auto& [service, needs] : comes_after(spec))
      for (const auto& need : needs) dependents_[need].insert(service);
  }

  std::vector<StepPlan> build() {
    for (const auto& id : plan_.hook_runs)
      append(gate_, {graph_.add({"end " + id, "end-hook", "", {{"run", id}}, {}, true})});
    if (plan_.stack_hooks)
      gate_ = graph_.add_hooks(spec_.hooks_of(Phase::before_down), "", gate_, hook_params(), true);
    Keys all = gate_;
    for (const auto& service : spec_.services) append(all, end_service(service));
    append(all, end_orphans());
    for (const auto& hook : seen_.hook_containers)
      if (plan_.kind == DownPlan::Kind::down && is_going(label_of(hook, label::k_service)))
        append(all, {graph_.add({"remove " + hook.name,
                                 "remove",
                                 label_of(hook, label::k_service),
                                 {{"id", hook.id}, {"name", hook.name}, {"volumes", true}},
                                 gate_,
                                 true})});
    if (plan_.kind != DownPlan::Kind::stop) append(all, remove_shared(all));
    if (plan_.stack_hooks)
      all = graph_.add_hooks(spec_.hooks_of(Phase::after_down), "", all, hook_params(), true);
    graph_.add({"finish down",
                "finish-down",
                "",
                {{"whole", plan_.whole}, {"rollback", plan_.kind == DownPlan::Kind::rollback}},
                all,
                true});
    return graph_.take();
  }

private:
  json hook_params() const { return {{"reason", plan_.reason}, {"down", true}}; }
  std::string reason(const std::string& service) const {
    return plan_.taken_along.contains(service) ? "dependency-restart" : plan_.reason;
  }
  FailingPreStop failing() const {
    return plan_.kind == DownPlan::Kind::stop ? FailingPreStop::forbids : FailingPreStop::fails;
  }

  // A hook's container of a service, or ("") of the stack's own.
  bool is_going(const std::string& service) const {
    return service.empty() ? plan_.whole : plan_.selected.contains(service);
  }

  bool concerns(const docker::ContainerSummary& container) const {
    return plan_.kind != DownPlan::Kind::rollback || plan_.only_containers.contains(container.id);
  }

  // The last steps of a service's end; those who come after it end first.
  Keys end_service(const spec::Service& service) {
    if (!plan_.selected.contains(service.name)) return {};
    if (const auto known = ended_.find(service.name); known != ended_.end()) return known->second;
    auto needs = gate_;
    for (const auto& name : dependents_[service.name])
      if (const auto* other = spec_.find(name)) append(needs, end_service(*other));
    Keys last;
    if (service.container) {
      needs = before_down(service, needs, reason(service.name));
      for (const auto& [number, container] : replicas(service.name)) {
        if (!concerns(container)) continue;
        const bool remove = plan_.kind == DownPlan::Kind::down ||
                            (plan_.kind == DownPlan::Kind::rollback &&
                             label_of(container, label::k_operation) == plan_.created_by);
        append(last, add_container_end(graph_, with_hooks(&service), container, needs, remove, failing(),
                                       reason(service.name), plan_.timeout, plan_.volumes));
      }
    } else if (seen_.processes.contains(service.name)) {
      last = end_process(service, needs, reason(service.name));
    }
    return ended_[service.name] = last.empty() ? needs : last;
  }

  const std::map<int, docker::ContainerSummary>& replicas(const std::string& service) const {
    static const std::map<int, docker::ContainerSummary> k_none;
    const auto found = seen_.containers.find(service);
    return found == seen_.containers.end() ? k_none : found->second;
  }

  // None of a service's own in a roll-back (L4) but its pre_stop, which is the container's (X8).
  bool host_hooks() const { return plan_.kind != DownPlan::Kind::rollback && plan_.service_hooks; }
  const spec::Service* with_hooks(const spec::Service* service) const {
    return plan_.service_hooks ? service : nullptr;
  }

  Keys before_down(const spec::Service& service, const Keys& needs, const std::string& reason) {
    const auto& all = replicas(service.name);
    const bool alive = std::any_of(all.begin(), all.end(),
                                   [](const auto& entry) { return entry.second.state == "running"; });
    return alive && host_hooks() ? add_before_down(graph_, service, needs, reason) : needs;
  }

  // What a oneshot has done is there although it has ended.
  Keys end_process(const spec::Service& service, const Keys& needs, const std::string& reason) {
    const bool alive =
        seen_.running_processes.contains(service.name) || service.kind == spec::ServiceKind::oneshot;
    return add_process_end(graph_, service, needs, alive && host_hooks(), reason);
  }

  Keys end_orphans() {
    Keys last;
    if (!plan_.orphans) return last;
    for (const auto& [service, containers] : seen_.containers) {
      if (const auto* own = spec_.find(service); own && own->container) continue;
      const auto* gone = spec_.find_gone(service);
      const auto needs = gone ? before_down(*gone, gate_, "orphan") : gate_;
      for (const auto& [number, container] : containers)
        if (concerns(container))
          append(last, add_container_end(graph_, with_hooks(gone), container, needs,
                                         plan_.kind != DownPlan::Kind::stop, FailingPreStop::fails, "orphan",
                                         plan_.timeout, plan_.volumes));
    }
    // Processes of services that the file no longer has: their rows are all that tells of them.
    for (const auto& [service, row] : seen_.processes)
      if (const auto* gone = spec_.find_gone(service); gone && gone->process)
        append(last, end_process(*gone, gate_, "orphan"));
    return last;
  }

  Keys remove_shared(const Keys& needs) {
    Keys last;
    if (plan_.networks)
      last = {
          graph_.add({"networks", "remove-networks", "", {{"operation", plan_.created_by}}, needs, true})};
    if (plan_.volumes)
      append(last, {graph_.add({"volumes", "remove-volumes", "", json::object(), needs, true})});
    if (!plan_.rmi.empty())
      append(last, {graph_.add({"images", "remove-images", "", {{"rmi", plan_.rmi}}, needs, true})});
    return last;
  }

  const spec::Spec& spec_;
  const DownPlan& plan_;
  const Observed& seen_;
  Graph graph_;
  Keys gate_;
  std::map<std::string, std::set<std::string>> dependents_;
  std::map<std::string, Keys> ended_;
};

}  // namespace

std::vector<StepPlan> plan_down(const spec::Spec& spec, const DownPlan& plan, const Observed& seen) {
  return DownGraph(spec, plan, seen).build();
}

}  // namespace stackd::stacks
