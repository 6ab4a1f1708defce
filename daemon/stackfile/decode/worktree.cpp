#include "daemon/stackfile/decode/worktree.hpp"

#include <filesystem>

#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::stackfile {

namespace fs = std::filesystem;

namespace {

std::string first_line(const fs::path& file) {
  try {
    const auto text = util::read_user_file_if_there(file);
    return text ? std::string(util::trim(text->substr(0, text->find('\n')))) : "";
  } catch (const util::Error&) {
    return "";  // a file that cannot be read says nothing about worktrees
  }
}

// The shared .git directory that a linked worktree's `.git` file leads to; empty for anything else (a
// submodule).
fs::path shared_git_directory(const fs::path& git_file) {
  constexpr std::string_view k_key = "gitdir:";
  const std::string line = first_line(git_file);
  if (!line.starts_with(k_key)) return {};
  const fs::path own = git_file.parent_path() / fs::path(util::trim(line.substr(k_key.size())));
  const std::string common = first_line(own / "commondir");
  return common.empty() ? fs::path() : (own / common).lexically_normal();
}

}  // namespace

std::string main_worktree(const std::string& directory) {
  for (fs::path at = fs::path(directory).lexically_normal();; at = at.parent_path()) {
    std::error_code ignored;
    const auto git = fs::status(at / ".git", ignored);
    if (fs::is_directory(git)) return "";
    if (fs::is_regular_file(git)) {
      fs::path shared = shared_git_directory(at / ".git");
      if (!shared.has_filename()) shared = shared.parent_path();
      if (shared.filename() != ".git") return "";
      const fs::path there = shared.parent_path() / fs::path(directory).lexically_relative(at);
      std::string text = there.lexically_normal().string();
      while (text.size() > 1 && text.ends_with('/')) text.pop_back();
      return text;
    }
    if (!at.has_relative_path()) return "";
  }
}

}  // namespace stackd::stackfile
