// A service's output as readiness looks at it: lines that a pattern (RE2) finds something in. Pieces of any
// size are looked at in time that is short for each; what is looked at together is bounded. Pure.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stackd::probes {

// Lines as their writer meant them: without the carriage return that a terminal wants before a line's end,
// and without a terminal's control sequences.
std::string plain_lines(std::string_view lines);

class LinePattern {
public:
  explicit LinePattern(const std::string& pattern);
  // The first of these lines that matches (L3.4: each by itself); as plain text too, where that is another.
  std::optional<std::string> find(std::string_view lines) const;
  // Of the first line that matches: group 1 where there is one, else the whole match.
  std::optional<std::string> extract(std::string_view lines) const;

private:
  bool may_match(std::string_view lines) const;
  template <class Try>
  auto first(std::string_view lines, Try attempt) const -> decltype(attempt(std::string_view()));
  RE2 each_;                  // as written, in one group when it has none
  std::unique_ptr<RE2> all_;  // for many lines at once; null where that cannot be said
};

// One entry of `capture` (L3.4). It is looked for in each line, so that a pattern like [^ ]+ ends with its
// line; one that names line ends itself, in all that was written, k_span at a time.
class Capture {
public:
  Capture(std::string key, const std::string& pattern);
  void look_at(std::string_view lines);
  const std::string key, pattern;
  std::optional<std::string> value;

private:
  static constexpr std::size_t k_span = 64 * 1024;
  std::optional<LinePattern> line_;
  std::unique_ptr<RE2> text_;
  std::string seen_;
};

}  // namespace stackd::probes
