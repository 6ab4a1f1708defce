// Errors as the API shows them: RFC 9457 problem documents with a stable code. The only place where an
// ErrorKind becomes an HTTP status, and where a request's failure is logged.
#pragma once

#include "daemon/http/session.hpp"
#include "daemon/util/error.hpp"

namespace stackd::api {

int status_of(util::ErrorKind kind);

// For http::Server: what it refuses itself, and what handlers throw.
http::ErrorPages error_pages();

}  // namespace stackd::api
