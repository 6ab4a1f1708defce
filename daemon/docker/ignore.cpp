#include "daemon/docker/ignore.hpp"

#include <filesystem>
#include <optional>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::docker {
namespace {

constexpr std::string_view k_special = "*?[\\";

// A class "[a-z]" or "[^a-z]" at the beginning of the pattern: whether it has `c`, and the pattern's rest.
// Nothing when it is not closed.
struct Class {
  bool matched;
  std::string_view rest;
};
std::optional<Class> match_class(std::string_view pattern, char c) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool matched = false;
  for (bool first = true;; first = false) {
    if (at >= pattern.size()) return std::nullopt;
    if (pattern[at] == ']' && !first) return Class{matched != negated, pattern.substr(at + 1)};
    const auto next = [&]() -> std::optional<char> {
      if (at < pattern.size() && pattern[at] == '\\') ++at;
      if (at >= pattern.size()) return std::nullopt;
      return pattern[at++];
    };
    const auto low = next();
    if (!low) return std::nullopt;
    auto high = low;
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      ++at;
      high = next();
      if (!high) return std::nullopt;
    }
    matched = matched || (*low <= c && c <= *high);
  }
}

// "**" at the beginning of the pattern: any number of whole parts, or all that is left when it is the
// pattern's end.
bool match_parts(std::string_view pattern, std::string_view path) {
  auto rest = pattern.substr(2);
  if (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);
  if (rest.empty()) return true;
  for (;;) {
    if (matches_pattern(rest, path)) return true;
    const auto slash = path.find('/');
    if (slash == path.npos) return false;
    path.remove_prefix(slash + 1);
  }
}

void check_classes(std::string_view pattern) {
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '\\') {
      ++at;
    } else if (pattern[at] == '[') {
      const auto found = match_class(pattern.substr(at), '\0');
      if (!found)
        throw util::Error(util::ErrorKind::invalid_file, "cannot use .dockerignore: the pattern \"" +
                                                             std::string(pattern) + "\" has an unclosed [");
      at = pattern.size() - found->rest.size() - 1;
    }
  }
}

std::string clean(std::string_view pattern) {
  auto path = std::filesystem::path(pattern).lexically_normal().string();
  while (!path.empty() && path.back() == '/') path.pop_back();
  while (!path.empty() && path.front() == '/') path.erase(0, 1);
  return path;
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.substr(0, directory.size()) == directory &&
         path[directory.size()] == '/';
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view path) {
  while (!pattern.empty()) {
    if (pattern.substr(0, 2) == "**") return match_parts(pattern, path);
    if (pattern.front() == '*') {
      pattern.remove_prefix(1);
      for (;; path.remove_prefix(1)) {
        if (matches_pattern(pattern, path)) return true;
        if (path.empty() || path.front() == '/') return false;
      }
    }
    if (path.empty()) return false;
    const char c = path.front();
    if (pattern.front() == '[') {
      const auto found = match_class(pattern, c);
      if (!found || !found->matched || c == '/') return false;
      pattern = found->rest;
      path.remove_prefix(1);
      continue;
    }
    if (pattern.front() == '?') {
      if (c == '/') return false;
    } else {
      if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
      if (pattern.front() != c) return false;
    }
    pattern.remove_prefix(1);
    path.remove_prefix(1);
  }
  return path.empty();
}

Ignore::Ignore(std::string_view text) {
  constexpr std::string_view k_byte_order_mark = "\xef\xbb\xbf";
  if (text.substr(0, k_byte_order_mark.size()) == k_byte_order_mark)
    text.remove_prefix(k_byte_order_mark.size());
  for (const auto& line : util::split(text, '\n'))
    if (line.empty() || line.front() != '#') add(line);
}

void Ignore::add(std::string_view line) {
  line = util::trim(line);
  if (line.empty()) return;
  const bool exception = line.front() == '!';
  if (exception) line = util::trim(line.substr(1));
  if (line.empty())
    throw util::Error(util::ErrorKind::invalid_file, "cannot use .dockerignore: a \"!\" needs a pattern");
  check_classes(line);
  auto pattern = clean(line);
  // "." and "/" would exclude everything, even what is sent always; Docker takes them for nothing.
  if (pattern.empty() || pattern == ".") return;
  patterns_.push_back({std::move(pattern), exception});
}

bool Ignore::excluded(std::string_view path) const {
  bool excluded = false;
  for (const auto& pattern : patterns_) {
    // A pattern that would not change the answer need not be tried.
    if (pattern.exception != excluded) continue;
    bool matches = matches_pattern(pattern.text, path);
    for (auto slash = path.find('/'); !matches && slash != path.npos; slash = path.find('/', slash + 1))
      matches = matches_pattern(pattern.text, path.substr(0, slash));
    if (matches) excluded = !pattern.exception;
  }
  return excluded;
}

bool Ignore::may_except_below(std::string_view directory) const {
  for (const auto& pattern : patterns_) {
    if (!pattern.exception) continue;
    const auto special = pattern.text.find_first_of(k_special);
    const auto plain = std::string_view(pattern.text).substr(0, special);
    if (is_below(plain, directory)) return true;
    // The plain beginning is a beginning of the directory's path too: what follows may match in there.
    if (special != std::string::npos && directory.substr(0, plain.size()) == plain) return true;
  }
  return false;
}

}  // namespace stackd::docker
