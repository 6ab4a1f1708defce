// daemon.yaml as flat "key: value" lines with their places. The only file that knows yaml-cpp here is
// yaml_file.cpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace stackd::config {

struct FileEntry {
  std::string key, value;  // a null value is ""
  int line = 0;            // 1-based
};

// Throws `not_found` for a missing file, `io` for an unreadable one, `invalid_file` "<file>:<line>: cannot
// read it: …" for text that is not YAML, no mapping, or has a value that is a list or a mapping.
std::vector<FileEntry> read_yaml_file(const std::filesystem::path& file);

}  // namespace stackd::config
