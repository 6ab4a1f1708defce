// When a process that has ended is started again, by its `restart`: the engine's rules for containers. Pure.
//
//   no, ""                     never
//   on-failure, on-failure:N   unless it ended with status 0; at most N times in a row
//   always, unless-stopped     whatever its status
//
// The pause before it doubles from 100 ms to a minute, and begins anew once the process has run for 10 s.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "daemon/process/types.hpp"

namespace stackd::process {

// Restarts in a row before this exit; `streak` is what was counted until its start.
int streak_before(int streak, const process::RunExit& exit);
// Nothing when it is not started again.
std::optional<std::chrono::milliseconds> restart_pause(const std::string& policy, int streak,
                                                       const process::RunExit& exit);

}  // namespace stackd::process
