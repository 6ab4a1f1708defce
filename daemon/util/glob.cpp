#include "daemon/util/glob.hpp"

#include <fnmatch.h>

#include <vector>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::util {

namespace {

namespace fs = std::filesystem;

constexpr int k_max_depth = 32;
constexpr std::size_t k_max_alternatives = 256;

[[noreturn]] void fail(const std::string& why) {
  throw Error(ErrorKind::invalid_file, why);
}

// "a{b,c}d" as "abd", "acd".
std::vector<std::string> alternatives(const std::string& pattern) {
  const std::size_t open = pattern.find('{');
  if (open == std::string::npos) return {pattern};
  int depth = 0;
  std::vector<std::string> parts(1);
  std::size_t end = open;
  for (; end < pattern.size(); ++end) {
    const char c = pattern[end];
    if (c == '{' && depth++ == 0) continue;
    if (c == '}' && --depth == 0) break;
    if (c == ',' && depth == 1)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  if (end == pattern.size()) fail("the '{' in '" + pattern + "' is not closed");
  std::vector<std::string> out;
  for (const std::string& part : parts) {
    for (std::string& one : alternatives(pattern.substr(0, open) + part + pattern.substr(end + 1)))
      out.push_back(std::move(one));
    if (out.size() > k_max_alternatives) fail("'" + pattern + "' stands for too many patterns");
  }
  return out;
}

// Files below a directory whose path matches; names that begin with a dot only when the pattern says so.
class Glob {
public:
  explicit Glob(fs::path root) : root_(std::move(root)) {}

  std::set<std::string> find(const std::string& pattern) {
    for (const std::string& one : alternatives(pattern)) {
      segments_.clear();
      for (const std::string& segment : split(one, '/')) {
        if (!segment.empty() && segment != ".") segments_.push_back(segment);
        if (segment == "..") fail("'" + pattern + "' leads out of the directory");
      }
      walk("", 0, 0);
    }
    return std::move(found_);
  }

private:
  void walk(const fs::path& relative, std::size_t segment, int depth) {
    if (segment == segments_.size() || depth > k_max_depth) return;
    const std::string& wanted = segments_[segment];
    if (wanted == "**") walk(relative, segment + 1, depth);
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(root_ / relative, failed)) {
      const std::string name = entry.path().filename().string();
      if (wanted == "**") {
        // Links are not followed here: they may lead round in a circle.
        if (name.front() != '.' && entry.is_directory(failed) && !entry.is_symlink(failed))
          walk(relative / name, segment, depth + 1);
        if (segment + 1 == segments_.size() && name.front() != '.') add(entry, relative / name);
      } else if (::fnmatch(wanted.c_str(), name.c_str(), FNM_PERIOD) == 0) {
        if (segment + 1 == segments_.size())
          add(entry, relative / name);
        else if (entry.is_directory(failed))
          walk(relative / name, segment + 1, depth + 1);
      }
    }
  }

  void add(const fs::directory_entry& entry, const fs::path& relative) {
    std::error_code failed;
    if (entry.is_regular_file(failed)) found_.insert(relative.generic_string());
  }

  fs::path root_;
  std::vector<std::string> segments_;
  std::set<std::string> found_;
};

}  // namespace

std::set<std::string> glob_files(const fs::path& root, const std::string& pattern) {
  return Glob(root).find(pattern);
}

}  // namespace stackd::util
