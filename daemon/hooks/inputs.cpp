#include "daemon/hooks/inputs.hpp"

#include <filesystem>

#include "daemon/util/glob.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::hooks {
namespace {

namespace fs = std::filesystem;

// The directories that a pattern names as they are, and the rest, in which there are wildcards.
std::pair<fs::path, std::string> fixed_part(const fs::path& pattern) {
  fs::path fixed;
  auto part = pattern.begin();
  for (; part != pattern.end() && part->string().find_first_of("*?[{") == std::string::npos; ++part)
    fixed /= *part;
  fs::path rest;
  for (; part != pattern.end(); ++part) rest /= *part;
  return {fixed, rest.string()};
}

// Name and hash of every file that a pattern names, so that a rename counts as a change.
std::string contents_of(const fs::path& pattern) {
  auto [root, rest] = fixed_part(pattern.lexically_normal());
  std::error_code failed;
  if (rest.empty() && !fs::is_directory(root, failed)) {
    return root.string() + "\n" + util::hash_of_user_file(root).value_or("not there") + "\n";
  }
  std::string all;
  for (const auto& file : util::glob_files(root, rest.empty() ? "**" : rest))
    all += (root / file).string() + "\n" + util::hash_of_user_file(root / file).value_or("no file") + "\n";
  return all;
}

}  // namespace

std::string state_of_inputs(const model::Hook& hook, const std::string& directory,
                            const std::string& image_id) {
  std::string text = image_id;
  for (const auto& pattern : hook.inputs) text += "\n" + contents_of(fs::path(directory) / pattern);
  return util::sha256_hex(text);
}

}  // namespace stackd::hooks
