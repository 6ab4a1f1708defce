#include "daemon/stackfile/findings.hpp"

#include <charconv>
#include <map>
#include <string_view>

namespace stackd::stackfile {

namespace {

std::string_view line_of(std::string_view text, int number) {
  for (int at = 1; at < number; ++at) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  auto line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Where what begins at `from` ends: a quoted text with its quotes, a key before its colon, a plain text
// before a comment or, in a list or mapping of one line, before the next one.
std::size_t end_of_value(std::string_view line, std::size_t from) {
  if (from >= line.size()) return from + 1;
  if (line[from] == '"' || line[from] == '\'') {
    for (std::size_t at = from + 1; at < line.size(); ++at) {
      if (line[from] == '"' && line[at] == '\\')
        ++at;
      else if (line[at] == line[from])
        return at + 1;
    }
    return line.size();
  }
  std::size_t at = from;
  for (; at < line.size(); ++at) {
    const bool last = at + 1 == line.size();
    if (line[at] == ':' && (last || line[at + 1] == ' ')) break;
    if (line[at] == '#' && at > from && line[at - 1] == ' ') break;
    if (std::string_view(",]}").find(line[at]) != std::string_view::npos && at > from &&
        line.substr(0, from).find_first_of("[{") != std::string_view::npos)
      break;
  }
  while (at > from + 1 && line[at - 1] == ' ') --at;
  return at > from ? at : from + 1;
}

// Cuts ":<number>" off the end of `text`.
int number_at_end(std::string_view& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return 0;
  int number = 0;
  const auto* last = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, last, number);
  if (read.ec != std::errc() || read.ptr != last) return 0;
  text = text.substr(0, colon);
  return number;
}

std::string suggested(std::string_view message) {
  constexpr std::string_view k_before = "did you mean '";
  const auto at = message.rfind(k_before);
  if (at == std::string_view::npos) return "";
  const auto rest = message.substr(at + k_before.size());
  return std::string(rest.substr(0, rest.find('\'')));
}

Finding read(const std::string& line) {
  Finding out;
  out.message = line;
  for (auto at = line.find(": "); at != std::string::npos; at = line.find(": ", at + 1)) {
    std::string_view place = std::string_view(line).substr(0, at);
    const int column = number_at_end(place);
    const int number = column ? number_at_end(place) : 0;
    if (!number) continue;
    out.file = std::string(place);
    out.line = number;
    out.column = column;
    out.message = line.substr(at + 2);
    break;
  }
  out.suggestion = suggested(out.message);
  return out;
}

}  // namespace

std::vector<Finding> findings(const std::vector<std::string>& lines, const std::string& severity,
                              const std::function<std::string(const std::string& file)>& text_of) {
  std::map<std::string, std::string> texts;
  std::vector<Finding> out;
  for (const auto& line : lines) {
    Finding finding = read(line);
    finding.severity = severity;
    if (finding.line) {
      auto known = texts.find(finding.file);
      if (known == texts.end()) known = texts.emplace(finding.file, text_of(finding.file)).first;
      const auto from = static_cast<std::size_t>(finding.column - 1);
      finding.end = static_cast<int>(end_of_value(line_of(known->second, finding.line), from)) + 1;
    }
    out.push_back(std::move(finding));
  }
  return out;
}

}  // namespace stackd::stackfile
