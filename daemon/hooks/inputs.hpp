// What `run: changed` looks at.
#pragma once

#include <string>

#include "daemon/model/spec.hpp"

namespace stackd::hooks {

// The image, and a line "<hash> <name>" for each file that the entry's inputs name (relative to `directory`;
// a directory stands for all below it): equal when nothing has changed. Blocks: on a thread of UserFiles.
std::string state_of_inputs(const model::Hook& hook, const std::string& directory,
                            const std::string& image_id);
// "inputs changed: db/03.sql", "its image changed": what is another in the definition of a record
// ("<identity>/<state>") than in another one.
std::string changed_inputs(const std::string& before, const std::string& after);

}  // namespace stackd::hooks
