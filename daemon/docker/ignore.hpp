// Ignore: the patterns of a .dockerignore, as Docker reads them: "*", "?", "[a-z]" within one part of a path,
// "**" over any number of parts, "!" for exceptions; a match of a directory counts for all below; the last
// pattern that matches decides. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stackd::docker {

class Ignore {
public:
  Ignore() = default;
  // Throws Error(invalid_file) for a pattern that cannot be: a lone "!", an unclosed "[".
  explicit Ignore(std::string_view text);

  // One more pattern, after the others.
  void add(std::string_view line);
  // `path` is relative, "/" between its parts, no "./".
  bool excluded(std::string_view path) const;
  // An excluded directory is worth entering: an exception may match something in it.
  bool may_except_below(std::string_view directory) const;

private:
  struct Pattern {
    std::string text;  // cleaned: no "./", no "/" at either end
    bool exception = false;
  };
  std::vector<Pattern> patterns_;
};

// One pattern, one path; no parents, no exceptions.
bool matches_pattern(std::string_view pattern, std::string_view path);

}  // namespace stackd::docker
