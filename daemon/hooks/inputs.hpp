// What `run: changed` looks at.
#pragma once

#include <string>

#include "daemon/model/spec.hpp"

namespace stackd::hooks {

// Hash of the files that the entry's inputs name (relative to `directory`; a directory stands for all below
// it) and of the image. Blocks: on a thread of UserFiles.
std::string state_of_inputs(const model::Hook& hook, const std::string& directory,
                            const std::string& image_id);

}  // namespace stackd::hooks
