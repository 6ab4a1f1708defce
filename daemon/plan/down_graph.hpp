// The graph of a down, a stop, the first half of a restart and a roll-back: part Y of semantics.md. Pure.
//
//   before_down ─► per service in reverse: before_down ─► pre_stop ─► stop ─► remove ─► … ─► networks,
//   volumes ─► after_down
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/plan/graph.hpp"

namespace stackd::plan {

struct DownChoice {
  enum class Way { down, stop, rollback };
  Way way = Way::down;
  std::set<std::string> selected;  // services to take down; containers of others are left
  bool orphans = true;             // containers of services that the spec does not have
  bool stack_hooks = true;         // before_down and after_down of the stack
  bool service_hooks = true;       // before_down and pre_stop of services
  bool networks = true, volumes = false;
  bool forget = false;  // what hooks with a memory remember
  std::string rmi;
  std::optional<int> timeout;         // seconds
  std::string reason;                 // STACKD_REASON
  std::set<std::string> taken_along;  // services that restart with another one: their reason says so
  std::string created_by;  // roll-back: containers of this operation are removed, others only stopped
  std::set<std::string> only_containers;  // roll-back: the ids it concerns
  bool whole = true;                      // the whole stack goes down: its ports are released
  std::vector<std::string> hook_runs;     // roll-back: ids of runs to end first
};

std::vector<operations::StepPlan> down_graph(const model::Spec& spec, const DownChoice& choice,
                                             const Snapshot& seen);

}  // namespace stackd::plan
