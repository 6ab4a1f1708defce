#include "daemon/util/text.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "daemon/util/error.hpp"

namespace stackd::util {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

// Length in bytes of the UTF-8 sequence that begins at `at`, or 0 when it is broken.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 && first < 0xF5   ? 4
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xC2 && first < 0xE0 ? 2
                                                             : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  if (first == 0xE0 && byte(at + 1) < 0xA0) return 0;
  if (first == 0xED && byte(at + 1) > 0x9F) return 0;
  if (first == 0xF0 && byte(at + 1) < 0x90) return 0;
  if (first == 0xF4 && byte(at + 1) > 0x8F) return 0;
  return length;
}

std::optional<double> unit_in_ms(std::string_view unit) {
  if (unit == "ns") return 1e-6;
  if (unit == "us" || unit == "µs") return 1e-3;
  if (unit == "ms") return 1;
  if (unit == "s") return 1e3;
  if (unit == "m") return 60e3;
  if (unit == "h") return 3600e3;
  return std::nullopt;
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const auto& part : parts) {
    if (&part != &parts.front()) text += separator;
    text += part;
  }
  return text;
}

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool starts_with_icase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
         });
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < std::max(word.size(), candidate.size())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text,
                                                        std::optional<std::chrono::milliseconds> bare_unit) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  if (text == "0") return std::chrono::milliseconds(0);
  double total = 0;
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() &&
           (std::isdigit(static_cast<unsigned char>(text[digits])) || text[digits] == '.'))
      ++digits;
    if (digits == 0 || digits > 18) return std::nullopt;
    const std::string figure(text.substr(0, digits));
    char* end = nullptr;
    const double number = std::strtod(figure.c_str(), &end);
    if (end != figure.c_str() + figure.size()) return std::nullopt;
    text.remove_prefix(digits);
    std::size_t letters = 0;
    while (letters < text.size() && !std::isdigit(static_cast<unsigned char>(text[letters])) &&
           text[letters] != '.')
      ++letters;
    if (letters == 0) {
      if (!bare_unit || total != 0 || figure.find('.') != std::string::npos) return std::nullopt;
      return std::chrono::milliseconds(static_cast<long long>(number) * bare_unit->count());
    }
    const auto unit = unit_in_ms(text.substr(0, letters));
    if (!unit) return std::nullopt;
    total += number * *unit;
    text.remove_prefix(letters);
  }
  if (total > 9e15) return std::nullopt;
  return std::chrono::milliseconds(static_cast<long long>(std::llround(total)));
}

std::string format_duration(std::chrono::milliseconds value) {
  auto ms = value.count();
  if (ms == 0) return "0s";
  std::string text;
  const auto take = [&](long long size, const char* unit) {
    if (ms < size) return;
    text += std::to_string(ms / size) + unit;
    ms %= size;
  };
  take(3600'000, "h");
  take(60'000, "m");
  take(1'000, "s");
  take(1, "ms");
  return text;
}

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == '\'') {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\\' && i + 1 < line.size()) {
      const char next = line[++i];
      if (quote == '"' && next != '"' && next != '\\' && next != '$' && next != '`' && next != '\n')
        word += '\\';
      if (next != '\n') word += next, in_word = true;
    } else if (quote == '"') {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (std::isspace(static_cast<unsigned char>(c))) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote)
    throw Error(ErrorKind::invalid_request,
                "cannot split '" + std::string(line) + "' into words: a quote is not closed");
  if (in_word) words.push_back(std::move(word));
  return words;
}

std::vector<std::string> tail_lines(std::string_view text, std::size_t max_lines, std::size_t max_bytes) {
  std::vector<std::string> lines;
  std::size_t bytes = 0;
  auto all = split(text, '\n');
  for (auto line = all.rbegin(); line != all.rend() && lines.size() < max_lines; ++line) {
    std::string_view view = *line;
    while (!view.empty() && view.back() == '\r') view.remove_suffix(1);
    if (const auto cr = view.rfind('\r'); cr != std::string_view::npos) view.remove_prefix(cr + 1);
    if (trim(view).empty()) continue;
    auto clean = valid_utf8(view);
    if (bytes + clean.size() > max_bytes) {
      if (lines.empty())
        lines.push_back(valid_utf8(std::string_view(clean).substr(clean.size() - max_bytes)));
      break;
    }
    bytes += clean.size();
    lines.push_back(std::move(clean));
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

namespace {

constexpr std::size_t k_looked_at = 300;  // lines
constexpr std::size_t k_looked_bytes = 64 << 10;

// "    at f (x.js:1)", "  File …", "\t/src/main.go:3", "goroutine 1 [running]:", "... 3 more"
bool is_frame(std::string_view line) {
  if (line.empty() || line.front() == ' ' || line.front() == '\t') return true;
  for (const std::string_view word : {"at ", "goroutine ", "... ", "#", "created by ", "exit status "})
    if (line.starts_with(word)) return true;
  return line.ends_with("()") || (line.ends_with(")") && line.find(' ') == std::string_view::npos);
}

bool tells_of_failure(std::string_view line) {
  std::string small(line);
  for (auto& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* word : {"fatal", "error", "panic", "exception", "cannot", "can't", "could not", "failed",
                           "denied", "refused", "not found", "no such", "missing", "invalid"})
    if (small.find(word) != std::string::npos) return true;
  return false;
}

// Its index among the lines; nothing when there is none.
std::optional<std::size_t> telling_index(const std::vector<std::string>& lines) {
  std::optional<std::size_t> last;
  for (std::size_t index = lines.size(); index-- > 0;) {
    if (is_frame(lines[index])) continue;
    if (tells_of_failure(lines[index])) return index;
    if (!last) last = index;
  }
  return last ? last : lines.empty() ? std::nullopt : std::optional(lines.size() - 1);
}

}  // namespace

std::string telling_line(std::string_view text) {
  const auto lines = tail_lines(text, k_looked_at, k_looked_bytes);
  const auto index = telling_index(lines);
  return index ? lines[*index] : "";
}

std::vector<std::string> telling_lines(std::string_view text, std::size_t max_lines, std::size_t max_bytes) {
  const auto all = tail_lines(text, k_looked_at, k_looked_bytes);
  auto last = tail_lines(text, max_lines, max_bytes);
  const auto index = telling_index(all);
  if (!index || *index + last.size() >= all.size()) return last;
  last = tail_lines(text, max_lines > 2 ? max_lines - 2 : 1, max_bytes);
  const auto between = all.size() - last.size() - *index - 1;
  std::vector<std::string> lines{all[*index]};
  if (between > 0) lines.push_back("… " + std::to_string(between) + " lines");
  lines.insert(lines.end(), last.begin(), last.end());
  return lines;
}

std::string valid_utf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text, i);
    if (length) clean.append(text.substr(i, length));
    i += length ? length : 1;
  }
  return clean;
}

}  // namespace stackd::util
