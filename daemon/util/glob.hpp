// Globs over files: * and ? and [] in a name, ** for any number of directories, {a,b} for one of several.
// Reads directories.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace stackd::util {

// Files below `root` whose path matches, relative to it; names that begin with a dot only when the pattern
// says so. Throws Error(invalid_file) for a pattern that is none, or that leads out of `root`.
std::set<std::string> glob_files(const std::filesystem::path& root, const std::string& pattern);

}  // namespace stackd::util
