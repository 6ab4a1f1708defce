#include "client/text.hpp"
#include "proto/time.hpp"

#include <time.h>
#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

namespace stackd::client {
namespace {

// The code point at `position`, which moves behind it; a byte that is not UTF-8 counts as one U+FFFD.
char32_t next_code_point(std::string_view text, std::size_t& position) {
  utf8proc_int32_t code = 0;
  const auto used = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + position),
                                     static_cast<utf8proc_ssize_t>(text.size() - position), &code);
  position += used > 0 ? static_cast<std::size_t>(used) : 1;
  return used > 0 ? static_cast<char32_t>(code) : 0xFFFD;
}

int width_of(char32_t code) {
  return utf8proc_charwidth(static_cast<utf8proc_int32_t>(code));
}

// The position behind an escape sequence that starts at `position`.
std::size_t after_escape(std::string_view text, std::size_t position) {
  std::size_t i = position + 1;
  if (i >= text.size()) return i;
  char kind = text[i++];
  if (kind == '[') {  // CSI: parameters, then one final byte
    while (i < text.size() && (text[i] < '@' || text[i] > '~')) ++i;
    return std::min(i + 1, text.size());
  }
  if (kind == ']' || kind == 'P' || kind == '_' || kind == '^' ||
      kind == 'X') {  // strings: until BEL or ESC backslash
    while (i < text.size() && text[i] != '\a' && text[i] != '\x1b') ++i;
    if (i < text.size() && text[i] == '\x1b') ++i;
    return std::min(i + 1, text.size());
  }
  return i;
}

}  // namespace

int display_width(std::string_view text) {
  int width = 0;
  for (std::size_t i = 0; i < text.size();) width += width_of(next_code_point(text, i));
  return width;
}

std::string fit(std::string_view text, int width) {
  if (width <= 0) return "";
  int used = 0;
  std::size_t room_for_dots = 0;  // how much stays when the ellipsis must fit too
  for (std::size_t i = 0; i < text.size();) {
    used += width_of(next_code_point(text, i));
    if (used <= width - 1) room_for_dots = i;
    if (used > width) return std::string(text.substr(0, room_for_dots)) + "…";
  }
  return std::string(text);
}

std::string pad(std::string_view text, int width) {
  return std::string(text) +
         std::string(static_cast<std::size_t>(std::max(0, width - display_width(text))), ' ');
}

std::string clean(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '\x1b') {
      i = after_escape(text, i);
      continue;
    }
    if (text[i] == '\t' || text[i] == '\n') {
      out += ' ';
      ++i;
      continue;
    }
    std::size_t start = i;
    char32_t code = next_code_point(text, i);
    if (code == 0xFFFD && text[start] != '\xEF') {
      out += "\xEF\xBF\xBD";
    } else if (code >= 0x20 && (code < 0x7F || code >= 0xA0)) {
      out.append(text.substr(start, i - start));
    }
  }
  return out;
}

std::string harmless(std::string_view text) {
  std::string out;
  bool coloured = false;
  while (!text.empty()) {
    // Up to a colour, which is passed on, or to the end.
    std::size_t at = 0, end = 0;
    for (; at < text.size(); ++at) {
      if (text[at] != '\x1b' && text[at] != '\t') continue;
      end = text[at] == '\t' ? at + 1 : after_escape(text, at);
      const bool colour = text[at] == '\x1b' && end - at > 2 && text[at + 1] == '[' && text[end - 1] == 'm';
      if (text[at] == '\t' || colour) break;
    }
    out += clean(text.substr(0, at));
    if (at >= text.size()) break;
    coloured = coloured || text[at] == '\x1b';
    out += text.substr(at, end - at);
    text.remove_prefix(end);
  }
  return coloured ? out + "\x1b[0m" : out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string duration_text(std::int64_t ms) {
  char text[48];
  if (ms < 1000)
    std::snprintf(text, sizeof text, "%lldms", static_cast<long long>(std::max<std::int64_t>(ms, 0)));
  else if (ms < 59'950)
    std::snprintf(text, sizeof text, "%.1fs", static_cast<double>(ms) / 1000);
  else if (ms < 3'599'500)
    std::snprintf(text, sizeof text, "%lldm%02llds", static_cast<long long>((ms + 500) / 60'000),
                  static_cast<long long>((ms + 500) / 1000 % 60));
  else
    std::snprintf(text, sizeof text, "%lldh%02lldm", static_cast<long long>((ms + 500) / 3'600'000),
                  static_cast<long long>((ms + 500) / 60'000 % 60));
  return text;
}

std::string percent_text(double percent) {
  char text[32];
  std::snprintf(text, sizeof text, percent < 99.95 ? "%.1f%%" : "%.0f%%", percent);
  return text;
}

std::string bytes_text(std::int64_t bytes) {
  constexpr const char* k_units[] = {"B", "kB", "MB", "GB", "TB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 999.95 && unit + 1 < std::size(k_units); ++unit) amount /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f%s" : "%.1f%s", amount, k_units[unit]);
  return text;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double ms;
  };
  constexpr Unit k_units[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  if (text.empty()) return std::nullopt;
  double total = 0;
  bool bare_allowed = true;  // a number without a unit must be all there is
  while (!text.empty()) {
    if (text[0] < '0' || text[0] > '9') return std::nullopt;
    double value = 0;
    auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty() && bare_allowed) {
      total = value * 1000;
      break;
    }
    bare_allowed = false;
    std::size_t letters = 0;
    while (letters < text.size() && text[letters] >= 'a' && text[letters] <= 'z') ++letters;
    auto unit = std::find_if(std::begin(k_units), std::end(k_units),
                             [&](const Unit& u) { return u.name == text.substr(0, letters); });
    if (unit == std::end(k_units)) return std::nullopt;
    total += value * unit->ms;
    text.remove_prefix(letters);
  }
  if (!(total < 9e15)) return std::nullopt;
  return std::llround(total);
}

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string clock_text(const std::string& rfc3339) {
  auto ms = proto::parse_time(rfc3339);
  if (!ms) return rfc3339;
  time_t seconds = static_cast<time_t>(*ms / 1000);
  tm local{};
  ::localtime_r(&seconds, &local);
  char text[40];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", local.tm_hour, local.tm_min, local.tm_sec,
                static_cast<int>(*ms % 1000));
  return text;
}

std::string shell_quote(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

bool is_shell_name(std::string_view text) {
  auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  return !text.empty() && letter(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view k_hex = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                 c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      out += {'%', k_hex[byte >> 4], k_hex[byte & 15]};
    }
  }
  return out;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t start = i;
    if (next_code_point(text, i) == 0xFFFD && text.substr(start, i - start) != "\xEF\xBF\xBD") return false;
  }
  return true;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i);
      for (std::size_t j = 1; j < row.size(); ++j) {
        std::size_t replaced = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace stackd::client
