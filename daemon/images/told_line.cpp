#include "daemon/images/told_line.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace stackd::images {
namespace {

using Kind = ToldLine::Kind;

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

// "1.234 ": the seconds since its step began are before what it printed, and before nothing else.
bool take_time(std::string_view& text) {
  const auto space = text.find(' ');
  const auto time = text.substr(0, space);
  const auto dot = time.find('.');
  if (space == text.npos || dot == time.npos || dot == 0 || time.size() != dot + 4) return false;
  for (std::size_t i = 0; i < time.size(); ++i)
    if (i != dot && !is_digit(time[i])) return false;
  text.remove_prefix(space + 1);
  return true;
}

// "extracting sha256:… 0.4s done", "transferring context: 5.2MB 1.2s 4.3MB/s": a time or a rate is last.
// Names of instructions are in brackets, whatever is after them.
bool is_part(std::string_view text) {
  if (text.starts_with('[')) return false;
  const auto last = text.substr(text.rfind(' ') + 1);
  return last == "done" || last.ends_with("/s") || (last.ends_with('s') && is_digit(last.front()));
}

}  // namespace

ToldLine told_line(std::string_view line) {
  ToldLine told;
  if (!take(line, "#")) return told;
  const auto read = std::from_chars(line.data(), line.data() + line.size(), told.step);
  line.remove_prefix(static_cast<std::size_t>(read.ptr - line.data()));
  if (read.ec != std::errc{} || !take(line, " ")) return {};
  told.kind = Kind::begins;
  if (take_time(line)) {
    told.kind = Kind::out;
    if (take(line, "2> "))
      told.kind = Kind::err;
    else
      take(line, "1> ");
  } else if (take(line, "CACHED")) {
    told.kind = Kind::cached;
    take(line, " ");
  } else if (take(line, "DONE ")) {
    told.kind = Kind::ends;
  } else if (take(line, "ERROR: ")) {
    told.kind = Kind::failed;
  } else if (line == "CANCELED") {
    told.kind = Kind::cancelled;
  } else if (take(line, "WARN: ")) {
    told.kind = Kind::other;
  } else if (is_part(line)) {
    told.kind = Kind::part;
  }
  told.text = line;
  return told;
}

int instruction_in(std::string_view name) {
  const auto end = name.find(']');
  if (!name.starts_with('[') || end == name.npos) return 0;
  const auto slash = name.substr(0, end).rfind('/');
  if (slash == name.npos) return 0;
  auto from = slash;
  while (from > 0 && is_digit(name[from - 1])) --from;
  int number = 0;
  std::from_chars(name.data() + from, name.data() + slash, number);
  return number;
}

}  // namespace stackd::images
