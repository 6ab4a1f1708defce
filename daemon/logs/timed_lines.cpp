#include "daemon/logs/timed_lines.hpp"

#include <map>
#include <memory>
#include <utility>

#include "daemon/process/log_times.hpp"

namespace stackd::logs {
namespace {

// The engine writes a line of more than 16 KB in pieces, each behind the time of the whole.
void join_pieces(std::string& text, const std::string& time) {
  constexpr std::size_t k_piece = 16 << 10;
  if (text.size() <= k_piece) return;
  for (auto at = text.find(time); at != std::string::npos; at = text.find(time, at))
    text.erase(at, time.size());
}

TimedLine line_of(docker::Stream stream, std::string text) {
  TimedLine line{stream, "", std::move(text)};
  if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
  const auto space = line.text.find(' ');
  if (space == std::string::npos) return line;
  line.time = line.text.substr(0, space);
  line.text.erase(0, space + 1);
  join_pieces(line.text, line.time + " ");
  return line;
}

}  // namespace

awaitable<void> timed_lines(docker::Engine& engine, std::string id, bool tty, docker::LogOptions options,
                            TimedSink sink) {
  options.timestamps = true;
  auto partial = std::make_shared<std::map<docker::Stream, std::string>>();
  auto take = [partial, sink](docker::Stream stream, std::string_view piece) -> awaitable<void> {
    auto& text = (*partial)[stream];
    text += piece;
    std::size_t from = 0;
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', from)) {
      auto line = line_of(stream, text.substr(from, at - from));
      co_await sink(std::move(line));
      from = at + 1;
    }
    text.erase(0, from);
    if (text.size() < process::log_times::k_longest_line) co_return;
    auto line = line_of(stream, std::exchange(text, {}));
    co_await sink(std::move(line));
  };
  co_await engine.logs(id, tty, options, take);
  for (auto& [stream, rest] : *partial) {
    if (rest.empty()) continue;
    auto line = line_of(stream, rest);
    co_await sink(std::move(line));
  }
}

}  // namespace stackd::logs
