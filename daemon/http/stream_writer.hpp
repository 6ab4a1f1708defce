// StreamWriter: the ResponseWriter of one streamed answer. Handlers append to a buffer, flush() carries it to
// the socket. Owned by the session; control thread only.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <string>

#include "daemon/async/signal.hpp"
#include "daemon/http/message.hpp"

namespace stackd::http {

class StreamWriter final : public ResponseWriter {
public:
  struct Mode {
    bool chunked = true;     // false for HTTP/1.0: the end of the connection is the end of the body
    bool head_only = false;  // HEAD: start() throws HeadDone
    bool keep_alive = true;
  };
  // Leaves the handler of a HEAD request, which has nothing more to say.
  struct HeadDone {};

  StreamWriter(asio::generic::stream_protocol::socket& socket, Mode mode);

  void start(std::string content_type, Headers headers) override;
  bool started() const override { return started_; }
  awaitable<void> write(std::string text) override;

  // The body is whole.
  void end();
  // Until everything has gone out.
  awaitable<void> drained();
  // Writes what gathers, until cancelled or the client is gone.
  awaitable<void> flush();

private:
  asio::generic::stream_protocol::socket& socket_;
  Mode mode_;
  bool started_ = false, writing_ = false;
  std::string pending_;
  async::Signal appended_, flushed_;
};

}  // namespace stackd::http
