#include "daemon/logs/service_logs.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <map>

#include "daemon/async/task_group.hpp"
#include "daemon/process/log_tail.hpp"
#include "daemon/process/log_times.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/time.hpp"
#include "proto/time.hpp"

namespace stackd::logs {
namespace {

constexpr std::size_t k_piece = 64 << 10;          // read of a file at once
constexpr std::size_t k_most_waiting = 256 << 10;  // bytes of lines that nobody has taken yet
constexpr int k_lines_a_turn = 200;
constexpr const char* k_marker = "=== stackd ";

// Producers put lines in, one consumer takes them out; who is too fast waits.
class Lines {
public:
  explicit Lines(const asio::any_io_executor& executor) : changed_(executor) {}
  awaitable<void> put(proto::LogLine line) {
    while (bytes_ > k_most_waiting) co_await changed_.wait();
    bytes_ += size_of(line);
    waiting_.push_back(std::move(line));
    changed_.notify();
    if (++put_ % k_lines_a_turn == 0) co_await async::next_turn();
  }
  void join() { ++producers_; }
  void leave() {
    --producers_;
    changed_.notify();
  }
  // Nothing once all producers have left.
  awaitable<std::optional<proto::LogLine>> take() {
    while (waiting_.empty() && producers_ > 0) co_await changed_.wait();
    if (waiting_.empty()) co_return std::nullopt;
    auto line = std::move(waiting_.front());
    waiting_.pop_front();
    bytes_ -= size_of(line);
    changed_.notify();
    if (++taken_ % k_lines_a_turn == 0) co_await async::next_turn();
    co_return line;
  }

private:
  static std::size_t size_of(const proto::LogLine& line) { return line.text.size() + sizeof line; }
  std::deque<proto::LogLine> waiting_;
  std::size_t bytes_ = 0, producers_ = 0;
  std::uint64_t put_ = 0, taken_ = 0;
  async::Signal changed_;
};

bool is_marker(std::string_view line) {
  return line.starts_with(k_marker);
}

// What a caller who has lost us knows already of a service's lines: the cursor of the last one.
std::string cursor_of(const proto::LogsRequest& request, const std::string& service, int number) {
  const auto prefix = service + "/" + std::to_string(number) + "/";
  for (const auto& seen : request.after)
    if (seen.starts_with(prefix)) return seen.substr(prefix.size());
  return "";
}

// The engine's time of a line ("2026-08-01T09:30:00.123456789Z") as its `since` takes one.
std::string engine_since(const std::string& cursor) {
  const auto at = proto::parse_time(cursor);
  if (!at)
    throw util::Error(util::ErrorKind::invalid_request,
                      "parameter 'after' ends with a line's cursor, and '" + cursor + "' is none");
  auto since = std::to_string(*at / 1000);
  if (const auto dot = cursor.find('.'); dot != std::string::npos)
    since += cursor.substr(dot, cursor.find_first_not_of("0123456789", dot + 1) - dot);
  return since;
}

// The engine writes a line of more than 16 KB in pieces, each behind the time of the whole.
void join_pieces(std::string& text, const std::string& time) {
  constexpr std::size_t k_piece = 16 << 10;
  if (text.size() <= k_piece) return;
  for (auto at = text.find(time); at != std::string::npos; at = text.find(time, at))
    text.erase(at, time.size());
}

awaitable<void> container_lines(docker::Engine& engine, std::shared_ptr<Lines> lines, ContainerSource source,
                                proto::LogsRequest request) {
  // The time of a followed line is its cursor too.
  const bool timed = request.timestamps || request.follow;
  docker::LogOptions options{request.follow, timed, request.tail, request.since};
  proto::LogLine pattern;
  pattern.service = source.service;
  pattern.number = source.number;
  const auto seen = cursor_of(request, pattern.service, pattern.number);
  if (!seen.empty()) {
    options.tail = "all";
    options.since = engine_since(seen);
  }
  auto partial = std::make_shared<std::map<docker::Stream, std::string>>();
  auto emit = [lines, pattern, timed, seen, request](docker::Stream stream,
                                                     std::string text) -> awaitable<void> {
    auto line = pattern;
    line.stream = stream == docker::Stream::err ? "stderr" : "stdout";
    if (!text.empty() && text.back() == '\r') text.pop_back();
    if (const auto space = text.find(' '); timed && space != std::string::npos) {
      const auto time = text.substr(0, space);
      if (time <= seen) co_return;  // the engine's `since` is inclusive
      text.erase(0, space + 1);
      join_pieces(text, time + " ");
      if (request.timestamps) line.at = time;
      if (request.follow) line.cursor = time;
    }
    line.text = util::valid_utf8(text);
    co_await lines->put(std::move(line));
  };
  auto sink = [partial, emit](docker::Stream stream, std::string_view piece) -> awaitable<void> {
    auto& text = (*partial)[stream];
    text += piece;
    std::size_t from = 0;
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', from)) {
      co_await emit(stream, text.substr(from, at - from));
      from = at + 1;
    }
    text.erase(0, from);
    if (text.size() < process::log_times::k_longest_line) co_return;
    co_await emit(stream, std::exchange(text, {}));
  };
  co_await engine.logs(source.id, source.tty, options, sink);
  for (auto& [stream, rest] : *partial)
    if (!rest.empty()) co_await emit(stream, rest);
}

std::uint64_t place_of(const std::string& cursor) {
  std::uint64_t place = 0;
  const auto [stop, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), place);
  if (error != std::errc() || stop != cursor.data() + cursor.size())
    throw util::Error(util::ErrorKind::invalid_request,
                      "parameter 'after' ends with a line's cursor, and '" + cursor + "' is none");
  return place;
}

