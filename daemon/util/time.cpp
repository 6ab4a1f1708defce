#include "daemon/util/time.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace stackd::util {

std::chrono::steady_clock::time_point steady_at(TimeMs at) {
  const auto passed = std::max<TimeMs>(now_ms() - at, 0);
  return std::chrono::steady_clock::now() - std::chrono::milliseconds(passed);
}

TimeMs now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

TimeMs parse_time(std::string_view text) {
  std::tm parts{};
  const std::string whole(text);
  const char* rest = ::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (!rest || parts.tm_year < 0) return 0;  // (before 1900)
  TimeMs ms = 0;
  if (*rest == '.') {
    int digits = 0;
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest)
      if (digits++ < 3) ms = ms * 10 + (*rest - '0');
    for (; digits < 3; ++digits) ms *= 10;
  }
  TimeMs ahead = 0;  // of UTC, in minutes
  if (*rest == '+' || *rest == '-') {
    int hours = 0, minutes = 0;
    if (std::sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2) return 0;
    ahead = (*rest == '-' ? -1 : 1) * (hours * 60 + minutes);
  } else if (*rest != 'Z') {
    return 0;
  }
  return (static_cast<TimeMs>(::timegm(&parts)) - ahead * 60) * 1000 + ms;
}

std::string format_time(TimeMs at) {
  const std::time_t seconds = at / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char day[32];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
  char text[48];
  std::snprintf(text, sizeof text, "%s.%03dZ", day, static_cast<int>(at % 1000));
  return text;
}

}  // namespace stackd::util
