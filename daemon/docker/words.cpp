#include "daemon/docker/words.hpp"

#include <charconv>
#include <initializer_list>

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

int build_status(std::string_view error) {
  for (const std::string_view words : {"returned a non-zero code: ", "exit status "})
    if (const auto at = error.rfind(words); at != error.npos)
      if (const auto status = number_at(error.substr(at + words.size()))) return *status;
  return -1;
}

}  // namespace stackd::docker
