#include "daemon/docker/connection.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "daemon/async/deadline.hpp"

namespace stackd::docker {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t k_read_size = 16 * 1024;
constexpr std::uint32_t k_header_limit = 64 * 1024;
constexpr auto k_resolve_limit = std::chrono::seconds(5);
constexpr auto as_tuple = asio::as_tuple(use_awaitable);

}  // namespace

struct Connection::Reading {
  Reading() {
    // Eager: head and body that come in one read are parsed in one go.
    parser.eager(true);
    parser.header_limit(k_header_limit);
    parser.body_limit(boost::none);
  }
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  bool raw = false;  // after a 101
  bool raw_ended = false;
};

Connection::Connection(asio::any_io_executor executor) : socket_(executor), timer_(executor) {}
Connection::~Connection() = default;

awaitable<Connection::Code> Connection::connect(Address address) {
  // Not with ?:, of which GCC 12 awaits both sides.
  if (address.path.empty()) co_return co_await connect_tcp(address);
  co_return co_await connect_unix(address.path);
}

awaitable<Connection::Code> Connection::connect_unix(std::string path) {
  const asio::local::stream_protocol::endpoint local(path);
  const asio::generic::stream_protocol::endpoint endpoint(local);
  for (auto pause = std::chrono::milliseconds(1);;
       pause = std::min(2 * pause, std::chrono::milliseconds(50))) {
    auto [error] = co_await socket_.async_connect(endpoint, as_tuple);
    if (error) co_return error;
    // connect() of a Unix socket answers EAGAIN when the backlog is full; Asio takes that for "in progress"
    // and says that all is well.
    Code unconnected;
    socket_.remote_endpoint(unconnected);
    if (unconnected != asio::error::not_connected) co_return Code();
    Code ignored;
    socket_.close(ignored);
    co_await async::sleep_for(pause);
    if (timed_out_) co_return asio::error::timed_out;
  }
}

awaitable<Connection::Code> Connection::connect_tcp(Address address) {
  using asio::ip::tcp;
  tcp::resolver resolver(socket_.get_executor());
  tcp::resolver::results_type found;
  try {
    auto lookup = resolver.async_resolve(address.host, address.port, use_awaitable);
    found = co_await async::within(k_resolve_limit, "look up " + address.host, std::move(lookup));
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    co_return e.code();
  } catch (const util::Error&) {
    co_return asio::error::timed_out;
  }
  Code last = asio::error::host_not_found;
  for (const auto& entry : found) {
    if (timed_out_) co_return asio::error::timed_out;
    Code ignored;
    socket_.close(ignored);
    const asio::generic::stream_protocol::endpoint endpoint(entry.endpoint());
    std::tie(last) = co_await socket_.async_connect(endpoint, as_tuple);
    if (!last) {
      socket_.set_option(tcp::no_delay(true), ignored);
      break;
    }
  }
  co_return last;
}

void Connection::set_limit(std::optional<std::chrono::milliseconds> limit) {
  ++turn_;
  if (!limit) {
    timer_.cancel();
    return;
  }
  limit_ = *limit;
  timer_.expires_after(limit_);
  timer_.async_wait([weak = weak_from_this(), turn = turn_](Code error) {
    const auto self = weak.lock();
    if (error || !self || self->turn_ != turn) return;
    self->timed_out_ = true;
    self->close();
  });
}

awaitable<Connection::Code> Connection::send(std::string_view bytes) {
  reading_ = std::make_unique<Reading>();
  auto [error, written] = co_await asio::async_write(socket_, asio::buffer(bytes), as_tuple);
  if (error) send_failed_ = true;
  co_return error;
}

awaitable<Connection::Code> Connection::send_chunk(std::string_view bytes) {
  Code error;
  std::size_t written = 0;
  if (bytes.empty()) {
    std::tie(error, written) = co_await asio::async_write(socket_, http::make_chunk_last(), as_tuple);
  } else {
    const auto chunk = http::make_chunk(asio::buffer(bytes));
    std::tie(error, written) = co_await asio::async_write(socket_, chunk, as_tuple);
  }
  if (error) send_failed_ = true;
  co_return error;
}

awaitable<Connection::Code> Connection::send_raw(std::string_view bytes) {
  auto [error, written] = co_await asio::async_write(socket_, asio::buffer(bytes), as_tuple);
  co_return error;
}

void Connection::end_sending() {
  Code ignored;
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

awaitable<Connection::Code> Connection::read_head() {
  while (!reading_->parser.is_header_done())
    if (const Code error = co_await read_some(); error) co_return error;
  reading_->raw = status() == 101;
  if (reading_->raw && reading_->buffer.size() > 0) {
    const auto early = reading_->buffer.data();
    body().assign(static_cast<const char*>(early.data()), early.size());
    reading_->buffer.clear();
  }
  co_return Code();
}

bool Connection::answered() const {
  return reading_ && reading_->parser.got_some();
}
int Connection::status() const {
  return static_cast<int>(reading_->parser.get().result_int());
}
std::string& Connection::body() {
  return reading_->parser.get().body();
}

std::string_view Connection::header(std::string_view name) const {
  const auto value = reading_->parser.get()[beast::string_view(name.data(), name.size())];
  return {value.data(), value.size()};
}

awaitable<Connection::Code> Connection::read_some() {
  if (reading_->raw) co_return co_await read_raw();
  auto& [buffer, parser, raw, raw_ended] = *reading_;
  for (bool read = buffer.size() == 0;; read = true) {
    if (read) {
      const auto room = buffer.prepare(k_read_size);
      auto [error, count] = co_await socket_.async_read_some(room, as_tuple);
      if (error == asio::error::eof && parser.got_some()) {
        Code cut_short;
        parser.put_eof(cut_short);
        co_return cut_short;
      }
      if (error) co_return error;
      buffer.commit(count);
    }
    Code error;
    const auto before = body().size();
    const auto used = parser.put(buffer.data(), error);
    buffer.consume(used);
    // The parser wants more for the next chunk; what it has made of this one must not wait for that.
    if (error == http::error::need_more && body().size() > before) co_return Code();
    if (error != http::error::need_more) co_return error;
  }
}

awaitable<Connection::Code> Connection::read_raw() {
  const auto room = reading_->buffer.prepare(k_read_size);
  auto [error, count] = co_await socket_.async_read_some(room, as_tuple);
  if (error == asio::error::eof) {
    reading_->raw_ended = true;
    co_return Code();
  }
  body().append(static_cast<const char*>(room.data()), count);
  co_return error;
}

bool Connection::ended() const {
  return reading_->raw ? reading_->raw_ended : reading_->parser.is_done();
}

bool Connection::reusable() const {
  return reading_ && !reading_->raw && reading_->parser.is_done() && reading_->parser.keep_alive() &&
         reading_->buffer.size() == 0 && socket_.is_open() && !send_failed_;
}

void Connection::rest(std::function<void()> dropped) {
  set_limit(std::nullopt);
  reading_.reset();
  socket_.async_wait(asio::socket_base::wait_read,
                     [weak = weak_from_this(), turn = turn_, dropped = std::move(dropped)](Code error) {
                       const auto self = weak.lock();
                       if (!error && self && self->turn_ == turn) dropped();
                     });
}

bool Connection::wake() {
  ++turn_;
  Code ignored;
  socket_.cancel(ignored);
  char byte;
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::close() {
  Code ignored;
  socket_.close(ignored);
}

}  // namespace stackd::docker
