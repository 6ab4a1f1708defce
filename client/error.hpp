// What can go wrong in stackctl. main() prints it as "stackctl: <message>", then the details, and leaves with
// exit_code().
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "proto/exit_codes.hpp"
#include "proto/types.hpp"

namespace stackd::client {

class ClientError : public std::runtime_error {
public:
  ClientError(int exit_code, const std::string& message, std::vector<std::string> details = {});

  int exit_code() const { return exit_code_; }
  // More lines that belong to the message: one a mistake in a file, or the tail of an output.
  const std::vector<std::string>& details() const { return details_; }

private:
  int exit_code_;
  std::vector<std::string> details_;
};

// The daemon answered with a problem document.
class ApiError : public ClientError {
public:
  explicit ApiError(proto::Problem problem);

  const proto::Problem& problem() const { return problem_; }

private:
  proto::Problem problem_;
};

// The connection could not be made, or broke. `error_number` is errno's: ECONNRESET when the peer closed it
// before its time, 0 when it broke the protocol.
class TransportError : public std::runtime_error {
public:
  TransportError(const std::string& message, int error_number);

  int error_number() const { return error_number_; }

private:
  int error_number_;
};

// Exit code for a problem's or an operation error's code.
int exit_code_of(std::string_view code);
// Exit code for an operation that has ended.
int exit_code_of(const proto::Operation& operation);

}  // namespace stackd::client
