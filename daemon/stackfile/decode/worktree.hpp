// Git worktrees, as far as stack files need them. Reads files, runs no git.
#pragma once

#include <string>

namespace stackd::stackfile {

// The directory that corresponds to `directory` (absolute) in the repository's main worktree; empty when
// `directory` lies in the main worktree itself, or in no repository.
std::string main_worktree(const std::string& directory);

}  // namespace stackd::stackfile
