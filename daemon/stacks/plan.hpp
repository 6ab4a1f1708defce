// Wishes into steps: part Y of semantics.md as graphs. Pure: everything that had to be looked up is an
// argument.
//
//   up     before_up ─► image, network, volume ─► per service, when its dependencies allow it:
//          before_start ─► create ─► pre_start ─► start ─► post_start ─► ready ─► after_ready ─► … ─► settle
//          ─► after_up
//   down   before_down ─► per service in reverse: before_down ─► pre_stop ─► stop ─► remove ─► … ─► networks,
//   volumes ─► after_down
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/operations/runner.hpp"
#include "daemon/spec/spec.hpp"
#include "daemon/stacks/observe.hpp"
#include "daemon/stacks/order.hpp"

namespace stackd::stacks {

using operations::StepPlan;
using Keys = std::vector<std::string>;
// What `into` has not got yet.
void append(Keys& into, const Keys& more);

// A list of steps under construction.
class Graph {
public:
  // Returns the key, for the needs of others.
  std::string add(StepPlan step);
  // One phase's entries one after another (entries of a group together); returns what must end before going
  // on, which is `needs` when there are none. `params` goes into each; keys are "<subject> <phase>[<i>]".
  Keys add_hooks(const std::vector<const spec::Hook*>& hooks, const std::string& subject, Keys needs,
                 const nlohmann::json& params, bool go_on);
  std::vector<StepPlan> take() { return std::move(steps_); }
  bool empty() const { return steps_.empty(); }

private:
  std::vector<StepPlan> steps_;
};

// Running containers of a service that are stopped, hooks and all, before anything is made.
struct StopFirst {
  std::string reason;
  std::vector<docker::ContainerSummary> containers;
};

struct UpPlan {
  std::set<std::string> selected;    // services to bring up
  std::set<std::string> fresh;       // those that will be started or recreated, as far as was seen
  std::map<std::string, int> scale;  // replicas of each selected container service
  std::map<std::string, std::vector<docker::ContainerSummary>>
      surplus;  // replicas to take away (scale-down), orphans
  // Processes to take away, and whether they live: of services that the file does not have, or has as
  // containers now.
  std::map<std::string, bool> orphans;
  std::map<std::string, std::vector<docker::ContainerSummary>>
      kept_hooks;                               // of pre_start entries that failed before
  std::map<std::string, StopFirst> stop_first;  // taken along by a network or a dependency (changes.hpp)
  std::set<std::string> replaced;               // processes that run and are made anew: they end as on down
  std::set<std::string> changed_networks;       // keys of those that are made anew
  std::set<std::string> recreate;               // services whose containers are made anew, changed or not
  bool rebuild = false, build = false, force_recreate = false;
  bool stack_hooks = true;  // before_up and after_up
  std::string pull;
  std::set<std::string> owed;  // services that run, and have a hook that failed (X1)
  // Replicas that the engine has started since an operation last did: what comes after a start is owed (X30).
  std::map<std::string, std::set<int>> restarted;
  std::string reason = "up";                   // STACKD_REASON of the hooks
  std::map<std::string, std::string> reasons;  // and of services that have one of their own
  bool recover = false;  // containers are taken as they are, and the stack does not become "up" by it
};
std::vector<StepPlan> plan_up(const spec::Spec& spec, const UpPlan& plan);

struct DownPlan {
  enum class Kind { down, stop, rollback };
  Kind kind = Kind::down;
  std::set<std::string> selected;  // services to take down; containers of others are left
  bool orphans = true;             // containers of services that the spec does not have
  bool stack_hooks = true;         // before_down and after_down of the stack
  bool service_hooks = true;       // before_down and pre_stop of services
  bool networks = true, volumes = false;
  std::string rmi;
  std::optional<int> timeout;         // seconds
  std::string reason;                 // STACKD_REASON
  std::set<std::string> taken_along;  // services that restart with another one: their reason says so
  std::string created_by;  // rollback: containers of this operation are removed, others only stopped
  std::set<std::string> only_containers;  // rollback: the ids it concerns
  bool whole = true;                      // the whole stack goes down: its ports are released
  std::vector<std::string> hook_runs;     // rollback: ids of runs to end first
};
std::vector<StepPlan> plan_down(const spec::Spec& spec, const DownPlan& plan, const Observed& seen);

// Tells the create steps which container stands in their place.
void name_existing(const Observed& seen, std::vector<StepPlan>& steps);

// What a pre_stop that fails means where its entry does not say it (X7).
enum class FailingPreStop {
  forbids,  // stop, restart: its container keeps running, and the operation fails
  fails,    // down: the container goes, and the operation fails
  warns     // up: the container goes, which is what the up was after
};

// The steps that take one container away, after `needs`; returns the last keys. `service` may be null (a
// container of no service that is known). `volumes`: its anonymous ones go as well.
Keys add_container_end(Graph& graph, const spec::Service* service, const docker::ContainerSummary& container,
                       Keys needs, bool remove, FailingPreStop failing, const std::string& reason,
                       const std::optional<int>& timeout, bool volumes = false);

// A service's own before_down (X11), and the steps that end its process; the last keys. Failures of the hooks
// do not keep it from its end.
Keys add_before_down(Graph& graph, const spec::Service& service, Keys needs, const std::string& reason);
Keys add_process_end(Graph& graph, const spec::Service& service, Keys needs, bool alive,
                     const std::string& reason);
bool is_running(const std::vector<docker::ContainerSummary>& containers);

// "web-1"
std::string replica(const std::string& service, int number);

}  // namespace stackd::stacks
