// The looking for Facts::seen: where the directories of a stack's commands really are, which of them are node
// packages, what its files of secrets hold. A directory or a secret may be made by a hook: so whoever starts
// a command of this machine, or shows text in which a secret may be, looks again right before
// (Models::fresh).
#pragma once

#include "daemon/async/user_files.hpp"
#include "daemon/model/stack.hpp"

namespace stackd::world {

// Blocks: for a thread of UserFiles. What is not there, or cannot be read, is left out.
model::Seen look_at_files(const model::Spec& spec, const model::Facts& facts);

// The stack with what there is to see now, looked at on a thread of UserFiles.
awaitable<model::Stack> looked_at(async::UserFiles& files, model::Stack stack);

}  // namespace stackd::world
