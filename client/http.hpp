// Connection: one HTTP/1.1 connection to the daemon, over its Unix socket or loopback TCP; blocking, driven
// by poll, with a deadline on every wait. Throws TransportError. One exchange at a time; after a body was
// read to its end the connection can carry the next.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "client/fd.hpp"
#include "client/http_message.hpp"

namespace stackd::client {

using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline k_never = Deadline::max();
Deadline in(std::chrono::milliseconds time);

struct Endpoint {
  std::string socket;   // path of the Unix socket; "" for TCP
  std::string address;  // "127.0.0.1", or "[::1]"
  std::uint16_t port = 0;
  std::string token;  // bearer token, TCP only

  // As a person would name it: "unix:///run/…" or "http://127.0.0.1:7777".
  std::string text() const;
};

struct Request {
  std::string method = "GET", target, body;
  std::vector<std::pair<std::string, std::string>> headers;
};

enum class Read { data, end, timed_out, interrupted };

class Connection {
public:
  // error_number() of the TransportError tells why nobody answered (ENOENT, ECONNREFUSED, EACCES …).
  Connection(const Endpoint& endpoint, Deadline deadline);

  // Sends the request and reads the answer's head.
  Head exchange(const Request& request, Deadline deadline);
  // A request whose body comes in pieces: its head; then each piece, false once the daemon has answered
  // already, which wants no more; then the answer's head.
  void begin_upload(const Request& request, Deadline deadline);
  bool upload(std::string_view piece);
  Head end_upload(Deadline deadline);
  // Appends the next part of the body to `out`. `wake`: a descriptor that ends the wait when it is readable.
  Read read(std::string& out, Deadline deadline, int wake = -1);
  // The rest of the body.
  std::string read_all(Deadline deadline);
  // Whether it can carry another exchange.
  bool reusable() const { return reusable_ && body_.done(); }

  // After an answer of 101: the socket, and what came behind the answer.
  int fd() const { return fd_.get(); }
  std::string take_received() { return std::exchange(buffer_, {}); }

private:
  enum class Ready { yes, timed_out, interrupted };
  std::string head_of(const Request& request) const;
  Head read_head(const std::string& what, Deadline deadline);
  Ready wait(short events, Deadline deadline, int wake) const;
  void send_all(std::string_view bytes, Deadline deadline);
  // Appends what has arrived to buffer_; false at the end of the connection.
  bool receive();

  Fd fd_;
  std::string host_header_, token_;
  std::string buffer_;  // received, not yet used
  BodyDecoder body_;
  bool reusable_ = true;
  bool refused_ = false;  // an upload that is answered before its end
};

}  // namespace stackd::client
