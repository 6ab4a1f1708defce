// The wall clock of this program, to be set: as an administrator does it, or a machine that wakes up. In one
// file of a program's only: it takes the place of the C library's clock_gettime.
#pragma once

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

namespace stackd::test {

inline std::atomic<std::int64_t> wall_clock_ahead = 0;  // seconds

// Until it goes away.
class WallClock {
public:
  WallClock() = default;
  WallClock(const WallClock&) = delete;
  WallClock& operator=(const WallClock&) = delete;
  ~WallClock() { wall_clock_ahead = 0; }
  void set_forward(std::chrono::seconds by) { wall_clock_ahead += by.count(); }
};

}  // namespace stackd::test

extern "C" int clock_gettime(clockid_t clock, timespec* at) noexcept {
  const auto failed = static_cast<int>(::syscall(SYS_clock_gettime, clock, at));
  if (failed == 0 && clock == CLOCK_REALTIME) at->tv_sec += stackd::test::wall_clock_ahead;
  return failed;
}
