#include "daemon/api/query.hpp"

#include <algorithm>
#include <charconv>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/time.hpp"
#include "proto/time.hpp"

namespace stackd::api {
namespace {

using util::Error;
using util::ErrorKind;

std::string unknown(const std::string& name, std::initializer_list<std::string_view> known) {
  std::vector<std::string> names(known.begin(), known.end());
  std::string message = "unknown parameter '" + name + "'";
  if (const auto near = util::nearest(name, names)) return message + "; did you mean '" + *near + "'?";
  if (names.empty()) return message + ": none is taken here";
  return message + ": there are " + util::join(names, ", ");
}

}  // namespace

Query::Query(const http::Request& request, std::initializer_list<std::string_view> known)
    : parameters_(request.query) {
  for (const auto& [name, value] : parameters_)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw Error(ErrorKind::invalid_request, unknown(name, known));
}

bool Query::flag(std::string_view name) const {
  const auto value = text(name, "0");
  if (value.empty() || value == "1" || value == "true" || value == "yes") return true;
  if (value == "0" || value == "false" || value == "no") return false;
  throw Error(ErrorKind::invalid_request,
              "parameter '" + std::string(name) + "' must be 1 or 0, not '" + value + "'");
}

std::string Query::text(std::string_view name, std::string fallback) const {
  for (const auto& [key, value] : parameters_)
    if (key == name) return value;
  return fallback;
}

std::vector<std::string> Query::list(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : parameters_) {
    if (key != name) continue;
    for (auto& item : util::split(value, ','))
      if (!item.empty()) values.push_back(std::move(item));
  }
  return values;
}

std::int64_t Query::integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                            std::int64_t most) const {
  for (const auto& [key, value] : parameters_)
    if (key == name) return parse_integer(value, "parameter '" + key + "'", least, most);
  return fallback;
}

std::int64_t parse_integer(std::string_view text, const std::string& what, std::int64_t least,
                           std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most)
    throw Error(ErrorKind::invalid_request, what + " must be a whole number from " + std::to_string(least) +
                                                " to " + std::to_string(most) + ", not '" +
                                                std::string(text) + "'");
  return value;
}

constexpr std::int64_t k_last_second = 253'402'300'799;  // of the year 9999

// What is before 1970 or after 9999 means the same as its end.
std::string engine_time(const std::string& text, const char* name) {
  if (text.empty()) return "";
  auto at = proto::parse_time(text);
  if (const auto ago = util::parse_duration(text); !at && ago && text != "0")
    at = util::now_ms() - ago->count();
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (!at && error == std::errc() && end == text.data() + text.size())
    at = std::clamp<std::int64_t>(seconds, 0, k_last_second) * 1000;
  // Digits alone, too many for a number.
  if (!at && error == std::errc::result_out_of_range && end == text.data() + text.size())
    at = text.front() == '-' ? 0 : k_last_second * 1000;
  if (!at)
    throw util::Error(util::ErrorKind::invalid_request,
                      std::string("parameter '") + name +
                          "' must be a time (2026-08-01T09:30:00Z) or how long ago (10m), not '" + text +
                          "'");
  *at = std::clamp<std::int64_t>(*at, 0, k_last_second * 1000);
  const auto millis = std::to_string(1000 + *at % 1000).substr(1);
  return std::to_string(*at / 1000) + "." + millis;
}

}  // namespace stackd::api
