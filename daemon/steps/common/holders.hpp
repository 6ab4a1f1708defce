// Who holds what this stack wants: in words, with what to do about it. Asked only when something has failed.
#pragma once

#include <string>

#include "daemon/docker/engine.hpp"
#include "daemon/model/stack.hpp"

namespace stackd::steps {

// The container of that name, or the one that publishes the port; "" when there is none to be seen.
awaitable<std::string> holder_of_name(docker::Engine& engine, model::Stack stack, std::string name);
awaitable<std::string> holder_of_port(docker::Engine& engine, model::Stack stack, int port);
// Containers on a network, or with a volume: "container a of project p, container b"; "" none.
awaitable<std::string> users_of_network(docker::Engine& engine, std::string id);
awaitable<std::string> users_of_volume(docker::Engine& engine, std::string name);

}  // namespace stackd::steps
