// SocketDuplex: the Duplex of one upgraded connection, over the session's socket. Control thread only.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <string>
#include <string_view>

#include "daemon/http/message.hpp"

namespace stackd::http {

class SocketDuplex final : public Duplex {
public:
  // `early`: what came behind the request already.
  SocketDuplex(asio::generic::stream_protocol::socket& socket, std::string_view protocol, std::string early)
      : socket_(socket), protocol_(protocol), early_(std::move(early)) {}

  awaitable<void> start() override;
  bool started() const override { return started_; }
  awaitable<std::string> read() override;
  awaitable<void> write(std::string bytes) override;

private:
  asio::generic::stream_protocol::socket& socket_;
  std::string protocol_, early_;
  bool started_ = false;
};

}  // namespace stackd::http
