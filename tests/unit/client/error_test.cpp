#include "client/error.hpp"

#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::client;

TEST_CASE("problem codes become the documented exit codes", "[client]") {
  CHECK(exit_code_of("invalid-request") == 2);
  CHECK(exit_code_of("invalid-stack-file") == 2);
  CHECK(exit_code_of("denied") == 2);
  CHECK(exit_code_of("not-found") == 5);
  CHECK(exit_code_of("conflict") == 6);
  CHECK(exit_code_of("engine-unreachable") == 4);
  CHECK(exit_code_of("cancelled") == 130);
  for (const char* code :
       {"engine-error", "unsupported", "timed-out", "failed", "io-error", "internal", "of tomorrow"})
    CHECK(exit_code_of(code) == 1);
}

TEST_CASE("an operation's end becomes an exit code", "[client]") {
  proto::Operation operation;
  operation.state = "succeeded";
  CHECK(exit_code_of(operation) == 0);
  operation.state = "cancelled";
  CHECK(exit_code_of(operation) == 130);
  operation.state = "failed";
  CHECK(exit_code_of(operation) == 1);
  operation.error = proto::OperationError{.code = "failed", .message = "cannot run a hook"};
  CHECK(exit_code_of(operation) == 1);
  operation.error->code = "engine-unreachable";
  CHECK(exit_code_of(operation) == 4);
}

TEST_CASE("a conflict names the operation that is in the way", "[client]") {
  proto::Problem problem;
  problem.code = "conflict";
  problem.detail = "another operation runs";
  problem.operation = "op-9";
  CHECK(std::string(ApiError(problem).what()) == "another operation runs (operation op-9)");
}
