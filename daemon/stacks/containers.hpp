// The containers that a request about one service means.
#pragma once

#include <string>
#include <vector>

#include "daemon/docker/types.hpp"
#include "daemon/model/stack.hpp"
#include "daemon/stacks/parts.hpp"

namespace stackd::stacks {

// Until no operation of the stack runs.
awaitable<void> until_quiet(Parts& parts, std::string stack);

// Containers of one container service, by their number; those of hooks are none. Throws not_found for no
// service of the stack, invalid_request for one that has no containers.
awaitable<std::vector<docker::ContainerSummary>> containers_of(Parts& parts, model::Stack stack,
                                                               std::string service);

// The one with this number, or with 0 the first, that runs. Throws Error(failed) when there is none.
awaitable<docker::ContainerSummary> running_container(Parts& parts, model::Stack stack, std::string service,
                                                      int index);

// A signal's number by its name, with or without SIG, or its number; 0 for none.
int signal_number(const std::string& text);

}  // namespace stackd::stacks
