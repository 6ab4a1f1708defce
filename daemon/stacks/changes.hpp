// What an up takes along besides the services that changed themselves: those on a network that is made anew
// (C8.7), those that restart with a dependency, and those that live in another container's namespace (C8.2).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/stacks/model.hpp"
#include "daemon/stacks/observe.hpp"
#include "daemon/stacks/plan.hpp"

namespace stackd::stacks {

// Hash of what a network or volume is made from; its label `dev.stackd.hash`.
std::string definition_of(const spec::Network& network);
std::string definition_of(const spec::Volume& volume);

// Whether a service shares something of another one's container, so that its own refers to that one's id.
bool refers_to_services(const spec::Container& container);
// config_hash, with the ids of the containers that it refers to (C8.1). `container_of`: service -> id.
std::string container_definition(const Model& model, const spec::Service& service,
                                 const std::map<std::string, std::string>& container_of);
// service -> id of its first container.
std::map<std::string, std::string> first_containers(const Observed& seen);

// Fills stop_first, changed_networks and recreate of the plan; adds to `selected` and `fresh` what they take
// along, and to `warnings` what is left as it is. After `fresh` is known.
awaitable<void> find_changes(Services& services, Model model, Observed seen, UpPlan& plan,
                             std::vector<std::string>& warnings);

}  // namespace stackd::stacks
