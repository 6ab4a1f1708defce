#include "daemon/hooks/inputs.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "daemon/util/glob.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/time.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::hooks {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_files_listed = 500;  // of more only one hash is kept
constexpr std::size_t k_files_told = 5;

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

// Hashes of files that have not been written to since they were read. One that was written a moment ago may
// be written again within the same tick of its file system's clock, and is read again.
class KnownHashes {
public:
  std::optional<std::string> of(const fs::path& file) {
    struct stat about {};
    if (::stat(file.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return util::hash_of_user_file(file);
    const Key key{about.st_dev, about.st_ino, about.st_size, in_ns(about.st_mtim), in_ns(about.st_ctim)};
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = hashes_.find(key); known != hashes_.end()) return known->second;
    }
    auto hash = util::hash_of_user_file(file);
    const auto now = util::now_ms() * k_ns_in_ms;
    if (hash && std::max(in_ns(about.st_mtim), in_ns(about.st_ctim)) < now - k_settled_ns) {
      const std::lock_guard lock(mutex_);
      if (hashes_.size() >= k_most) hashes_.clear();
      hashes_[key] = *hash;
    }
    return hash;
  }

private:
  using Key = std::tuple<dev_t, ino_t, off_t, std::int64_t, std::int64_t>;
  static constexpr std::int64_t k_ns_in_ms = 1'000'000, k_settled_ns = 2'000'000'000;
  static constexpr std::size_t k_most = 20'000;
  static std::int64_t in_ns(const timespec& at) { return at.tv_sec * 1'000'000'000 + at.tv_nsec; }

  std::mutex mutex_;  // several threads of UserFiles
  std::map<Key, std::string> hashes_;
};

std::string entry(const fs::path& file, const fs::path& directory, const char* absent) {
  const auto below = file.lexically_relative(directory).string();
  const bool outside = below.empty() || below.starts_with("..");
  static KnownHashes k_known;
  return k_known.of(file).value_or(absent) + " " + (outside ? file.string() : below);
}

// Name and hash of every file that a pattern names, so that a rename counts as a change.
void add_files(const fs::path& pattern, const fs::path& directory, std::vector<std::string>& into) {
  auto [root, rest] = fixed_part(pattern.lexically_normal());
  std::error_code failed;
  if (rest.empty() && !fs::is_directory(root, failed)) {
    into.push_back(entry(root, directory, "absent"));
    return;
  }
  for (const auto& file : util::glob_files(root, rest.empty() ? "**" : rest))
    into.push_back(entry(root / file, directory, "unreadable"));
}

// name -> hash, of the lines behind the image's.
std::map<std::string, std::string> files_of(const std::string& definition) {
  std::map<std::string, std::string> files;
  const auto lines = util::split(definition, '\n');
  for (std::size_t i = 1; i < lines.size(); ++i)
    if (const auto space = lines[i].find(' '); space != std::string::npos)
      files[lines[i].substr(space + 1)] = lines[i].substr(0, space);
  return files;
}

}  // namespace

std::string state_of_inputs(const model::Hook& hook, const std::string& directory,
                            const std::string& image_id) {
  std::vector<std::string> lines;
  for (const auto& pattern : hook.inputs) add_files(fs::path(directory) / pattern, directory, lines);
  std::string text = "image " + image_id;
  if (lines.size() <= k_files_listed) {
    for (const auto& line : lines) text += "\n" + line;
    return text;
  }
  return text + "\n" + util::sha256_hex(util::join(lines, "\n")) + " its " + std::to_string(lines.size()) +
         " files";
}

std::string changed_inputs(const std::string& before, const std::string& after) {
  const auto old = files_of(before), now = files_of(after);
  std::vector<std::string> names;
  for (const auto& [name, hash] : now)
    if (const auto found = old.find(name); found == old.end() || found->second != hash) names.push_back(name);
  for (const auto& [name, hash] : old)
    if (!now.contains(name)) names.push_back(name);
  if (names.empty()) return "its image changed";
  const auto more = names.size() - std::min(names.size(), k_files_told);
  names.resize(names.size() - more);
  return "inputs changed: " + util::join(names, ", ") +
         (more ? " and " + std::to_string(more) + " more" : "");
}

}  // namespace stackd::hooks
