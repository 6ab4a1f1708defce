// The last lines of a container's log, for messages.
#pragma once

#include <string>

#include "daemon/docker/engine.hpp"

namespace stackd::logs {

// Nothing when the engine does not give them: the lines are a kindness, without them the message still
// stands.
awaitable<std::string> last_container_lines(docker::Engine& engine, std::string id);

}  // namespace stackd::logs
