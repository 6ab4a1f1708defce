// X35: why an operation failed, in the order of cause: who died earlier comes before who was waited for.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/model/stack.hpp"
#include "daemon/steps/common/tools.hpp"

namespace stackd::steps {

// What is to be put into the operation's error (proto::OperationError): the first cause, and all that failed.
// Looks at what is there, so before anything is taken away. `steps` and `hooks` are all rows of it.
awaitable<nlohmann::json> post_mortem(Tools& tools, model::Stack stack, store::OperationRow operation,
                                      std::vector<store::StepRow> steps,
                                      std::vector<store::HookRunRow> hooks);

}  // namespace stackd::steps
