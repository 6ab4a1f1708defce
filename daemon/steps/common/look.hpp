// Fresh looks at the engine, the runs and the store, for plans. Control thread.
#pragma once

#include <set>
#include <string>

#include "daemon/model/stack.hpp"
#include "daemon/operations/runner.hpp"
#include "daemon/plan/snapshot.hpp"
#include "daemon/steps/common/tools.hpp"

namespace stackd::steps {

// What the engine lists of a stack that is to come up, a list of each kind.
struct Lists {
  util::TimeMs asked_at = 0;
  std::vector<docker::ContainerSummary> containers;  // of the project: this stack's, and Compose's
  std::vector<docker::ImageSummary> images;          // those that the services name
  std::vector<docker::NetworkDetails> networks;      // this stack's
  std::vector<docker::VolumeDetails> volumes;        // the same
};
// All asked for at once.
awaitable<Lists> list_all(Tools& tools, std::string stack, const model::Spec& spec);
awaitable<std::vector<docker::ContainerSummary>> list_project(Tools& tools, std::string project);

// Containers, processes and the stack's own state; the engine only when the stack needs one.
awaitable<plan::Snapshot> look(Tools& tools, model::Stack stack);
// The same for an up, from lists: with strangers, networks, volumes and those images that the lists know by
// their ids. look_for_up() adds the rest, and asks for nothing that is there.
awaitable<plan::Snapshot> look_listed(Tools& tools, model::Stack stack, const Lists& lists);
// C10.4: what Compose has left of the project is an orphan as stackd's own is; it goes only when that is
// asked for.
// `adopt`: those of the file's services too, which are made anew (X37).
awaitable<void> look_for_strangers(Tools& tools, model::Stack stack, bool adopt, plan::Snapshot& seen);
// Networks and volumes that the stack has made.
awaitable<void> look_for_made(Tools& tools, model::Stack stack, plan::Snapshot& seen);
// Whether those that the stack has not made are there all the same: a plan in words does not make them.
awaitable<void> look_for_others(Tools& tools, model::Stack stack, plan::Snapshot& seen);
// What the entries of these services and of the stack would say to being called now: those of run: once and
// changed, on which a plan depends (X36), or the others, of which only a plan in words wants to know.
enum class Entries { with_memory, others };
awaitable<void> look_at_hooks(Tools& tools, model::Stack stack, model::Direction direction, Entries which,
                              std::set<std::string> services, plan::Snapshot& seen);
// What an up of these services has to know besides: images, networks, volumes, hooks that failed, starts
// behind our back. `listed`: what look_listed() saw.
awaitable<void> look_for_up(Tools& tools, model::Stack stack, store::OperationRow operation,
                            std::set<std::string> services, plan::Snapshot& seen, bool listed = false);
// What a one-off of these services would be made from.
awaitable<void> look_for_one_off(Tools& tools, model::Stack stack, std::set<std::string> services,
                                 plan::Snapshot& seen);

}  // namespace stackd::steps
