// A command on this host with a stack's environment, in this terminal: what `exec` and `run` have in common.
#pragma once

#include <string>
#include <vector>

#include "client/context.hpp"

namespace stackd::client {

// The request that finds the environment: of the stack that -p, -f or the working directory mean, else of the
// stack file that lies here.
proto::UpRequest host_request(Context& context);

// Runs it in `surroundings` and returns its exit code as a shell would: 127 when there is no such command,
// 128 and the signal's number when one ended it.
int run_on_host(const proto::Surroundings& surroundings, const std::vector<std::string>& words);

}  // namespace stackd::client
