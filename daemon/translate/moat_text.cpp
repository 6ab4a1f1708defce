#include "daemon/translate/moat_text.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "daemon/util/text.hpp"

namespace stackd::translate {

namespace {

// The first words of lines that are only part of a shell construct.
constexpr std::array<std::string_view, 16> k_shell_words{"if",       "then",  "else", "elif", "fi",   "for",
                                                         "while",    "until", "do",   "done", "case", "esac",
                                                         "function", "{",     "}",    "!"};

struct Line {
  std::string text;  // without blanks around it
  std::size_t indentation = 0;
};

std::vector<Line> lines_of(const std::string& text) {
  std::vector<Line> lines;
  for (const std::string& raw : util::split(text, '\n')) {
    const auto trimmed = util::trim(raw);
    if (!trimmed.empty()) lines.push_back({std::string(trimmed), raw.find_first_not_of(" \t")});
  }
  return lines;
}

// M2.6: what Moat takes away at the end of a line before it joins the lines; but for `\;`, which is find's.
std::string without_joiners(std::string line) {
  for (;;) {
    const std::size_t size = line.size();
    line = std::string(util::trim(line));
    if (line.ends_with("\\;")) return line;
    if (line.ends_with("&&")) line.resize(line.size() - 2);
    if (line.ends_with(';') || line.ends_with('\\')) line.pop_back();
    if (line.size() == size) return line;
  }
}

// `;`, `||` and `&` bind looser than the && that would join the lines, or as loose: of `a` and `b || c`,
// joined, c would run when a has failed. The & of a redirection is none of them, nor is &&.
bool is_loose_operator(const std::string& line, std::size_t at) {
  const auto next = [&](char c) { return at + 1 < line.size() && line[at + 1] == c; };
  const auto before = [&](char c) { return at > 0 && line[at - 1] == c; };
  switch (line[at]) {
    case ';':
      return true;
    case '|':
      return next('|');
    case '&':
      return !next('&') && !next('>') && !before('&') && !before('>') && !before('<');
    default:
      return false;
  }
}

// Balanced quotes and no list, comment, here-document or construct that goes beyond the line.
bool is_simple_command(const std::string& line) {
  const std::string first = line.substr(0, line.find_first_of(" \t;"));
  if (std::find(k_shell_words.begin(), k_shell_words.end(), first) != k_shell_words.end()) return false;
  if (line.front() == '#' || line.front() == '(' || line.front() == ')') return false;
  if (std::string_view("|&{(").find(line.back()) != std::string_view::npos) return false;
  if (line.ends_with(";;") || line.ends_with(" do") || line.ends_with(" then")) return false;
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\'') {
      ++i;
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"' || c == '`') {
      quote = c;
    } else if (is_loose_operator(line, i)) {
      return false;
    } else if (c == '#' && i > 0 && (line[i - 1] == ' ' || line[i - 1] == '\t')) {
      return false;
    } else if (c == '<' && line.compare(i, 2, "<<") == 0) {
      return false;
    }
  }
  return quote == '\0';
}

// A backslash at the end of a line continues one command when the next line is indented deeper or begins with
// an option or an operator; else Moat's users meant it as the end of the command.
bool continues(const Line& line, const Line& next) {
  if (!line.text.ends_with('\\')) return false;
  const std::string before(util::trim(line.text.substr(0, line.text.size() - 1)));
  if (before.ends_with("&&") || before.ends_with(';')) return false;
  return next.indentation > line.indentation ||
         std::string_view("-|&<>").find(next.text.front()) != std::string_view::npos;
}

std::string script(const std::string& text) {
  return "set -e\n" + text;
}

}  // namespace

// X20: joined with && as Moat does, when every line is a command of its own; else one script that stops at
// the first failure.
std::string build_script(const std::string& raw) {
  const std::string text(util::trim(raw));
  const auto lines = lines_of(text);
  if (lines.size() <= 1) return text;
  std::vector<std::string> commands;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i + 1 < lines.size() && continues(lines[i], lines[i + 1])) return script(text);
    std::string command = without_joiners(lines[i].text);
    if (command.empty()) continue;
    if (!is_simple_command(command) || lines[i].text.ends_with(";;")) return script(text);
    commands.push_back(std::move(command));
  }
  return util::join(commands, " && \\\n");
}

// X20: unlike Moat's (M4.3) it stops at the first failure; a text that begins with `set +e` does not.
std::string run_script(const std::string& raw) {
  const std::string text(util::trim(raw));
  return lines_of(text).size() > 1 ? script(text) : text;
}

}  // namespace stackd::translate
