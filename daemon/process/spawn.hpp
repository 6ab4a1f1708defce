// Starts a stackd-shim.
#pragma once

#include <filesystem>

#include "daemon/util/fd.hpp"

namespace stackd::process {

struct Spawned {
  util::Fd process;  // pidfd; whoever holds it reaps: waitid(P_PIDFD)
  util::Fd answers;  // read end of the status pipe, non-blocking
};

// With no descriptor but the request and the pipe, no environment, no signal blocked or ignored. Costs a
// vfork, not a copy of the daemon. Throws io.
Spawned spawn_shim(const std::filesystem::path& shim, const util::Fd& request);

}  // namespace stackd::process
