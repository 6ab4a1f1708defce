// The one error type. Thrown low as "cannot <do x>: <why>", given context on the way up with `wrap`, logged
// once by whoever turns it into an answer (an API session, the operation runner, main).
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace stackd::util {

// What a caller can do about it; the API maps a kind to an HTTP status and a stable code, the client to an
// exit code.
enum class ErrorKind {
  invalid_request,  // the request or a flag is wrong; trying again cannot help
  invalid_file,     // a stack file is wrong; details() has one line a mistake, each with its place
  not_found,        // no such stack, service, operation, image …
  foreign_project,  // another program, or another directory, has the stack's project up (X37)
  conflict,         // another operation runs, a name or port is taken
  no_engine,        // the engine's socket does not answer
  engine,           // the engine answered with an error
  unsupported,      // understood, but not to be had here
  timed_out,        // a deadline passed
  cancelled,        // someone asked to stop
  denied,           // the caller may not
  failed,           // a command, hook, probe or service of the user's failed
  io,               // files, sockets, processes
  internal,         // a bug in stackd
};

// The stable word of a kind ("invalid-request", "engine-unreachable", …), as in problem documents and
// operation errors.
std::string_view code_of(ErrorKind kind);
// The reverse; anything unknown is `internal`.
ErrorKind kind_of(std::string_view code);

class Error : public std::runtime_error {
public:
  Error(ErrorKind kind, std::string message, std::vector<std::string> details = {});

  ErrorKind kind() const { return kind_; }
  std::string_view code() const { return code_of(kind_); }
  // More lines that belong to the message: one for each mistake in a file, or the tail of an output.
  const std::vector<std::string>& details() const { return details_; }

  // The same error with "<context>: " before its message.
  Error wrap(std::string_view context) const;

private:
  ErrorKind kind_;
  std::vector<std::string> details_;
};

// An `io` error "<what>: <strerror(error_number)>".
Error system_error(std::string_view what, int error_number);

}  // namespace stackd::util
