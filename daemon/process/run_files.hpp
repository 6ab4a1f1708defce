// What a run's directory says (runs.hpp has its layout). Blocks: on the files' thread.
#pragma once

#include <filesystem>
#include <optional>

#include "daemon/process/runs.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::process {

RunLook look_at_run(const std::filesystem::path& directory);
RunState state_of(const std::filesystem::path& directory);
// Nothing while it runs and when there is no such run. `lost` when the shim has gone without a word.
std::optional<RunExit> exit_of(const std::filesystem::path& directory);
// The command's pid as started.json has it; nothing before that, and for an exec whose pid is not known.
std::optional<int> command_pid(const std::filesystem::path& directory);
// Writes exit.json in the shim's place, once nothing is left of the run: it is not searched for again.
void record_lost(const std::filesystem::path& directory, const RunExit& exit);
// The living shim. Empty when the run has ended or there is none. Safe against reuse of pids: the descriptor
// is opened first, and the lock, which the shim holds for life, tells afterwards that the pid was still its
// own.
util::Fd open_shim(const std::filesystem::path& directory);

}  // namespace stackd::process
