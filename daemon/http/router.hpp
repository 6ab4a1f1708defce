// Router: one table of {method, path pattern, handler}, looked up by walking it. Immutable once made.
// Patterns are written whole ("/v1/stacks/{id}/down") so that they can be found with grep; a {name} matches
// one segment, decoded.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/http/message.hpp"

namespace stackd::http {

// Runs to its end once begun, even when the client goes away.
using Handler = std::function<awaitable<Response>(Request)>;
// Cancelled when the client goes away.
using StreamHandler = std::function<awaitable<void>(Request, ResponseWriter&)>;

// The same; it has the connection to itself once it has begun.
using DuplexHandler = std::function<awaitable<void>(Request, Duplex&)>;

// Takes the body as it comes; cancelled when the client goes away.
using UploadHandler = std::function<awaitable<Response>(Request, RequestBody&)>;

struct Route {
  std::string_view method;
  std::string_view pattern;
  Handler handler;  // one of the two
  StreamHandler stream = nullptr;
  // A handler that waits for something long: cancelled, like a stream, when the client goes away. What must
  // not be lost it shields itself.
  bool waits = false;
  // Instead of `handler`, for a request with this in its Upgrade header.
  std::string_view protocol = {};
  DuplexHandler duplex = nullptr;
  UploadHandler upload = nullptr;  // instead of the others
};

class Router {
public:
  explicit Router(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;  // null: 404, or 405 when `allow` says which methods there are
    Parameters values;
    std::string allow;  // "GET, HEAD, POST"
  };
  // HEAD finds the GET route. A literal segment is preferred to a {name} by the order of the table.
  Match find(std::string_view method, std::string_view path) const;

  const std::vector<Route>& routes() const { return routes_; }

private:
  struct Entry {
    std::vector<std::string> segments;  // "{id}" as it is
  };
  std::vector<Route> routes_;
  std::vector<Entry> entries_;  // beside routes_
};

}  // namespace stackd::http
