// The words for a failed run.
#pragma once

#include <string>

#include "daemon/model/spec.hpp"
#include "daemon/process/types.hpp"

namespace stackd::hooks {

// "db hook exited with status 1: <tail>" in containers (C2.9), "before_up[0] exited with status 1: <tail>" on
// the host.
std::string failure_text(const model::Hook& hook, model::HookPlace place, const process::RunExit& exit);

}  // namespace stackd::hooks
