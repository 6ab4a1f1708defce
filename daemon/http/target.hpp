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
// Of an absolute-form target ("http://localhost/v1/ping", as a proxy is asked): what it calls the server.
// Empty for others.
std::string_view authority_of(std::string_view target);

// Nothing when it is neither an origin-form target ("/…") nor an absolute one, or cannot be decoded.
std::optional<Target> parse_target(std::string_view target);

}  // namespace stackd::http
