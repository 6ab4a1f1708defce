// One request to the engine, and the spelling of its parts. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/docker/engine.hpp"

namespace stackd::docker {

constexpr std::chrono::milliseconds k_limit = std::chrono::seconds(60);
constexpr std::chrono::milliseconds k_slow_limit = std::chrono::seconds(120);

// How long a stop may take before the engine counts as hung: the grace period that it was `asked` for, else
// the container's own, else the engine's, and some. Nothing for one without end.
std::optional<std::chrono::milliseconds> stop_limit(std::optional<int> asked, std::optional<int> own);

struct Request {
  std::string what;  // "cannot start container web": begins every error's message
  std::string method = "GET";
  std::string path{};  // "/containers/web/start?x=y", without the API version
  std::string body{};
  std::string content_type = "application/json";
  std::optional<std::chrono::milliseconds> limit = k_limit;  // until the answer was read; nothing for streams
  int accepted = 0;      // a status besides 2xx that is an answer, not an error
  bool upgrade = false;  // ask for the bare connection
  bool versioned = true;
  std::string registry_auth{};  // X-Registry-Auth: a login, base64; in no message
};

// The part of a path that names a container, image …: percent-encoded but for "/:@", which image references
// have.
std::string segment(std::string_view text);
// The first 12 digits of an id, anything else as it is: for messages.
std::string brief(std::string_view id);

// "?a=b&c=d", percent-encoded, in order.
class Query {
public:
  Query& add(std::string_view key, std::string_view value);
  Query& add_if(bool condition, std::string_view key);  // key=1
  // {"label": ["a=b"]} as the engine's `filters`.
  Query& filters(const Filters& filters);
  const std::string& str() const { return text_; }

private:
  std::string text_;
};

// The head as it is sent. `chunked` when the body comes from a source.
std::string request_head(const Request& request, std::string_view api_version, std::string_view host,
                         bool chunked);

}  // namespace stackd::docker
