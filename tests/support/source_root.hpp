// Where the project's own files are, for tests that read them. (__FILE__ alone is relative when a compiler
// cache has its base directory set, and a definition with the path would keep one checkout from using
// another's cache.)
#pragma once

#include <filesystem>
#include <stdexcept>

namespace stackd::test {

inline std::filesystem::path source_root() {
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  for (const auto& start :
       {std::filesystem::absolute(__FILE__), program, std::filesystem::current_path() / "."})
    for (auto at = start.parent_path(); at != at.root_path(); at = at.parent_path())
      if (std::filesystem::exists(at / "proto/openapi.yaml")) return at;
  throw std::runtime_error("cannot find the project's files from " + program.string());
}

}  // namespace stackd::test
