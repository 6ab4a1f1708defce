#include "daemon/http/session.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/system/system_error.hpp>
#include <optional>

#include "daemon/async/alongside.hpp"
#include "daemon/async/signal.hpp"
#include "daemon/http/duplex.hpp"
#include "daemon/http/request_parser.hpp"
#include "daemon/http/stream_writer.hpp"
#include "daemon/http/target.hpp"
#include "daemon/util/text.hpp"

namespace stackd::http {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using util::ErrorKind;
using Stream = beast::basic_stream<asio::generic::stream_protocol>;
using Clock = std::chrono::steady_clock;

constexpr std::size_t k_pipelined_bytes = 64 * 1024;  // taken in while a stream runs
constexpr std::size_t k_discarded_bytes = 64 << 20;   // of a body that was refused
constexpr std::chrono::seconds k_goodbye(2);          // for the client to see our last words

asio::generic::stream_protocol protocol_of(Transport transport) {
  return {transport == Transport::unix_socket ? AF_UNIX : AF_INET, 0};
}

class Session {
public:
  Session(asio::any_io_executor executor, util::Fd fd, Transport transport, SessionContext& context,
          SessionState& state)
      : stream_(executor), transport_(transport), context_(context), state_(state) {
    const int native = fd.release();
    stream_.socket().assign(protocol_of(transport), native);
    state_.hang_up = [this] {
      boost::system::error_code gone;
      stream_.socket().shutdown(asio::socket_base::shutdown_receive, gone);
    };
  }

  ~Session() { state_.hang_up = nullptr; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  awaitable<void> run();

private:
  awaitable<bool> serve_one();
  awaitable<bool> refuse_broken(boost::system::error_code error, unsigned version);
  awaitable<bool> read_body(RequestParser& parser);
  awaitable<bool> answer(Request request, unsigned version, bool keep_alive);
  awaitable<bool> answer_upload(const Route& route, Request request, RequestParser& parser);
  awaitable<bool> answer_whole(const Route& route, Request request, unsigned version, bool keep_alive);
  awaitable<bool> answer_stream(const Route& route, Request request, unsigned version, bool keep_alive);
  awaitable<bool> answer_duplex(const Route& route, Request request, unsigned version, bool keep_alive);
  awaitable<void> watch_client();
  awaitable<void> watch_end();
  awaitable<void> watch_and_flush(StreamWriter& writer);
  awaitable<bool> send(Response response, unsigned version, bool keep_alive, bool head_only = false);
  awaitable<bool> refuse(int status, ErrorKind kind, std::string detail, unsigned version = 11,
                         Headers headers = {});
  awaitable<void> say_goodbye();
  bool hung_up();

  Stream stream_;
  beast::flat_buffer buffer_;
  Transport transport_;
  SessionContext& context_;
  SessionState& state_;
  bool unread_ = false;  // a request was refused before all of it was read
};

awaitable<void> Session::run() {
  bool go_on = true;
  if (transport_ == Transport::unix_socket) {
    auto refusal = check_peer(peer_uid(stream_.socket().native_handle()), context_.uid);
    if (refusal) go_on = co_await refuse(refusal->status, ErrorKind::denied, std::move(refusal->detail));
  }
  while (go_on && !context_.stopping) go_on = co_await serve_one();
  if (unread_) co_await say_goodbye();
}

// One request and its answer. False when the connection is to be closed.
awaitable<bool> Session::serve_one() {
  if (buffer_.size() == 0) buffer_ = beast::flat_buffer();  // an idle connection holds no buffer
  RequestParser parser(context_.limits);
  stream_.expires_after(context_.limits.idle);
  state_.idle_since = Clock::now();
  if (state_.on_idle) state_.on_idle();
  auto [error, read] =
      co_await bhttp::async_read_header(stream_, buffer_, parser, asio::as_tuple(use_awaitable));
  state_.idle_since.reset();
  if (error) co_return co_await refuse_broken(error, 11);

  state_.answering = true;
  struct Idle {
    SessionState& state;
    ~Idle() { state.answering = false; }
  } idle{state_};
  const auto begun = Clock::now();
  const unsigned version = parser.get().version();
  Request request = to_request(parser);
  request.counters = &context_.counters;
  if (transport_ == Transport::tcp) {
    if (auto refusal = check_tcp_request(request, context_.token)) {
      Headers headers;
      if (refusal->status == 401) headers.emplace_back("WWW-Authenticate", "Bearer");
      co_return co_await refuse(refusal->status, ErrorKind::denied, std::move(refusal->detail), version,
                                std::move(headers));
    }
  }
  if (const auto target = parse_target(request.path)) {
    auto match = context_.router.find(request.method, target->path);
    if (match.route && match.route->upload) {
      request.path = target->path;
      request.query = target->query;
      request.path_values = std::move(match.values);
      co_return co_await answer_upload(*match.route, std::move(request), parser);
    }
  }
  if (!co_await read_body(parser)) co_return false;
  request.body = std::move(parser.get().body());
  const std::string what = request.method + " " + request.path;
  const bool keep_alive = parser.get().keep_alive();
  const bool go_on = co_await answer(std::move(request), version, keep_alive);
  spdlog::debug("{}: answered in {} us", what,
                std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun).count());
  co_return go_on;
}

// What to say to bytes that are no request, if anything.
awaitable<bool> Session::refuse_broken(boost::system::error_code error, unsigned version) {
  auto refusal = refusal_of(error, context_.limits);
  if (!refusal) co_return false;
  co_return co_await refuse(refusal->status, ErrorKind::invalid_request, std::move(refusal->detail), version);
}

constexpr std::string_view k_go_ahead = "HTTP/1.1 100 Continue\r\n\r\n";

// The body of an upload, by Beast's own parser of the rest.
class UploadBody final : public RequestBody {
  using Head = bhttp::request_parser<bhttp::string_body>;

public:
  UploadBody(Stream& stream, beast::flat_buffer& buffer, RequestParser&& head,
             std::chrono::milliseconds limit)
      : stream_(stream), buffer_(buffer), parser_(std::move(static_cast<Head&>(head))), limit_(limit) {
    parser_.body_limit(boost::none);
  }

