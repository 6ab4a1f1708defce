#include "daemon/probes/connect.hpp"

#include <boost/asio/ip/tcp.hpp>

#include "daemon/util/error.hpp"

namespace stackd::probes {

using tcp = asio::ip::tcp;
using util::Error;
using util::ErrorKind;

awaitable<void> connect(boost::beast::tcp_stream& stream, std::string host, std::string port) {
  tcp::resolver resolver(co_await asio::this_coro::executor);
  auto [resolve_error, results] = co_await resolver.async_resolve(host, port, asio::as_tuple(use_awaitable));
  if (resolve_error)
    throw Error(ErrorKind::failed, "cannot find host '" + host + "': " + resolve_error.message());
  auto [error, endpoint] = co_await stream.async_connect(results, asio::as_tuple(use_awaitable));
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error)
    throw Error(ErrorKind::failed, "cannot connect to " + host + ":" + port + ": " + error.message());
}

}  // namespace stackd::probes
