// Wall-clock times as the store and the wire write them. Pure but for now_ms and steady_at.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace stackd::util {

// Milliseconds since the epoch, UTC; what every timestamp column holds.
using TimeMs = std::int64_t;

TimeMs now_ms();
// A moment that only the wall clock knows, a row of the store, as the steady one has it: what is measured
// from it does not mind that the wall clock is changed from now on. One that is still to come is now.
std::chrono::steady_clock::time_point steady_at(TimeMs at);
// RFC 3339 with milliseconds, "2026-08-01T09:30:00.123Z".
std::string format_time(TimeMs at);
// What the engine writes: RFC 3339 with any part of a second, UTC or with an offset. 0 for what is no time,
// and for the engine's own zero, year 1.
TimeMs parse_time(std::string_view text);

}  // namespace stackd::util
