// A command's ends as frames on an upgraded connection (proto/frames.hpp).
#pragma once

#include <functional>

#include "daemon/http/message.hpp"
#include "daemon/stacks/manager.hpp"

namespace stackd::api {

using ExecCall = std::function<awaitable<proto::ExecResult>(stacks::ExecEnds)>;

// Upgrades the connection when the command has begun, and tells of its end. What goes wrong before is thrown,
// and becomes an answer as any other; after it a frame says it.
awaitable<void> talk_in_frames(http::Duplex& duplex, ExecCall call);

}  // namespace stackd::api
