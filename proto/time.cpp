#include "proto/time.hpp"

#include <ctime>

namespace stackd::proto {
namespace {

int digits(const std::string& text, std::size_t position, std::size_t count) {
  int value = 0;
  for (std::size_t i = position; i < position + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::optional<std::int64_t> parse_time(const std::string& text) {
  tm time{};
  int year = digits(text, 0, 4), month = digits(text, 5, 2);
  time.tm_mday = digits(text, 8, 2);
  time.tm_hour = digits(text, 11, 2);
  time.tm_min = digits(text, 14, 2);
  time.tm_sec = digits(text, 17, 2);
  if (year < 1970 || month < 1 || month > 12 || time.tm_mday < 1 || time.tm_hour < 0 || time.tm_min < 0 ||
      time.tm_sec < 0)
    return std::nullopt;
  time.tm_year = year - 1900;
  time.tm_mon = month - 1;
  std::int64_t ms = static_cast<std::int64_t>(::timegm(&time)) * 1000;
  std::size_t i = 19;
  if (i < text.size() && text[i] == '.') {
    int scale = 100;
    for (++i; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i, scale /= 10)
      ms += scale * (text[i] - '0');
  }
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) {
    int hours = digits(text, i + 1, 2), minutes = digits(text, i + 4, 2);
    if (hours < 0 || minutes < 0) return std::nullopt;
    ms -= (text[i] == '+' ? 1 : -1) * (hours * 60 + minutes) * 60'000LL;
  } else if (i >= text.size() || (text[i] != 'Z' && text[i] != 'z')) {
    return std::nullopt;
  }
  return ms;
}

}  // namespace stackd::proto
