// The file's env_from: what an up asks about it besides the step that runs it.
#pragma once

#include <string>

#include "daemon/model/stack.hpp"
#include "daemon/steps/common/tools.hpp"

namespace stackd::steps {

bool has_env_from(const model::Stack& stack);
// What an earlier up has got of commands that the file does not have any more.
awaitable<void> forget_env_from(Tools& tools, model::Stack stack);
// Of a step that was cancelled: its command has nobody any more who waits for it.
awaitable<void> end_env_from(Tools& tools, model::Stack stack, std::string operation, int ordinal);

}  // namespace stackd::steps
