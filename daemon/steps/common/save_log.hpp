// X35: before a container is removed its log is saved.
#pragma once

#include <string>

#include "daemon/steps/common/tools.hpp"

namespace stackd::steps {

// "gone is success", as the engine's own call has it. A log that cannot be saved (a full disk) holds up
// nothing. Throws what the removal throws.
awaitable<void> save_and_remove(Tools& tools, std::string stack, std::string container, bool force,
                                bool volumes);

}  // namespace stackd::steps
