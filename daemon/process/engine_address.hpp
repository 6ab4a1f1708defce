// Where an engine listens, in the words of the shim, which resolves no names (it is linked statically).
#pragma once

#include <string>
#include <vector>

#include "daemon/async/asio.hpp"

namespace stackd::process {

// "unix:///path" (also for an empty host: the default socket) or "tcp://host[:port]" as "unix:/path" or one
// "tcp:<address> <port>" for each address of the host. Throws invalid_request for anything else, no_engine
// for a name that cannot be resolved.
awaitable<std::vector<std::string>> engine_addresses(std::string host);

}  // namespace stackd::process
