// tcp: a host and port, or a port of this host, that takes a connection (L3.4).
#include "daemon/probes/connect.hpp"
#include "daemon/probes/probe.hpp"

namespace stackd::probes {
namespace {

awaitable<void> tcp_attempt(std::string host, std::string port) {
  boost::beast::tcp_stream stream(co_await asio::this_coro::executor);
  stream.expires_after(k_attempt_limit);
  co_await connect(stream, std::move(host), std::move(port));
}

}  // namespace

Probe tcp_probe(const std::string& text, const Subject&) {
  const auto colon = text.rfind(':');
  const auto host = colon == std::string::npos ? "127.0.0.1" : text.substr(0, colon);
  const auto port = text.substr(colon == std::string::npos ? 0 : colon + 1);
  Probe probe;
  probe.attempt = [host, port] { return tcp_attempt(host, port); };
  return probe;
}

}  // namespace stackd::probes