// Where the lines begin that are asked for.
std::uint64_t first_place(process::LogFiles& log, const proto::LogsRequest& request,
                          const std::string& seen) {
  if (!seen.empty()) return place_of(seen);
  std::uint64_t place = log.begin();
  if (!request.since.empty()) {
    const auto since = std::strtod(request.since.c_str(), nullptr) * 1000;
    place = log.written_since(static_cast<util::TimeMs>(std::ceil(since)));
  }
  if (request.tail == "all") return place;
  const auto count = std::strtoull(request.tail.c_str(), nullptr, 10);
  return std::max(place, log.last_lines(count, request.follow, k_marker));
}

// Lines of one process, from piece after piece of its log.
class ProcessLines {
public:
  ProcessLines(std::shared_ptr<Lines> lines, std::string service, const proto::LogsRequest& request)
      : lines_(std::move(lines)), request_(request) {
    pattern_.service = std::move(service);
    pattern_.stream = "stdout";
  }
  awaitable<void> put(const process::LogPiece& piece) {
    if (piece.skipped > 0)
      co_await put_line("[stackd: " + std::to_string(piece.skipped) + " bytes are not kept any more]",
                        piece.place, piece.times);
    auto place = piece.place;
    for (std::string_view left = piece.text; !left.empty();) {
      const auto end = std::min(left.find('\n'), left.size());
      const auto line = left.substr(0, end);
      const auto size = std::min(end + 1, left.size());
      place += size;
      left.remove_prefix(size);
      if (!is_marker(line)) co_await put_line(std::string(line), place, piece.times);
    }
  }

private:
  awaitable<void> put_line(std::string text, std::uint64_t end,
                           const std::vector<process::log_times::Entry>& times) {
    auto line = pattern_;
    line.text = util::valid_utf8(text);
    if (request_.follow) line.cursor = std::to_string(end);
    if (request_.timestamps) {
      const auto later =
          std::upper_bound(times.begin(), times.end(), end - 1,
                           [](std::uint64_t place, const auto& entry) { return place < entry.place; });
      if (later != times.begin()) line.at = util::format_time(std::prev(later)->at);
    }
    co_await lines_->put(std::move(line));
  }
  std::shared_ptr<Lines> lines_;
  const proto::LogsRequest& request_;
  proto::LogLine pattern_;
};

awaitable<void> process_lines(asio::any_io_executor executor, async::FileThread& files,
                              std::shared_ptr<Lines> lines, ProcessSource source,
                              proto::LogsRequest request) {
  const auto seen = cursor_of(request, source.service, 1);
  auto log = std::make_shared<process::LogFiles>(source.file);
  auto find = [log, request, seen, make = source.file.parent_path()](async::FileWorker&) {
    util::make_directories(make);
    return first_place(*log, request, seen);
  };
  auto place = co_await files.run(find);
  ProcessLines out(lines, source.service, request);
  if (request.follow) {
    process::LogTail tail(executor, files, source.file, place);
    for (;;) {
      const auto piece = co_await tail.next();
      co_await out.put(piece);
    }
  }
  for (;;) {
    auto read = [log, place](async::FileWorker&) { return log->read(place, k_piece); };
    auto piece = co_await files.run(read);
    const bool more = !piece.text.empty();
    piece.text += piece.unfinished;  // a line that was begun counts as one
    co_await out.put(piece);
    place = piece.end();
    if (!more) co_return;
  }
}

// Until all producers have ended and every line was handed on.
awaitable<void> deliver(std::shared_ptr<Lines> lines, std::vector<std::string> secrets, LineSink sink) {
  while (auto line = co_await lines->take()) {
    line->text = resolve::mask(std::move(line->text), secrets);
    co_await sink(std::move(*line));
  }
}

}  // namespace

awaitable<void> read_logs(Readers readers, Sources sources, proto::LogsRequest request,
                          std::vector<std::string> secrets, LineSink sink) {
  const auto executor = co_await asio::this_coro::executor;
  auto lines = std::make_shared<Lines>(executor);
  async::TaskGroup producers(executor);
  const auto produce = [&](const std::string& name, std::function<awaitable<void>()> task) {
    lines->join();
    producers.spawn("logs of " + name, [lines, task]() -> awaitable<void> {
      struct Leave {
        std::shared_ptr<Lines> lines;
        ~Leave() { lines->leave(); }
      } leave{lines};
      co_await task();
    });
  };
  for (const auto& source : sources.containers)
    produce(source.service, [&engine = readers.engine, lines, source, request] {
      return container_lines(engine, lines, source, request);
    });
  for (const auto& source : sources.processes)
    produce(source.service, [executor, &files = readers.files, lines, source, request] {
      return process_lines(executor, files, lines, source, request);
    });
  auto delivering = deliver(lines, secrets, sink);
  co_await producers.during(std::move(delivering));
}

}  // namespace stackd::logs
