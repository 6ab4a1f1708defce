#include "daemon/probes/output.hpp"

#include <algorithm>

namespace stackd::probes {
namespace {

std::string in_a_group(const std::string& pattern) {
  return RE2(pattern).NumberOfCapturingGroups() > 0 ? pattern : "(" + pattern + ")";
}

// With (?m) a pattern finds in many lines whatever it finds in one of them, unless it names the ends of the
// text or turns that off.
bool can_be_multiline(const std::string& pattern) {
  for (const auto* part : {"\\A", "\\z", "\\Z", "(?-", "(?s-", "(?i-", "(?U-", "(?m"})
    if (pattern.find(part) != std::string::npos) return false;
  return true;
}

RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

constexpr char k_escape = '\x1b';

// The length of a control sequence at its escape character.
std::size_t sequence_length(std::string_view text) {
  if (text.size() < 2) return text.size();
  if (text[1] == ']') {  // up to a bell, or escape and backslash
    const auto end = text.find_first_of("\a\x1b", 2);
    if (end == std::string_view::npos) return text.size();
    return text[end] == '\a' ? end + 1 : std::min(end + 2, text.size());
  }
  if (text[1] != '[') return 2;
  const auto end = std::find_if(text.begin() + 2, text.end(), [](char c) { return c >= '@' && c <= '~'; });
  return static_cast<std::size_t>(end - text.begin()) + (end == text.end() ? 0 : 1);
}

}  // namespace

std::string plain_lines(std::string_view lines) {
  std::string plain;
  plain.reserve(lines.size());
  for (std::size_t at = 0; at < lines.size();) {
    const auto special = std::min(lines.find_first_of("\r\x1b", at), lines.size());
    plain += lines.substr(at, special - at);
    if (special == lines.size()) break;
    if (lines[special] == k_escape) {
      at = special + sequence_length(lines.substr(special));
      continue;
    }
    const bool at_end =
        special + 1 == lines.size() || lines[special + 1] == '\n' || lines[special + 1] == '\r';
    if (!at_end) plain += '\r';
    at = special + 1;
  }
  return plain;
}

LinePattern::LinePattern(const std::string& pattern) : each_(in_a_group(pattern), quiet()) {
  if (can_be_multiline(pattern)) all_ = std::make_unique<RE2>("(?m)" + pattern, quiet());
}

bool LinePattern::may_match(std::string_view lines) const {
  return !all_ || !all_->ok() || RE2::PartialMatch(re2::StringPiece(lines.data(), lines.size()), *all_);
}

template <class Try>
auto LinePattern::first(std::string_view lines, Try attempt) const -> decltype(attempt(std::string_view())) {
  const auto look_at = [&](std::string_view text) -> decltype(attempt(std::string_view())) {
    if (!may_match(text)) return std::nullopt;
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      if (auto found = attempt(text.substr(0, end))) return found;
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::nullopt;
  };
  if (lines.find_first_of("\r\x1b") == std::string_view::npos) return look_at(lines);
  const auto plain = plain_lines(lines);
  if (auto found = look_at(plain)) return found;
  return look_at(lines);
}

std::optional<std::string> LinePattern::find(std::string_view lines) const {
  return first(lines, [&](std::string_view line) -> std::optional<std::string> {
    if (!RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), each_)) return std::nullopt;
    return std::string(line);
  });
}

std::optional<std::string> LinePattern::extract(std::string_view lines) const {
  return first(lines, [&](std::string_view line) -> std::optional<std::string> {
    std::string found;
    if (!RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), each_, &found)) return std::nullopt;
    return found;
  });
}

Capture::Capture(std::string name, const std::string& text) : key(std::move(name)), pattern(text) {
  const bool several_lines = text.find("\\n") != std::string::npos || text.find('\n') != std::string::npos ||
                             text.find("(?s") != std::string::npos;
  if (several_lines)
    text_ = std::make_unique<RE2>(in_a_group(text), quiet());
  else
    line_.emplace(text);
}

void Capture::look_at(std::string_view lines) {
  if (value) return;
  if (line_) {
    value = line_->extract(lines);
    return;
  }
  seen_ += plain_lines(lines);
  std::string found;
  if (RE2::PartialMatch(seen_, *text_, &found)) value = found;
  if (seen_.size() > k_span) seen_.erase(0, seen_.size() - k_span);
}

}  // namespace stackd::probes
