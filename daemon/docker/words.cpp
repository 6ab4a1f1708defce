#include "daemon/docker/words.hpp"

#include <charconv>
#include <initializer_list>

#include "daemon/util/text.hpp"

namespace stackd::docker {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

std::optional<int> number_at(std::string_view text) {
  int number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc{} ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string_view health_in(std::string_view status) {
  if (has(status, "(healthy)")) return "healthy";
  if (has(status, "(unhealthy)")) return "unhealthy";
  return has(status, "(health: starting)") ? "starting" : "";
}

std::optional<int> exit_code_in(std::string_view status) {
  constexpr std::string_view k_exited = "Exited (";
  return status.starts_with(k_exited) ? number_at(status.substr(k_exited.size())) : std::nullopt;
}

std::string_view health_in_action(std::string_view action) {
  constexpr std::string_view k_health = "health_status: ";
  return action.starts_with(k_health) ? action.substr(k_health.size()) : "";
}

bool is_being_removed(std::string_view error) {
  return has(error, "already in progress");
}

bool has_active_endpoints(std::string_view error) {
  return has(error, "active endpoints");
}

bool lost_a_layer(std::string_view error) {
  return has(error, "failed to get digest") || has(error, "unknown parent image ID");
}

bool wants_login(std::string_view error) {
  for (const std::string_view words : {"no basic auth credentials", "unauthorized", "authentication required",
                                       "pull access denied", "access to the resource is denied",
                                       "incorrect username or password", "401 Unauthorized", "403 Forbidden"})
    if (has(error, words)) return true;
  return false;
}

bool is_passing(std::string_view error) {
  for (const std::string_view words :
       {"toomanyrequests", "429 Too Many Requests", "connection reset", "unexpected EOF", ": EOF",
        "TLS handshake timeout", "i/o timeout", "500 Internal Server Error", "502 Bad Gateway",
        "503 Service Unavailable", "504 Gateway Timeout", "net/http: request canceled", "broken pipe",
        "Client.Timeout exceeded"})
    if (has(error, words)) return true;
  return false;
}

std::optional<std::chrono::milliseconds> wait_asked_for(std::string_view error) {
  for (const std::string_view words : {"retry-after: ", "Retry-After: ", "retry after "}) {
    const auto at = error.find(words);
    if (at == error.npos) continue;
    auto rest = error.substr(at + words.size());
    rest = rest.substr(0, rest.find_first_of(", ;\n"));
    return util::parse_duration(rest, std::chrono::seconds(1));
  }
  return std::nullopt;
}

int build_status(std::string_view error) {
  for (const std::string_view words : {"returned a non-zero code: ", "exit status ", "exit code: "})
    if (const auto at = error.rfind(words); at != error.npos)
      if (const auto status = number_at(error.substr(at + words.size()))) return *status;
  return -1;
}

}  // namespace stackd::docker
