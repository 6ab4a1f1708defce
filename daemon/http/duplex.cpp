#include "daemon/http/duplex.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

namespace stackd::http {
namespace {

constexpr std::size_t k_read_size = 32 * 1024;

}  // namespace

awaitable<void> SocketDuplex::start() {
  started_ = true;
  co_await write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + protocol_ +
                 "\r\n\r\n");
}

awaitable<std::string> SocketDuplex::read() {
  if (!early_.empty()) co_return std::exchange(early_, {});
  std::string bytes(k_read_size, '\0');
  const auto room = asio::buffer(bytes);
  auto [error, read] = co_await socket_.async_read_some(room, asio::as_tuple(use_awaitable));
  bytes.resize(error ? 0 : read);
  co_return bytes;
}

awaitable<void> SocketDuplex::write(std::string bytes) {
  const auto all = asio::buffer(bytes);
  auto [error, written] = co_await asio::async_write(socket_, all, asio::as_tuple(use_awaitable));
  if (error) throw boost::system::system_error(asio::error::operation_aborted);
}

}  // namespace stackd::http
