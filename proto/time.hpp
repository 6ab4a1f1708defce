// Times as the API writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace stackd::proto {

// RFC 3339 to milliseconds since 1970; nothing when it is not a time.
std::optional<std::int64_t> parse_time(const std::string& text);

}  // namespace stackd::proto
