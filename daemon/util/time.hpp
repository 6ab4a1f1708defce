// Wall-clock times as the store and the wire write them. Pure but for now_ms.
#pragma once

#include <cstdint>
#include <string>

namespace stackd::util {

// Milliseconds since the epoch, UTC; what every timestamp column holds.
using TimeMs = std::int64_t;

TimeMs now_ms();
// RFC 3339 with milliseconds, "2026-08-01T09:30:00.123Z".
std::string format_time(TimeMs at);

}  // namespace stackd::util
