// The stackd-shim that was built with the tests: beside the test's own program.
#pragma once

#include <filesystem>
#include <string>

namespace stackd::test {

inline std::string shim() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "stackd-shim";
}

}  // namespace stackd::test