  awaitable<std::string> next() override {
    while (!parser_.is_done()) {
      std::string piece(k_piece, '\0');
      auto& body = parser_.get().body();
      body.data = piece.data();
      body.size = piece.size();
      stream_.expires_after(limit_);
      auto [error, read] =
          co_await bhttp::async_read(stream_, buffer_, parser_, asio::as_tuple(use_awaitable));
      stream_.expires_never();
      if (error && error != bhttp::error::need_buffer)
        throw boost::system::system_error(asio::error::operation_aborted);
      piece.resize(piece.size() - body.size);
      if (!piece.empty()) co_return piece;
    }
    co_return std::string();
  }

  bool done() const { return parser_.is_done(); }
  unsigned version() const { return parser_.get().version(); }
  bool keep_alive() const { return parser_.get().keep_alive(); }

private:
  static constexpr std::size_t k_piece = 64 * 1024;
  Stream& stream_;
  beast::flat_buffer& buffer_;
  bhttp::request_parser<bhttp::buffer_body> parser_;
  std::chrono::milliseconds limit_;
};

awaitable<bool> Session::answer_upload(const Route& route, Request request, RequestParser& parser) {
  if (beast::iequals(parser.get()[bhttp::field::expect], "100-continue")) {
    auto [error, written] =
        co_await asio::async_write(stream_, asio::buffer(k_go_ahead), asio::as_tuple(use_awaitable));
    if (error) co_return false;
  }
  UploadBody body(stream_, buffer_, std::move(parser), context_.limits.body);
  std::optional<Response> response;
  std::exception_ptr error;
  stream_.expires_never();
  try {
    response = co_await route.upload(request, body);
  } catch (...) {
    error = std::current_exception();
  }
  const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
  if (cancelled != asio::cancellation_type::none || (error && async::is_cancellation(error))) co_return false;
  if (error) response = context_.pages.failed(request, error);
  unread_ = !body.done();
  co_return co_await send(std::move(*response), body.version(), body.keep_alive() && body.done());
}

// False when there is none to be had, and whoever is there was told so.
awaitable<bool> Session::read_body(RequestParser& parser) {
  if (parser.is_done()) co_return true;
  stream_.expires_after(context_.limits.body);
  const auto expect = parser.get()[bhttp::field::expect];
  if (beast::iequals(expect, "100-continue")) {
    auto [error, written] =
        co_await asio::async_write(stream_, asio::buffer(k_go_ahead), asio::as_tuple(use_awaitable));
    if (error) co_return false;
  } else if (!expect.empty()) {
    co_return co_await refuse(417, ErrorKind::invalid_request,
                              "cannot read the request: it expects more than 100-continue",
                              parser.get().version());
  }
  auto [error, read] = co_await bhttp::async_read(stream_, buffer_, parser, asio::as_tuple(use_awaitable));
  if (error) co_await refuse_broken(error, parser.get().version());
  co_return !error;
}

awaitable<bool> Session::answer(Request request, unsigned version, bool keep_alive) {
  const bool head_only = request.method == "HEAD";
  auto target = parse_target(request.path);
  if (!target)
    co_return co_await send(context_.pages.refused(400, ErrorKind::invalid_request,
                                                   "cannot read the request: its target is not a path"),
                            version, keep_alive, head_only);
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  auto match = context_.router.find(request.method, request.path);
  if (!match.route) {
    const bool known = !match.allow.empty();
    auto response = context_.pages.refused(
        known ? 405 : 404, known ? ErrorKind::invalid_request : ErrorKind::not_found,
        known ? "cannot " + request.method + " " + request.path + ": it takes " + match.allow
              : "cannot find " + request.path + ": there is no such path in this API");
    if (known) response.headers.emplace_back("Allow", match.allow);
    co_return co_await send(std::move(response), version, keep_alive, head_only);
  }
  request.path_values = std::move(match.values);
  const auto upgrade = request.header("upgrade").value_or("");
  if (match.route->duplex && upgrade.size() == match.route->protocol.size() &&
      util::starts_with_icase(upgrade, match.route->protocol))
    co_return co_await answer_duplex(*match.route, std::move(request), version, keep_alive);
  if (match.route->stream)
    co_return co_await answer_stream(*match.route, std::move(request), version, keep_alive);
  co_return co_await answer_whole(*match.route, std::move(request), version, keep_alive);
}

awaitable<void> call(const Route& route, Request request, std::optional<Response>& response) {
  response = co_await route.handler(std::move(request));
}

awaitable<bool> Session::answer_whole(const Route& route, Request request, unsigned version,
                                      bool keep_alive) {
  const bool head_only = request.method == "HEAD";
  std::optional<Response> response;
  std::exception_ptr error;
  bool there = true;
  stream_.expires_never();
  try {
    if (route.waits) {
      auto watch = watch_client();
      auto task = call(route, request, response);
      there = co_await async::alongside(std::move(task), std::move(watch));
    } else {
      co_await call(route, request, response);
    }
  } catch (...) {
    error = std::current_exception();
  }
  if (!there) co_return false;
  // A session that was cancelled has nobody to answer; this await throws then.
  const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
  if (cancelled != asio::cancellation_type::none) co_return false;
  if (error) response = context_.pages.failed(request, error);
  co_return co_await send(std::move(*response), version, keep_alive, head_only);
}

awaitable<void> run_stream(const Route& route, Request request, StreamWriter& writer) {
  try {
    co_await route.stream(std::move(request), writer);
  } catch (const StreamWriter::HeadDone&) {
  }
  if (!writer.started())
    throw util::Error(ErrorKind::internal, "cannot answer: the handler has begun no answer");
  writer.end();
  co_await writer.drained();
}

awaitable<bool> Session::answer_stream(const Route& route, Request request, unsigned version,
                                       bool keep_alive) {
  state_.answering = false;  // a stream is not waited for when the daemon stops
  const bool head_only = request.method == "HEAD";
  const bool chunked = version >= 11;
  StreamWriter writer(stream_.socket(), {chunked, head_only, keep_alive});
  std::exception_ptr error;
  bool there = true;
  stream_.expires_never();
  try {
    auto task = run_stream(route, request, writer);
    auto helper = watch_and_flush(writer);
    there = co_await async::alongside(std::move(task), std::move(helper));
  } catch (...) {
    error = std::current_exception();
  }
  if (!there || (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
    co_return false;
  if (!error) {
    ++context_.counters.answers[2];
    co_return keep_alive&& chunked;
  }
  auto response = context_.pages.failed(request, error);
  if (!writer.started()) co_return co_await send(std::move(response), version, keep_alive, head_only);
  // Half an answer is out: cut the connection without a last chunk, which says that it is not whole.
  ++context_.counters.answers[response.status / 100];
  stream_.close();
  co_return false;
}

awaitable<bool> Session::answer_duplex(const Route& route, Request request, unsigned version,
                                       bool keep_alive) {
  state_.answering = false;  // as a stream it is not waited for when the daemon stops
  const auto early = buffer_.data();
  SocketDuplex duplex(stream_.socket(), route.protocol,
                      std::string(static_cast<const char*>(early.data()), early.size()));
  std::exception_ptr error;
  bool there = true;
  stream_.expires_never();
  try {
    auto task = route.duplex(request, duplex);
    auto watch = watch_end();
    there = co_await async::alongside(std::move(task), std::move(watch));
  } catch (...) {
    error = std::current_exception();
  }
  if (!there || (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none ||
      (error && async::is_cancellation(error)))
    co_return false;
  if (error && !duplex.started())
    co_return co_await send(context_.pages.failed(request, error), version, keep_alive);
  if (error) context_.pages.failed(request, error);  // which logs it
  ++context_.counters.answers[error ? 5 : 1];
  unread_ = true;  // input that nobody wants any more
  co_return false;
}

// Until the client is gone, without reading of what it sends. TCP tells only those who read.
awaitable<void> Session::watch_end() {
  co_await stream_.socket().async_wait(asio::socket_base::wait_error, use_awaitable);
}

awaitable<void> Session::watch_and_flush(StreamWriter& writer) {
  auto flushing = writer.flush();
  auto watching = watch_client();
  co_await async::alongside(std::move(flushing), std::move(watching));
}

// Until the client is gone. Bytes that come meanwhile are the next request.
awaitable<void> Session::watch_client() {
  auto& socket = stream_.socket();
  for (;;) {
    auto space = buffer_.prepare(512);
    auto [error, read] = co_await socket.async_read_some(space, asio::as_tuple(use_awaitable));
    buffer_.commit(read);
    if (error == asio::error::eof && !hung_up()) {
      // It only stopped sending and may well read on; what is left to see is the end of the other direction.
      co_await socket.async_wait(asio::socket_base::wait_error, use_awaitable);
      co_return;
    }
    if (error || buffer_.size() > k_pipelined_bytes) co_return;
  }
}

// After an end of file: whether the client is gone altogether. TCP cannot tell, so it counts as gone.
bool Session::hung_up() {
  if (transport_ == Transport::tcp) return true;
  pollfd descriptor{stream_.socket().native_handle(), 0, 0};
  return ::poll(&descriptor, 1, 0) != 0 && (descriptor.revents & (POLLHUP | POLLERR)) != 0;
}

awaitable<bool> Session::refuse(int status, ErrorKind kind, std::string detail, unsigned version,
                                Headers headers) {
  auto response = context_.pages.refused(status, kind, std::move(detail));
  for (auto& header : headers) response.headers.push_back(std::move(header));
  unread_ = true;
  co_await send(std::move(response), version, false);
  co_return false;
}

awaitable<bool> Session::send(Response response, unsigned version, bool keep_alive, bool head_only) {
  ++context_.counters.answers[response.status / 100];
  keep_alive = keep_alive && !context_.stopping;
  bhttp::response<bhttp::string_body> message(static_cast<bhttp::status>(response.status), version);
  message.keep_alive(keep_alive);
  if (!response.body.empty()) {
    message.set(bhttp::field::content_type, response.content_type);
    message.set("X-Content-Type-Options", "nosniff");
  }
  message.set(bhttp::field::cache_control, "no-store");
  for (const auto& [name, value] : response.headers) message.set(name, value);
  message.body() = std::move(response.body);
  message.prepare_payload();
  bhttp::response_serializer<bhttp::string_body> serializer(message);
  stream_.expires_after(context_.limits.write);
  boost::system::error_code error;
  if (head_only) {
    auto [failed, written] =
        co_await bhttp::async_write_header(stream_, serializer, asio::as_tuple(use_awaitable));
    error = failed;
  } else {
    auto [failed, written] = co_await bhttp::async_write(stream_, serializer, asio::as_tuple(use_awaitable));
    error = failed;
  }
  co_return keep_alive && !error;
}

// Closing with unread input would make the kernel drop our last answer, so what still comes is read and
// thrown away.
awaitable<void> Session::say_goodbye() {
  boost::system::error_code error;
  stream_.socket().shutdown(asio::socket_base::shutdown_send, error);
  if (error) co_return;
  stream_.expires_after(k_goodbye);
  buffer_ = beast::flat_buffer();
  for (std::size_t total = 0; total < k_discarded_bytes;) {
    auto [failed, read] =
        co_await stream_.async_read_some(buffer_.prepare(16 * 1024), asio::as_tuple(use_awaitable));
    if (failed) co_return;
    total += read;
  }
}

}  // namespace

awaitable<void> run_session(util::Fd socket, Transport transport, SessionContext& context,
                            SessionState& state) {
  Session session(co_await asio::this_coro::executor, std::move(socket), transport, context, state);
  co_await session.run();
}

}  // namespace stackd::http
