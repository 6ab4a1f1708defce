#include "daemon/api/problem.hpp"

#include <spdlog/spdlog.h>

#include <boost/system/system_error.hpp>

#include "daemon/api/answers.hpp"
#include "proto/error_codes.hpp"

namespace stackd::api {
namespace {

using util::Error;
using util::ErrorKind;

http::Response page(int status, const Error& error) {
  proto::Problem problem;
  problem.code = error.code();
  problem.title = proto::error_code(problem.code).title;
  problem.detail = error.what();
  problem.status = status;
  problem.errors = error.details();
  // A conflict with a running operation has nothing but its id there.
  const bool busy = error.kind() == ErrorKind::conflict && problem.errors.size() == 1 &&
                    problem.errors.front().find(' ') == std::string::npos;
  if (busy) {
    problem.operation = problem.errors.front();
    problem.errors.clear();
  }
  return {status, "application/problem+json", dump(problem), {}};
}

Error to_error(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    return error;
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted)
      return Error(ErrorKind::cancelled, "the daemon is stopping");
    return Error(ErrorKind::io, error.what());
  } catch (const std::exception& error) {
    return Error(ErrorKind::internal, error.what());
  } catch (...) {
    return Error(ErrorKind::internal, "something that is no exception was thrown");
  }
}

}  // namespace

int status_of(ErrorKind kind) {
  return proto::error_code(util::code_of(kind)).status;
}

http::ErrorPages error_pages() {
  http::ErrorPages pages;
  pages.refused = [](int status, ErrorKind kind, std::string detail) {
    spdlog::debug("{}: {}", status, detail);
    return page(status, Error(kind, std::move(detail)));
  };
  pages.failed = [](const http::Request& request, std::exception_ptr thrown) {
    const auto error = to_error(thrown);
    const int status = status_of(error.kind());
    const auto level = status >= 500 ? spdlog::level::err : spdlog::level::debug;
    spdlog::log(level, "{} {}: {} {}", request.method, request.path, status, error.what());
    return page(status, error);
  };
  return pages;
}

}  // namespace stackd::api
