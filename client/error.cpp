#include "client/error.hpp"

#include <utility>

namespace stackd::client {
namespace {

std::string message_of(const proto::Problem& problem) {
  std::string message = !problem.detail.empty() ? problem.detail : problem.title;
  if (message.empty()) message = "the daemon answered with status " + std::to_string(problem.status);
  if (problem.code == "conflict" && !problem.operation.empty() &&
      message.find(problem.operation) == std::string::npos)
    message += " (operation " + problem.operation + ")";
  return message;
}

}  // namespace

ClientError::ClientError(int exit_code, const std::string& message, std::vector<std::string> details)
    : std::runtime_error(message), exit_code_(exit_code), details_(std::move(details)) {}

ApiError::ApiError(proto::Problem problem)
    : ClientError(exit_code_of(problem.code), message_of(problem), problem.errors),
      problem_(std::move(problem)) {}

TransportError::TransportError(const std::string& message, int error_number)
    : std::runtime_error(message), error_number_(error_number) {}

int exit_code_of(std::string_view code) {
  if (code == "invalid-request" || code == "invalid-stack-file" ||
      code == "denied")  // "denied": a wrong token
    return proto::k_bad_usage;
  if (code == "engine-unreachable") return proto::k_no_engine;
  if (code == "not-found") return proto::k_not_found;
  if (code == "conflict" || code == "foreign_project") return proto::k_conflict;
  if (code == "cancelled") return proto::k_cancelled;
  return proto::k_operation_failed;
}

int exit_code_of(const proto::Operation& operation) {
  if (operation.state == "succeeded") return proto::k_done;
  if (operation.state == "cancelled") return proto::k_cancelled;
  if (operation.error && operation.error->code == "engine-unreachable") return proto::k_no_engine;
  return proto::k_operation_failed;
}

}  // namespace stackd::client
