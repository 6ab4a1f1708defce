#include "daemon/logs/service_logs.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <deque>

#include "daemon/async/task_group.hpp"
#include "daemon/process/log_rotation.hpp"
#include "daemon/process/log_tail.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/time.hpp"
#include "proto/time.hpp"

namespace stackd::logs {
namespace {

constexpr std::size_t k_most_of_a_file = 8 << 20;  // what `tail: all` reads of a process's log at the most

// Producers put lines in, one consumer takes them out.
struct Lines {
  explicit Lines(const asio::any_io_executor& executor) : changed(executor) {}
  std::deque<proto::LogLine> waiting;
  std::size_t producers = 0;
  async::Signal changed;
  void put(proto::LogLine line) {
    waiting.push_back(std::move(line));
    changed.notify();
  }
};

bool is_marker(std::string_view line) {
  return line.starts_with("=== stackd ");
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
  auto emit = [lines, pattern, timed, seen, request](docker::Stream stream, std::string text) {
    auto line = pattern;
    line.stream = stream == docker::Stream::err ? "stderr" : "stdout";
    if (!text.empty() && text.back() == '\r') text.pop_back();
    if (const auto space = text.find(' '); timed && space != std::string::npos) {
      const auto time = text.substr(0, space);
      if (time <= seen) return;  // the engine's `since` is inclusive
      text.erase(0, space + 1);
      join_pieces(text, time + " ");
      if (request.timestamps) line.at = time;
      if (request.follow) line.cursor = time;
    }
    line.text = util::valid_utf8(text);
    lines->put(std::move(line));
  };
  auto sink = [partial, emit](docker::Stream stream, std::string_view piece) {
    auto& text = (*partial)[stream];
    text += piece;
    std::size_t from = 0;
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', from)) {
      emit(stream, text.substr(from, at - from));
      from = at + 1;
    }
    text.erase(0, from);
  };
  co_await engine.logs(source.id, source.tty, options, sink);
  for (auto& [stream, rest] : *partial)
    if (!rest.empty()) emit(stream, rest);
}

// What was written in runs that ended before `since` (seconds, as the engine takes them) goes. A process
// writes its log itself, so when is known of its runs and of the newest line only.
void drop_older(std::vector<std::string>& lines, const std::string& file, const std::string& since) {
  const auto from = static_cast<util::TimeMs>(std::strtod(since.c_str(), nullptr) * 1000);
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0 || found.st_mtim.tv_sec * 1000 + 999 < from) return lines.clear();
  auto first = lines.begin();
  for (auto line = lines.begin(); line != lines.end(); ++line) {
    if (!is_marker(*line)) continue;
    const auto words = util::split(*line, ' ');
    const auto began = words.size() < 4 ? std::nullopt : proto::parse_time(words[3]);
    if (began && *began <= from) first = line;
  }
  lines.erase(lines.begin(), first);
}

// Takes away what the cursor's owner has seen: a byte of the log, which was cut since when it has none such.
void drop_seen(std::string& text, const std::string& file, std::int64_t end, const std::string& cursor) {
  std::int64_t position = 0;
  const auto [stop, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), position);
  if (error != std::errc() || stop != cursor.data() + cursor.size())
    throw util::Error(util::ErrorKind::invalid_request,
                      "parameter 'after' ends with a line's cursor, and '" + cursor + "' is none");
  if (struct stat old{}; position > end && ::stat(process::rotated(file, 1).c_str(), &old) == 0)
    position -= old.st_size;
  const auto known = static_cast<std::int64_t>(text.size()) - (end - position);
  text.erase(0, static_cast<std::size_t>(std::clamp<std::int64_t>(known, 0, std::ssize(text))));
}

// Index of the first line that `tail` wants; markers do not count.
std::size_t first_wanted(const std::vector<std::string>& lines, const std::string& tail) {
  if (tail == "all") return 0;
  auto wanted = std::max(0, std::atoi(tail.c_str()));
  auto from = lines.size();
  for (; from > 0 && (wanted > 0 || is_marker(lines[from - 1])); --from)
    if (!is_marker(lines[from - 1])) --wanted;
  return from;
}

awaitable<void> process_lines(asio::any_io_executor executor, std::shared_ptr<Lines> lines,
                              std::string service, std::string file, proto::LogsRequest request) {
  std::uint64_t end = 0;
  auto text = process::read_log_tail(file, k_most_of_a_file, end);
  if (const auto seen = cursor_of(request, service, 1); !seen.empty()) {
    drop_seen(text, file, static_cast<std::int64_t>(end), seen);
    request.tail = "all";
    request.since.clear();
  }
  auto all = util::split(text, '\n');
  // A line that was begun counts as one; who follows gets it when it is whole.
  const std::string unfinished = all.empty() ? "" : all.back();
  if (!all.empty() && (request.follow || unfinished.empty())) all.pop_back();
  if (!request.since.empty()) drop_older(all, file, request.since);
  auto position = static_cast<std::int64_t>(end) - std::ssize(unfinished);
  for (const auto& each : all) position -= std::ssize(each) + 1;
  const auto from = first_wanted(all, request.tail);
  proto::LogLine line;
  line.service = service;
  line.stream = "stdout";
  for (std::size_t index = 0; index < all.size(); ++index) {
    position += std::ssize(all[index]) + 1;
    if (index < from || is_marker(all[index])) continue;
    line.text = util::valid_utf8(all[index]);
    if (request.follow) line.cursor = std::to_string(position);
    lines->put(line);
  }
  if (!request.follow) co_return;
  process::LogTail tail(executor, file, end - std::min<std::uint64_t>(end, unfinished.size()));
  for (;;) {
    auto next = co_await tail.next_line();
    if (is_marker(next)) continue;
    line.text = util::valid_utf8(next);
    line.cursor = std::to_string(tail.position());
    if (request.timestamps) line.at = util::format_time(util::now_ms());
    lines->put(line);
  }
}

// Until all producers have ended and every line was handed on.
awaitable<void> deliver(std::shared_ptr<Lines> lines, std::vector<std::string> secrets, LineSink sink) {
  while (lines->producers > 0 || !lines->waiting.empty()) {
    if (lines->waiting.empty()) {
      co_await lines->changed.wait();
      continue;
    }
    auto line = std::move(lines->waiting.front());
    lines->waiting.pop_front();
    line.text = resolve::mask(std::move(line.text), secrets);
    co_await sink(std::move(line));
  }
}

}  // namespace

awaitable<void> read_logs(asio::any_io_executor executor, docker::Engine& engine, Sources sources,
                          proto::LogsRequest request, std::vector<std::string> secrets, LineSink sink) {
  auto lines = std::make_shared<Lines>(executor);
  async::TaskGroup producers(executor);
  const auto produce = [&](const std::string& name, std::function<awaitable<void>()> task) {
    ++lines->producers;
    producers.spawn("logs of " + name, [lines, task]() -> awaitable<void> {
      struct Leave {
        std::shared_ptr<Lines> lines;
        ~Leave() {
          --lines->producers;
          lines->changed.notify();
        }
      } leave{lines};
      co_await task();
    });
  };
  for (const auto& source : sources.containers)
    produce(source.service,
            [&engine, lines, source, request] { return container_lines(engine, lines, source, request); });
  for (const auto& source : sources.processes) {
    util::make_directories(source.file.parent_path());
    produce(source.service, [executor, lines, source, request] {
      return process_lines(executor, lines, source.service, source.file.string(), request);
    });
  }
  auto delivering = deliver(lines, secrets, sink);
  co_await producers.during(std::move(delivering));
}

}  // namespace stackd::logs
