#include "daemon/images/builder/context_walk.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>

#include "daemon/docker/ignore.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::builder {
namespace {

namespace fs = std::filesystem;

constexpr int k_most_links = 255;

std::string cleaned(const std::string& path) {
  auto text = fs::path("/" + path).lexically_normal().relative_path().string();
  while (!text.empty() && text.back() == '/') text.pop_back();
  return text == "." ? "" : text;
}

bool has_wildcard(const std::string& text) {
  return text.find_first_of("*?[") != text.npos;
}

std::vector<std::string> names_in(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> names;
  fs::directory_iterator entries(directory, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error))
    names.push_back(entries->path().filename().string());
  if (error) throw util::system_error("cannot read " + directory + " for the build context", error.value());
  std::sort(names.begin(), names.end());
  return names;
}

// Where a path leads within the root: itself, and for links on the way each link and what it names.
class Follower {
public:
  explicit Follower(const std::string& root) : root_(root) {}

  // False when it leads to the whole root.
  bool follow(const std::string& path) {
    const auto clean = cleaned(path);
    return !clean.empty() && step("", util::split(clean, '/'));
  }
  const std::set<std::string>& found() const { return found_; }

private:
  bool step(const std::string& before, std::vector<std::string> rest) {
    if (rest.empty()) {
      found_.insert(before);
      return !before.empty();
    }
    const auto name = rest.front();
    rest.erase(rest.begin());
    if (!has_wildcard(name)) return enter(joined(before, name), rest);
    std::error_code ignored;
    if (!fs::is_directory(root_ + "/" + before, ignored)) return true;
    for (const auto& entry : names_in(root_ + "/" + before))
      if (docker::matches_pattern(name, entry) && !enter(joined(before, entry), rest)) return false;
    return true;
  }
  bool enter(const std::string& path, const std::vector<std::string>& rest) {
    std::error_code error;
    const auto target = fs::read_symlink(root_ + "/" + path, error);
    if (error) return step(path, rest);
    found_.insert(path);
    if (++links_ > k_most_links) return true;  // a loop leads nowhere
    // An absolute one is meant from the root of the context.
    const auto from = target.is_absolute() ? fs::path() : fs::path(path).parent_path();
    auto whole = cleaned((from / target.relative_path()).string());
    for (const auto& part : rest) whole = joined(whole, part);
    return !whole.empty() && step("", util::split(whole, '/'));
  }
  static std::string joined(const std::string& before, const std::string& name) {
    return before.empty() ? name : before + "/" + name;
  }

  std::string root_;
  std::set<std::string> found_;
  int links_ = 0;
};

// What is to be sent at all.
class Included {
public:
  Included(const std::string& root, const WalkOptions& options) {
    for (const auto& pattern : options.include) add(cleaned(pattern), true);
    Follower follower(root);
    for (const auto& path : options.follow) everything_ = !follower.follow(path) || everything_;
    for (const auto& path : follower.found()) add(path, false);
    everything_ = everything_ || patterns_.empty();
  }
  bool has(const std::string& path) const {
    if (everything_) return true;
    for (auto part = path; !part.empty(); part = fs::path(part).parent_path().string())
      if (std::any_of(patterns_.begin(), patterns_.end(), [&](const auto& one) { return one.matches(part); }))
        return true;
    return false;
  }
  bool may_have_below(const std::string& directory) const {
    return has(directory) || std::any_of(patterns_.begin(), patterns_.end(), [&](const auto& one) {
             return one.wild ? reaches(one.text, directory) : one.text.starts_with(directory + "/");
           });
  }

private:
  struct Pattern {
    std::string text;
    bool wild;
    bool matches(const std::string& path) const {
      return wild ? docker::matches_pattern(text, path) : text == path;
    }
  };
  void all() { everything_ = true; }
  void add(std::string text, bool wild) {
    if (text.empty()) return all();
    const bool really = wild && has_wildcard(text);
    patterns_.push_back({std::move(text), really});
  }
  // The first parts of a pattern match the directory's.
  static bool reaches(const std::string& pattern, const std::string& directory) {
    const auto parts = util::split(pattern, '/'), path = util::split(directory, '/');
    for (std::size_t i = 0; i < path.size() && i < parts.size(); ++i) {
      if (parts[i] == "**") return true;
      if (!docker::matches_pattern(parts[i], path[i])) return false;
    }
    return parts.size() > path.size();
  }

  bool everything_ = false;
  std::vector<Pattern> patterns_;
};

class Walk {
public:
  Walk(std::string root, const WalkOptions& options) : root_(std::move(root)), included_(root_, options) {
    for (const auto& pattern : options.exclude) ignore_.add(pattern);
    add_directory("");
  }
  std::vector<ContextFile> take() { return std::move(files_); }

private:
  void add_directory(const std::string& relative) {
    for (const auto& name : names_in(relative.empty() ? root_ : root_ + "/" + relative))
      add(relative.empty() ? name : relative + "/" + name);
  }

  void add(const std::string& relative) {
    struct stat status {};
    const auto path = root_ + "/" + relative;
    if (::lstat(path.c_str(), &status) != 0) {
      if (errno == ENOENT) return;  // gone since it was listed
      throw util::system_error("cannot read " + path + " for the build context", errno);
    }
    const bool directory = S_ISDIR(status.st_mode);
    const bool excluded = ignore_.excluded(relative);
    const bool wanted = included_.has(relative) && !excluded;
    const bool entered =
        directory && included_.may_have_below(relative) && (!excluded || ignore_.may_except_below(relative));
    if (!wanted && !entered) return;
    if (!directory && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
      return;  // means nothing elsewhere
    ContextFile file{relative, status.st_mode, directory ? 0 : status.st_size,
                     status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec, ""};
    if (S_ISLNK(status.st_mode)) file.link = fs::read_symlink(path).string();
    waiting_.push_back(std::move(file));
    if (wanted) take_waiting();
    if (!entered) return;
    add_directory(relative);
    // Still there: nothing in it was wanted.
    if (!waiting_.empty() && waiting_.back().path == relative) waiting_.pop_back();
  }

  void take_waiting() {
    for (auto& file : waiting_) files_.push_back(std::move(file));
    waiting_.clear();
  }

  std::string root_;
  Included included_;
  docker::Ignore ignore_;
  std::vector<ContextFile> waiting_, files_;  // waiting_: directories that are sent when something in them is
};

}  // namespace

std::vector<ContextFile> walk_context(const std::string& directory, const WalkOptions& options) {
  std::error_code error;
  const auto root = fs::canonical(directory, error);
  if (error || !fs::is_directory(root, error))
    throw util::Error(util::ErrorKind::not_found, "cannot read the build context " + directory + ": " +
                                                      (error ? error.message() : "it is no directory"));
  return Walk(root.string(), options).take();
}

}  // namespace stackd::builder
