#include "daemon/docker/attached.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <vector>

#include "daemon/docker/http.hpp"
#include "daemon/docker/json_fields.hpp"
#include "daemon/docker/streams.hpp"
#include "daemon/util/error.hpp"

namespace stackd::docker {

Attached::Attached(std::shared_ptr<Connection> connection, std::string what, bool tty)
    : connection_(std::move(connection)), what_(std::move(what)), tty_(tty) {}

awaitable<void> Attached::read(OutputSink sink) {
  std::vector<std::pair<Stream, std::string_view>> parts;
  Demux demux(tty_, [&parts](Stream stream, std::string_view part) { parts.emplace_back(stream, part); });
  std::string piece;
  for (;;) {
    // Swapped, not moved, so that both strings keep their memory.
    piece.clear();
    piece.swap(connection_->body());
    parts.clear();
    demux.feed(piece);
    for (const auto& [stream, part] : parts) co_await sink(stream, part);
    if (connection_->ended()) co_return;
    const auto error = co_await connection_->read_some();
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
    if (error)
      throw util::Error(util::ErrorKind::no_engine,
                        what_ + ": the Docker engine broke off the connection: " + error.message());
  }
}

awaitable<void> Attached::write(std::string_view bytes) {
  const auto error = co_await connection_->send_raw(bytes);
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
}

void Attached::end_input() {
  connection_->end_sending();
}

Ending::Ending(std::unique_ptr<Body> body, std::string what)
    : body_(std::move(body)), what_(std::move(what)) {}

Ending::~Ending() = default;

awaitable<int> Ending::exit_code() {
  std::string text;
  for (;;) {
    const auto piece = co_await body_->next();
    if (piece.empty()) break;
    text += piece;
  }
  const auto answer = parse_answer(what_, text);
  if (const auto message = docker::text(field(answer, "Error"), "Message"); !message.empty())
    throw util::Error(util::ErrorKind::engine, what_ + ": " + message);
  co_return static_cast<int>(number(answer, "StatusCode"));
}

}  // namespace stackd::docker
