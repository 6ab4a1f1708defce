// A process service's command as a run: shell, directory, environment, log (L3.1). Pure.
#pragma once

#include <chrono>
#include <string>

#include "daemon/model/stack.hpp"
#include "daemon/process/types.hpp"

namespace stackd::translate {

// Without directory and log, which are the caller's to name.
process::RunRequest process_request(const model::Stack& stack, const model::Service& service,
                                    const std::string& command);
// How long it may take to end when it is told to (L5.5).
std::chrono::milliseconds grace_of(const model::Service& service);

}  // namespace stackd::translate
