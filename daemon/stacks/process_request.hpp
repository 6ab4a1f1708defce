// A process service's command as a run: shell, directory, environment, log (L3.1).
#pragma once

#include <string>

#include "daemon/process/runs.hpp"
#include "daemon/stacks/model.hpp"

namespace stackd::stacks {

// Without directory and log, which are the caller's to name.
process::RunRequest process_request(const Model& model, const spec::Service& service,
                                    const std::string& command);

}  // namespace stackd::stacks
