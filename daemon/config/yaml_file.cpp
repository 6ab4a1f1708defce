#include "daemon/config/yaml_file.hpp"

#include <yaml-cpp/yaml.h>

#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"

namespace stackd::config {

namespace {

util::Error mistake(const std::filesystem::path& file, int line, const std::string& what) {
  return {util::ErrorKind::invalid_file, file.string() + ":" + std::to_string(line) + ": " + what};
}

int line_of(const YAML::Node& node) {
  return node.Mark().line + 1;
}

}  // namespace

std::vector<FileEntry> read_yaml_file(const std::filesystem::path& file) {
  const std::string text = util::read_file(file);
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::Exception& e) {
    throw mistake(file, e.mark.line + 1, "cannot read it as YAML: " + e.msg);
  }
  std::vector<FileEntry> entries;
  if (root.IsNull()) return entries;
  if (!root.IsMap())
    throw mistake(file, line_of(root), "cannot read the settings: expected lines of \"key: value\"");

  for (const auto& entry : root) {
    if (!entry.first.IsScalar())
      throw mistake(file, line_of(entry.first), "cannot read the settings: a key must be a word");
    const auto& key = entry.first.Scalar();
    if (!entry.second.IsScalar() && !entry.second.IsNull())
      throw mistake(file, line_of(entry.first), "cannot set " + key + ": expected one value");
    for (const auto& earlier : entries)
      if (earlier.key == key)
        throw mistake(
            file, line_of(entry.first),
            "cannot set " + key + " twice: it is set in line " + std::to_string(earlier.line) + " too");
    entries.push_back({key, entry.second.IsNull() ? "" : entry.second.Scalar(), line_of(entry.first)});
  }
  return entries;
}

}  // namespace stackd::config
