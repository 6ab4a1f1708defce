// Starts that no operation has answered for: the engine's StartedAt of a container against the one recorded
// (X30). The same after the daemon was away.
#pragma once

#include <map>
#include <set>
#include <string>

#include "daemon/stacks/services.hpp"

namespace stackd::stacks {

// Does a start of this service's containers ask for anything?
bool has_hooks_after_start(const spec::Service& service);

// The container's StartedAt when it runs since another start than the row's; "" otherwise.
awaitable<std::string> unanswered_start(Services& services, store::StartRow row);

// Replicas of the selected services to which what follows a start is owed.
awaitable<std::map<std::string, std::set<int>>> restarted_replicas(Services& services, Model model,
                                                                   std::set<std::string> selected);

}  // namespace stackd::stacks
