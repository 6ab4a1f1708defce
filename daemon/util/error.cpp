#include "daemon/util/error.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace stackd::util {
namespace {

constexpr std::array<std::pair<ErrorKind, std::string_view>, 14> k_codes{{
    {ErrorKind::invalid_request, "invalid-request"},
    {ErrorKind::invalid_file, "invalid-stack-file"},
    {ErrorKind::not_found, "not-found"},
    {ErrorKind::conflict, "conflict"},
    {ErrorKind::foreign_project, "foreign_project"},
    {ErrorKind::no_engine, "engine-unreachable"},
    {ErrorKind::engine, "engine-error"},
    {ErrorKind::unsupported, "unsupported"},
    {ErrorKind::timed_out, "timed-out"},
    {ErrorKind::cancelled, "cancelled"},
    {ErrorKind::denied, "denied"},
    {ErrorKind::failed, "failed"},
    {ErrorKind::io, "io-error"},
    {ErrorKind::internal, "internal"},
}};

}  // namespace

std::string_view code_of(ErrorKind kind) {
  for (const auto& [k, code] : k_codes)
    if (k == kind) return code;
  return "internal";
}

ErrorKind kind_of(std::string_view code) {
  for (const auto& [kind, c] : k_codes)
    if (c == code) return kind;
  return ErrorKind::internal;
}

Error::Error(ErrorKind kind, std::string message, std::vector<std::string> details)
    : std::runtime_error(message), kind_(kind), details_(std::move(details)) {}

Error Error::wrap(std::string_view context) const {
  return Error(kind_, std::string(context) + ": " + what(), details_);
}

Error system_error(std::string_view what, int error_number) {
  return Error(ErrorKind::io, std::string(what) + ": " + std::strerror(error_number));
}

}  // namespace stackd::util
