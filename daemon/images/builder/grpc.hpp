// gRPC over one HTTP/2 connection, either side of it: calls, their messages in both directions, their status.
// Used from one thread, by a Loop. What is to be sent waits in the call's queue while the peer takes no more;
// a handler that has much to send adds it when there is room.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/images/builder/engine_socket.hpp"
#include "daemon/images/builder/loop.hpp"

struct nghttp2_session;

namespace stackd::builder {

// Of gRPC's statuses those that are said here.
enum class Code : int { ok = 0, unknown = 2, not_found = 5, unimplemented = 12, unavailable = 14 };
struct Status {
  Code code = Code::ok;
  std::string message = {};
  std::string details = {};  // google.rpc.Status as it was sent, base64
  bool ok() const { return code == Code::ok; }
};

using Headers = std::vector<std::pair<std::string, std::string>>;

class Stream;

class Handler {
public:
  virtual ~Handler() = default;
  virtual void on_message(Stream& stream, std::string_view message) = 0;
  virtual void on_peer_end(Stream&) {}            // it sends nothing more
  virtual void on_room(Stream&) {}                // the queue is empty
  virtual void on_end(Stream&, const Status&) {}  // the call is over: last of all
};

// One call.
class Stream {
public:
  void send(std::string_view message);
  // Nothing more comes from here. A server says how it ended.
  void finish(Status status = {});
  // All that there was has gone out, and nobody asks for more before something is sent.
  bool waits() const { return deferred_; }
  const Headers& headers() const { return headers_; }
  std::string header(std::string_view name) const;  // the first, "" for none
  std::int32_t id() const { return id_; }

private:
  friend class Connection;
  friend struct Callbacks;
  Stream(class Connection& connection, std::int32_t id) : connection_(connection), id_(id) {}
  void wake();
  bool take(std::string_view bytes);  // false when it cannot be read
  class Connection& connection_;
  std::int32_t id_;
  std::unique_ptr<Handler> handler_;
  Headers headers_;  // the peer's, trailers at their end
  std::string in_, out_;
  std::size_t sent_ = 0;  // of out_
  Status status_;
  bool finished_ = false, deferred_ = false;
};

class Connection {
public:
  // A handler for a call that the peer makes; null for one that is unknown.
  using Accept = std::function<std::unique_ptr<Handler>(Stream& stream, const std::string& path)>;
  using Closed = std::function<void(const std::string& why)>;

  // A client when nobody accepts calls.
  Connection(Loop& loop, Upgraded socket, Accept accept, Closed closed);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Stream& call(const std::string& path, std::unique_ptr<Handler> handler);
  Stream* find(std::int32_t id);  // null when it is over

private:
  friend class Stream;
  friend struct Callbacks;
  void ready(short events);
  void feed(std::string_view bytes);
  void flush();
  void close(const std::string& why);

  Loop& loop_;
  util::Fd socket_;
  Accept accept_;
  Closed closed_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, std::unique_ptr<Stream>> streams_;
  std::string unsent_;
  std::size_t unsent_from_ = 0;
};

// "%0A" and the like, as grpc-message is written.
std::string percent_decoded(std::string_view text);
std::string percent_encoded(std::string_view text);

}  // namespace stackd::builder
