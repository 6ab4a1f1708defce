// What of the streams waits: for the engine's next piece, and for whoever takes what was in it. (The rest of
// streams.hpp knows no socket, so that a fuzzer can hold it.)
#include "daemon/docker/http.hpp"
#include "daemon/docker/streams.hpp"

namespace stackd::docker {

awaitable<void> hand_on(Body& body, bool tty, OutputSink sink) {
  std::vector<std::pair<Stream, std::string_view>> parts;
  Demux demux(tty, [&parts](Stream stream, std::string_view part) { parts.emplace_back(stream, part); });
  for (auto piece = co_await body.next(); !piece.empty(); piece = co_await body.next()) {
    parts.clear();
    demux.feed(piece);
    for (const auto& [stream, part] : parts) co_await sink(stream, part);
  }
}

awaitable<void> hand_on_lines(Body& body, LineSink sink) {
  std::vector<std::string> found;
  Lines lines([&found](std::string_view line) { found.emplace_back(line); });
  for (bool end = false; !end;) {
    const auto piece = co_await body.next();
    end = piece.empty();
    found.clear();
    end ? lines.finish() : lines.feed(piece);
    for (auto& line : found) co_await sink(std::move(line));
  }
}

}  // namespace stackd::docker
