#include "daemon/images/builder/grpc.hpp"

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "daemon/util/error.hpp"

namespace stackd::builder {
namespace {

constexpr std::size_t k_prefix = 5;  // of a message: a flag, and its length
constexpr std::size_t k_read = 64 * 1024;
constexpr std::int32_t k_window = 4 << 20;
constexpr std::size_t k_longest_message = 64 << 20;

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

void check(int code, const char* what) {
  if (code < 0)
    throw util::Error(util::ErrorKind::internal, std::string(what) + ": " + nghttp2_strerror(code));
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    const bool is_code =
        text[at] == '%' && at + 2 < text.size() &&
        std::from_chars(text.data() + at + 1, text.data() + at + 3, value, 16).ptr == text.data() + at + 3;
    out += is_code ? static_cast<char>(value) : text[at];
    if (is_code) at += 2;
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view k_hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte < 0x7f && c != '%')
      out += c;
    else
      out.append({'%', k_hex[byte >> 4], k_hex[byte & 15]});
  }
  return out;
}

// ---- one call

std::string Stream::header(std::string_view name) const {
  const auto found =
      std::find_if(headers_.begin(), headers_.end(), [&](const auto& one) { return one.first == name; });
  return found == headers_.end() ? "" : found->second;
}

void Stream::send(std::string_view message) {
  std::array<char, k_prefix> prefix{};
  for (std::size_t i = 0; i < 4; ++i)
    prefix[1 + i] = static_cast<char>(message.size() >> (24 - 8 * i) & 255U);
  out_.append(prefix.data(), prefix.size()).append(message);
  wake();
}

void Stream::finish(Status status) {
  if (finished_) return;  // the first word counts
  status_ = std::move(status);
  finished_ = true;
  wake();
}

void Stream::wake() {
  if (!std::exchange(deferred_, false)) return;
  nghttp2_session_resume_data(connection_.session_, id_);
}

bool Stream::take(std::string_view bytes) {
  in_.append(bytes);
  std::size_t at = 0;
  while (in_.size() - at >= k_prefix) {
    std::size_t length = 0;
    for (std::size_t i = 1; i < k_prefix; ++i) length = length << 8 | static_cast<unsigned char>(in_[at + i]);
    if (length > k_longest_message || in_[at] != 0) return false;
    if (in_.size() - at - k_prefix < length) break;
    const std::string message = in_.substr(at + k_prefix, length);
    at += k_prefix + length;
    handler_->on_message(*this, message);
  }
  in_.erase(0, at);
  return true;
}

// ---- what nghttp2 calls

struct Callbacks {
  static Connection& of(void* user) { return *static_cast<Connection*>(user); }

  static ssize_t read(nghttp2_session* session, std::int32_t id, std::uint8_t* into, std::size_t most,
                      std::uint32_t* flags, nghttp2_data_source* source, void* user) {
    auto& stream = *static_cast<Stream*>(source->ptr);
    if (stream.sent_ == stream.out_.size()) {
      stream.out_.clear();
      stream.sent_ = 0;
      if (!stream.finished_) stream.handler_->on_room(stream);
    }
    const auto count = std::min(most, stream.out_.size() - stream.sent_);
    std::memcpy(into, stream.out_.data() + stream.sent_, count);
    stream.sent_ += count;
    if (stream.sent_ < stream.out_.size()) return static_cast<ssize_t>(count);
    if (!stream.finished_) {
      if (count > 0) return static_cast<ssize_t>(count);
      stream.deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (of(user).accept_) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const auto code = std::to_string(static_cast<int>(stream.status_.code));
      const auto message = percent_encoded(stream.status_.message);
      const std::array trailers{field("grpc-status", code), field("grpc-message", message)};
      nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
    }
    return static_cast<ssize_t>(count);
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& connection = of(user);
    const auto id = frame->hd.stream_id;
    if (connection.accept_ && !connection.find(id))
      connection.streams_[id] = std::unique_ptr<Stream>(new Stream(connection, id));
    return 0;
  }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                    void* user) {
    if (auto* stream = of(user).find(frame->hd.stream_id))
      stream->headers_.emplace_back(std::string(reinterpret_cast<const char*>(name), name_size),
                                    std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }

  static int data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                  std::size_t size, void* user) {
    auto* stream = of(user).find(id);
    const bool read = !stream || stream->take({reinterpret_cast<const char*>(bytes), size});
    return read ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    auto* stream = of(user).find(frame->hd.stream_id);
    if (!stream) return 0;
    if (of(user).accept_ && frame->hd.type == NGHTTP2_HEADERS && !stream->handler_)
      accept(session, of(user), *stream);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) stream->handler_->on_peer_end(*stream);
    return 0;
  }

  static void accept(nghttp2_session* session, Connection& connection, Stream& stream) {
    struct Nothing : Handler {
      void on_message(Stream&, std::string_view) override {}
    };
    const auto path = stream.header(":path");
    stream.handler_ = connection.accept_(stream, path);
    if (!stream.handler_) {
      stream.handler_ = std::make_unique<Nothing>();
      stream.finish({Code::unimplemented, "stackd has no " + path});
    }
    const std::array answer{field(":status", "200"), field("content-type", "application/grpc")};
    nghttp2_data_provider provider{{.ptr = &stream}, read};
    nghttp2_submit_response(session, stream.id_, answer.data(), answer.size(), &provider);
  }

  static int closed(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
    auto& connection = of(user);
    const auto found = connection.streams_.find(id);
    if (found == connection.streams_.end()) return 0;
    const auto stream = std::move(found->second);
    connection.streams_.erase(found);
    Status status;
    const auto said = stream->header("grpc-status");
    if (!said.empty()) {
      status = {static_cast<Code>(std::atoi(said.c_str())), percent_decoded(stream->header("grpc-message")),
                stream->header("grpc-status-details-bin")};
    } else if (!connection.accept_) {
      status = {Code::unavailable,
                std::string("the engine's builder broke off: ") + nghttp2_http2_strerror(code)};
    }
    if (stream->handler_) stream->handler_->on_end(*stream, status);
    return 0;
  }
};

