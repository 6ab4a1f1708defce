// One connection: read a request, answer it, again, until either side has had enough. Control thread only.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>

#include "daemon/http/access.hpp"
#include "daemon/http/router.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::http {

struct Limits {
  std::chrono::milliseconds idle{30000};  // for a request's head, from the end of the answer before it
  std::chrono::milliseconds body{30000};  // for its body
  std::chrono::milliseconds write{
      30000};  // for the client to take a whole answer (a stream may take for ever)
  std::size_t head_bytes = 16 * 1024;
  std::size_t body_bytes = 8 * 1024 * 1024;
  std::size_t sessions =
      512;  // the longest idle one gives way to another; where none is, that one waits in the backlog
};

// How failures look is the business of the layer above.
struct ErrorPages {
  // What this layer refuses itself: 400, 401, 403, 404, 405, 408, 413, 417, 431.
  std::function<Response(int status, util::ErrorKind kind, std::string detail)> refused;
  // What a handler threw; called once a failure, so this is where it is logged.
  std::function<Response(const Request& request, std::exception_ptr error)> failed;
};

// What all sessions of a server share. It outlives them.
struct SessionContext {
  Router router;
  ErrorPages pages;
  Limits limits;
  std::string token;      // for TCP
  uid_t uid = 0;          // the daemon's own
  bool stopping = false;  // finish what is being answered, take no more
  Counters counters;
};

// What the server knows of a session, to stop it politely: `answering` is neither idle nor a stream.
struct SessionState {
  bool answering = false;
  std::optional<std::chrono::steady_clock::time_point> idle_since;  // while it waits for a request
  std::function<void()> on_idle;
  // Nothing more is read of it: it ends, but for a request that has come already, which is answered first.
  std::function<void()> hang_up;
};

// Until the connection ends. Throws only when it is cancelled.
awaitable<void> run_session(util::Fd socket, Transport transport, SessionContext& context,
                            SessionState& state);

}  // namespace stackd::http
