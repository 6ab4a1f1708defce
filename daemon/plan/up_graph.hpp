// The graph of an up: part Y of semantics.md. What is to be done to whom was decided before (plan.hpp). Pure.
//
//   before_up ─► image, network, volume ─► per service, when its dependencies allow it:
//       before_start ─► create ─► pre_start ─► start ─► pre_run ─► post_start ─► ready ─► after_ready
//   ─► … ─► settle ─► after_up
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "daemon/plan/graph.hpp"

namespace stackd::plan {

// What of a service runs and is stopped, hooks and all, before anything is made.
struct StopFirst {
  std::string reason;
  std::vector<Container> containers;
  bool process = false;
};

struct UpChoice {
  std::set<std::string> selected;    // services to bring up
  std::set<std::string> prepared;    // whose images, networks and volumes are made, and nothing more
  std::set<std::string> fresh;       // those that will be started or made anew
  std::map<std::string, int> scale;  // replicas of each container service
  std::map<std::string, std::vector<Container>> surplus;  // replicas to take away (scale-down), orphans
  // Processes to take away, and whether they live: of services that the file does not have, or has as
  // containers now.
  std::map<std::string, bool> orphans;
  std::map<std::string, std::vector<Container>> kept_hooks;  // of pre_start entries that failed before
  std::map<std::string, StopFirst> stop_first;               // taken along by a network or a dependency
  // Processes that run and are made anew: they end as on down. None of stop_first.
  std::set<std::string> replaced;
  std::set<std::string> changed_networks;  // keys of those that are made anew
  std::set<std::string> recreate;          // services whose containers are made anew, changed or not
  bool rebuild = false, build = false, force_recreate = false, no_build = false;
  bool as_is = false;  // --no-recreate: what is there stays, changed or not
  bool renew_volumes = false, no_start = false;
  std::optional<int> stop_timeout;  // seconds, of what is replaced or stopped
  bool stack_hooks = true;          // before_up and after_up
  std::string pull;
  // X36, entries of run: once and changed that are to run where they stand, whatever else is done; a
  // service's before its phase's name and index, as Snapshot::hooks has them.
  std::set<std::tuple<std::string, model::Phase, int>> due;
  bool only_due = false;       // and nothing else is to be done: no other hook of the stack runs
  std::set<std::string> owed;  // services that run, and have a hook that failed (X1)
  std::map<std::string, std::set<int>>
      restarted;                               // replicas that the engine has started behind our back (X30)
  std::string reason = "up";                   // STACKD_REASON of the hooks
  std::map<std::string, std::string> reasons;  // and of services that have one of their own
  bool keeps = false;                          // what is taken out of service is kept (X34)
  bool put_back = false;  // what ran before runs again: pre_start has done its work long ago
  bool recover = false;   // containers are taken as they are, and the stack does not become "up" by it
};

std::vector<operations::StepPlan> up_graph(const model::Spec& spec, const UpChoice& choice,
                                           const Snapshot& seen);

}  // namespace stackd::plan