// ---- the connection

Connection::Connection(Loop& loop, Upgraded socket, Accept accept, Closed closed)
    : loop_(loop), socket_(std::move(socket.socket)), accept_(std::move(accept)), closed_(std::move(closed)) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::closed);
  const int made = accept_ ? nghttp2_session_server_new(&session_, callbacks, this)
                           : nghttp2_session_client_new(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  check(made, "cannot begin HTTP/2");
  const std::array settings{nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, k_window},
                            nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000}};
  check(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()),
        "cannot begin HTTP/2");
  check(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, k_window),
        "cannot begin HTTP/2");
  const auto wanted = [this] {
    const bool writes = unsent_from_ < unsent_.size() || nghttp2_session_want_write(session_);
    return static_cast<short>(POLLIN | (writes ? POLLOUT : 0));
  };
  loop_.watch(socket_.get(), wanted, [this](short events) { ready(events); });
  if (!socket.early.empty()) feed(socket.early);
}

Connection::~Connection() {
  if (socket_) loop_.forget(socket_.get());
  nghttp2_session_del(session_);
}

Stream* Connection::find(std::int32_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

Stream& Connection::call(const std::string& path, std::unique_ptr<Handler> handler) {
  auto stream = std::unique_ptr<Stream>(new Stream(*this, 0));
  stream->handler_ = std::move(handler);
  const std::array head{
      field(":method", "POST"),           field(":scheme", "http"), field(":path", path),
      field(":authority", "localhost"),   field("te", "trailers"),  field("content-type", "application/grpc"),
      field("user-agent", "stackd-build")};
  nghttp2_data_provider provider{{.ptr = stream.get()}, Callbacks::read};
  const auto id = nghttp2_submit_request(session_, nullptr, head.data(), head.size(), &provider, nullptr);
  check(id, "cannot ask the engine's builder");
  stream->id_ = id;
  return *(streams_[id] = std::move(stream));
}

void Connection::feed(std::string_view bytes) {
  const auto count =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (count < 0)
    close(std::string("the engine does not speak HTTP/2: ") + nghttp2_strerror(static_cast<int>(count)));
}

void Connection::ready(short events) {
  if (events & (POLLIN | POLLHUP | POLLERR)) {
    std::array<char, k_read> bytes;
    const auto count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (count > 0) {
      feed({bytes.data(), static_cast<std::size_t>(count)});
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      return close(count == 0 ? "the engine closed the connection" : std::strerror(errno));
    }
  }
  if (socket_) flush();
}

void Connection::flush() {
  for (;;) {
    if (unsent_from_ == unsent_.size()) {
      const std::uint8_t* bytes = nullptr;
      const auto count = nghttp2_session_mem_send(session_, &bytes);
      if (count <= 0) return;
      unsent_.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
      unsent_from_ = 0;
    }
    const auto sent =
        ::send(socket_.get(), unsent_.data() + unsent_from_, unsent_.size() - unsent_from_, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent < 0) return close(std::strerror(errno));
    unsent_from_ += static_cast<std::size_t>(sent);
  }
}

void Connection::close(const std::string& why) {
  loop_.forget(socket_.get());
  socket_.reset();
  if (closed_) closed_(why);
}

}  // namespace stackd::builder
