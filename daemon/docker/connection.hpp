// Connection: one HTTP/1.1 connection to the engine. Writes a request, reads the answer piece by piece, and
// after a 101 answer (an exec's output) the bare bytes that follow. Everything that can fail answers an error
// code; who calls knows what was being done and makes the message. Control thread only, one request at a
// time. Owned by shared_ptr, because timers and the watch on an idle socket look at it. It closes when it
// goes away, so a cancelled coroutine leaves no descriptor. Beast's parser stays in connection.cpp and is
// there only while an answer is read.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/async/asio.hpp"
#include "daemon/docker/address.hpp"

namespace stackd::docker {

class Connection : public std::enable_shared_from_this<Connection> {
public:
  using Code = boost::system::error_code;

  explicit Connection(asio::any_io_executor executor);
  ~Connection();

  awaitable<Code> connect(Address address);

  // Closes the connection when `limit` passes before the next call; nothing is no limit. timed_out() then
  // says so.
  void set_limit(std::optional<std::chrono::milliseconds> limit);
  bool timed_out() const { return timed_out_; }
  std::chrono::milliseconds limit() const { return limit_; }

  // A whole request, or its head; the bytes must stay until it returns.
  awaitable<Code> send(std::string_view bytes);
  // One chunk of a body with "Transfer-Encoding: chunked"; an empty one ends it.
  awaitable<Code> send_chunk(std::string_view bytes);

  // After a 101: bytes for the other side, and the end of them.
  awaitable<Code> send_raw(std::string_view bytes);
  void end_sending();

  // The status line and header of the answer.
  awaitable<Code> read_head();
  // True when any byte of the answer has come.
  bool answered() const;
  int status() const;
  std::string_view header(std::string_view name) const;

  // Reads on: adds what comes to body(). Not to be called when ended().
  awaitable<Code> read_some();
  // The answer has been read to its end; after a 101, the engine closed.
  bool ended() const;
  // What was read and not taken away yet.
  std::string& body();

  // May carry another request: the answer was read to its end, and both sides keep the connection.
  bool reusable() const;

  // Idle: the buffers go, and `dropped` is called once when the engine closes (or says something unasked).
  void rest(std::function<void()> dropped);
  // Ends the rest. False when the engine has closed it meanwhile.
  bool wake();

  void close();

private:
  struct Reading;
  awaitable<Code> connect_unix(std::string path);
  awaitable<Code> connect_tcp(Address address);
  awaitable<Code> read_raw();

  asio::generic::stream_protocol::socket socket_;
  asio::steady_timer timer_;
  std::unique_ptr<Reading> reading_;
  std::chrono::milliseconds limit_{0};
  unsigned turn_ = 0;  // tells a late timer's or watch's handler that it is no longer meant
  bool timed_out_ = false;
  bool send_failed_ = false;  // the engine may still wait for the rest of a request
};

}  // namespace stackd::docker
