// Builds of image steps, as a roll-back finds them.
#pragma once

#include <string>

#include "daemon/steps/common/tools.hpp"

namespace stackd::steps {

// The build of this step, if it still goes on, ends, in the engine too.
awaitable<void> end_build(Tools& tools, std::string stack, std::string operation, int ordinal);

// The same of a step that puts build hooks on an image.
awaitable<void> end_derive(Tools& tools, model::Stack stack, std::string operation,
                           const store::StepRow& row);

}  // namespace stackd::steps
