// What an up takes along besides the services that changed themselves: those on a network that is made anew
// (C8.7), those that restart with a dependency, and those that live in another container's namespace (C8.2).
// Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/model/stack.hpp"
#include "daemon/plan/up_graph.hpp"

namespace stackd::plan {

// Fills stop_first, changed_networks and recreate of the choice; adds to `selected` and `fresh` what they
// take along, and to `warnings` what is left as it is. After `fresh` is known.
void find_changes(const model::Stack& stack, const Snapshot& seen, UpChoice& choice,
                  std::vector<std::string>& warnings);

}  // namespace stackd::plan
