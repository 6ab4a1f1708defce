// Wishes into steps: who is to be started, made anew, stopped or taken away, by what is there and what the
// files say; then the graph of it (up_graph.hpp, down_graph.hpp). Pure: everything that had to be looked up
// is in the Snapshot.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/model/stack.hpp"
#include "daemon/operations/step_plan.hpp"
#include "daemon/plan/snapshot.hpp"
#include "daemon/plan/up_graph.hpp"
#include "daemon/plan/wish.hpp"

namespace stackd::plan {

struct Request {
  std::string operation;  // id
  Kind kind = Kind::up;
  Wish wish;
  bool again = false;  // PlanUp::again
};

struct Plan {
  std::vector<operations::StepPlan> steps;
  std::vector<std::string> warnings;
  bool unchanged = false;  // everything is as it should be
  // Services whose image (by id) must have a /bin/sh, because they have hooks that are layers of it or its
  // entrypoint.
  std::map<std::string, std::string> shells_needed;
};

// up, start, and the second half of restart.
Plan plan_up(const model::Stack& stack, const Request& request, const Snapshot& seen);
// Whether such an up could leave everything as it is: it asks for nothing that is done whatever is there.
bool may_find_nothing_to_do(const Wish& wish);
// Who is concerned, and how: what plan_up makes its graph of.
UpChoice choose_up(const model::Stack& stack, const Request& request, const Snapshot& seen,
                   std::vector<std::string>& warnings);
// down, stop, and the first half of restart; that one ends with a PlanUp.
Plan plan_down(const model::Stack& stack, const Request& request, const Snapshot& seen);
// What stackd does by itself: the graph of an up, of the services that the keeper named, with containers
// taken as they are.
Plan plan_recover(const model::Stack& stack, const Request& request, const Snapshot& seen);

// build, pull and push: each image once. Throws not_found for a service that is not in the file.
Plan plan_images(const model::Spec& spec, const Request& request);
// `hooks run`: the entries that the wish names, by hand.
Plan plan_hooks(const model::Stack& stack, const Request& request, const Snapshot& seen);
// Entries by the name that people give them; none when there is no such one.
std::vector<const model::Hook*> hooks_named(const model::Spec& spec, const std::string& text);

// What an operation has done until it failed or was cancelled.
struct Deeds {
  std::set<std::string> keys;                 // of all its steps
  std::set<std::string> started;              // ids of containers
  std::vector<std::string> running_hooks;     // ids of runs
  std::set<std::string> failed_before_start;  // services whose pre_start failed
  bool finished = false;                      // the stack is up: what is left is to take the kept away
};
// Takes away what it made or started, and nothing else (X32).
Plan plan_rollback(const model::Stack& stack, const Request& request, const Snapshot& seen,
                   const Deeds& deeds);
// X34: starts the services that ran before, as they were, after their names, spec and facts are back; no
// pre_start. `taken_keys`: of all steps of the operation.
Plan plan_put_back(const model::Stack& stack, const Snapshot& seen, const std::set<std::string>& ran,
                   const std::set<std::string>& taken_keys);
// What an up that worked had kept, and did not come to take away.
std::vector<operations::StepPlan> remove_left_over(const Snapshot& seen);
// Ends the hooks of an operation that still run (X9).
std::vector<operations::StepPlan> end_hooks(const std::vector<std::string>& runs);

// The services that a request is about, and how many replicas each is to have.
std::set<std::string> selected_by(const model::Spec& spec, const Request& request);
std::map<std::string, int> scale_of(const model::Spec& spec, const Wish& wish);
// References of images that a plan for these services has to see; with those that were seen, the tags of what
// build hooks make of them.
std::set<std::string> images_of(const model::Stack& stack, const std::set<std::string>& services);
// The image that a service's containers are to be made from, as it was seen; null when it is not there.
const docker::ImageDetails* made_from(const model::Stack& stack, const model::Service& service,
                                      const Snapshot& seen);
std::set<std::string> derived_images_of(const model::Stack& stack, const std::set<std::string>& services,
                                        const Snapshot& seen);
// Does this stack need an engine at all?
bool needs_engine(const model::Spec& spec);

// The first step of an operation: it looks, and emits the others.
operations::StepPlan first_step(Kind kind);

}  // namespace stackd::plan
