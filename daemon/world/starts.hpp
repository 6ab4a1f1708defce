// Starts that no operation has answered for: the engine's StartedAt of a container against the one recorded
// (X30). The same after the daemon was away. Control thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "daemon/docker/engine.hpp"
#include "daemon/journal/journal.hpp"
#include "daemon/model/stack.hpp"
#include "daemon/world/monitor.hpp"

namespace stackd::world {

// The container's StartedAt when it runs since another start than the row's; "" otherwise.
// What was heard of it is taken; the engine is asked only about what was not heard of.
awaitable<std::string> unanswered_start(docker::Engine& engine, const Monitor& monitor, store::StartRow row);

// Replicas of the selected services to which what follows a start is owed.
awaitable<std::map<std::string, std::set<int>>> restarted_replicas(journal::Journal& journal,
                                                                   docker::Engine& engine,
                                                                   const Monitor& monitor, model::Stack stack,
                                                                   std::set<std::string> selected);

// Does a start of this service's containers ask for anything?
bool has_hooks_after_start(const model::Service& service);

}  // namespace stackd::world
