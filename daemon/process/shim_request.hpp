// A RunRequest as the shim reads it: the fields of shim/protocol.hpp in a memfd.
#pragma once

#include <string>
#include <vector>

#include "daemon/process/runs.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::process {

// `engines`: numeric addresses of request.engine_host ("unix:/path", "tcp:<address> <port>"); empty for a
// host run. Throws invalid_request when the request cannot be said so (a NUL in a string, no command, a
// relative directory).
util::Fd shim_request(const RunRequest& request, const std::vector<std::string>& engines,
                      const LogLimits& limits = {});

}  // namespace stackd::process
