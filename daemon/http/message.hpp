// What a handler gets and gives back: plain data, no Beast. Owned by the session that serves the request;
// control thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/async/asio.hpp"

namespace stackd::http {

using Headers = std::vector<std::pair<std::string, std::string>>;
using Parameters = std::vector<std::pair<std::string, std::string>>;  // decoded, in the order they came

// What a server has done so far.
struct Counters {
  std::map<int, std::uint64_t> answers;  // by the hundreds of the status: 2, 4, 5
  std::size_t sessions = 0;              // open now
};

struct Request {
  std::string method;      // as sent; HEAD is served by the GET route
  std::string path;        // without the query, not decoded
  Parameters path_values;  // of the route's {names}
  Parameters query;
  Headers headers;
  std::string body;
  const Counters* counters = nullptr;  // of the server that took it, as they are now; never null in a handler

  // Case-insensitive; the first of that name.
  std::optional<std::string_view> header(std::string_view name) const;
  std::optional<std::string_view> parameter(std::string_view name) const;  // of the query
  // Of a {name} in the route's pattern; it must have one.
  const std::string& path_value(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";  // not sent without a body
  std::string body;
  Headers headers;
};

// An answer that is written as it comes, chunked. Writing never blocks the loop and costs no system call of
// its own: what gathers while the socket is busy goes out together.
class ResponseWriter {
public:
  // The head goes out at once, with the body still to come. Once, before write(). Before it an exception of
  // the handler becomes an error answer; after it the connection is cut, so that the client sees that the
  // answer is not whole.
  virtual void start(std::string content_type, Headers headers = {}) = 0;
  virtual bool started() const = 0;
  // Suspends while the client is behind by more than 64 KB. Several coroutines may write; each text stays in
  // one piece.
  virtual awaitable<void> write(std::string text) = 0;

protected:
  ~ResponseWriter() = default;
};

// A request's body as it comes, for what may be of any length: no more is read before it is asked for.
class RequestBody {
public:
  // The next piece; empty at the end. Throws when it is cut short, which cancels the handler.
  virtual awaitable<std::string> next() = 0;

protected:
  ~RequestBody() = default;
};

// A connection that was upgraded: bytes both ways, until the handler returns. One read and one write at a
// time may wait; nothing is read ahead and nothing gathers, so that who is slow is waited for.
class Duplex {
public:
  // 101: from here on the bytes are the handler's. Once, before read() and write(). What the handler throws
  // before it becomes an error answer, as any.
  virtual awaitable<void> start() = 0;
  virtual bool started() const = 0;
  // Empty when the client has ended its side.
  virtual awaitable<std::string> read() = 0;
  // What cannot be written has no reader: the handler is cancelled then.
  virtual awaitable<void> write(std::string bytes) = 0;

protected:
  ~Duplex() = default;
};

}  // namespace stackd::http
