// The whole API as one table (routes.cpp), and the pages for what goes wrong: all that http::Server needs.
#pragma once

#include <chrono>
#include <functional>

#include "daemon/api/problem.hpp"
#include "daemon/http/router.hpp"

namespace stackd::stacks {
class Manager;
}

namespace stackd::api {

struct Options {
  std::chrono::milliseconds heartbeat{
      15000};  // a comment in an event stream, so that a dead connection is noticed
  std::chrono::milliseconds log_patience{
      250};                      // how long a log's head waits for its first line, for a refusal to be one
  std::function<void()> stop{};  // asks the daemon to end; the answer to whoever wanted it is sent before
};

// The manager must outlive the router's server.
http::Router make_router(stacks::Manager& manager, Options options = {});

}  // namespace stackd::api
