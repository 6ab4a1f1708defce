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
