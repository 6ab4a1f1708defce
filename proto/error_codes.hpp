// The stable `code` of a problem document or an operation's error, the HTTP status it comes with and what it
// says. The daemon makes them from ErrorKind, the client turns them into exit codes; openapi.yaml lists them,
// and tests keep the three together.
#pragma once

#include <array>
#include <string_view>

namespace stackd::proto {

struct ErrorCode {
  std::string_view code;
  int status;
  std::string_view title;
};

inline constexpr std::array<ErrorCode, 14> k_error_codes{{
    {"invalid-request", 400, "The request is wrong"},        // trying again cannot help
    {"invalid-stack-file", 422, "The stack file is wrong"},  // `errors` has a line for each mistake
    {"not-found", 404, "There is no such thing"},            // stack, service, operation, hook run, path
    {"conflict", 409, "Something else is in the way"},       // `operation` is the one that runs
    {"foreign_project", 409, "Somebody else has this project up"},
    {"engine-unreachable", 503, "The container engine does not answer"},
    {"engine-error", 502, "The container engine refused"},
    {"unsupported", 501, "This cannot be done here"},
    {"timed-out", 504, "A deadline passed"},
    {"cancelled", 500, "It was cancelled"},
    {"denied", 403, "The caller may not do this"},  // 401 for a missing or wrong token
    {"failed", 500, "A command, hook, probe or service failed"},
    {"io-error", 500, "A file, socket or process could not be used"},
    {"internal", 500, "A bug in stackd"},
}};

// The entry of a code; an unknown one (a newer daemon's) is `internal`.
constexpr const ErrorCode& error_code(std::string_view code) {
  for (const auto& entry : k_error_codes)
    if (entry.code == code) return entry;
  return k_error_codes.back();
}

}  // namespace stackd::proto
