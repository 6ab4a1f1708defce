// Request targets: "/v1/stacks/a%20b/logs?tail=10" taken apart. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/http/message.hpp"

namespace stackd::http {

// %XX decoded, and in a query + as a blank; nothing when a % is not followed by two hex digits or a NUL would
// appear.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank = false);

struct Target {
  std::string path;  // not decoded
  Parameters query;  // decoded; "?follow" is an empty value
};
// Nothing when it is not an origin-form target ("/…") or cannot be decoded.
std::optional<Target> parse_target(std::string_view target);

}  // namespace stackd::http
