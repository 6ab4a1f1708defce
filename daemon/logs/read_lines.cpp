#include "daemon/logs/read_lines.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "daemon/logs/marks.hpp"
#include "daemon/logs/timed_lines.hpp"
#include "daemon/process/log_tail.hpp"
#include "daemon/process/log_times.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/time.hpp"
#include "proto/time.hpp"

namespace stackd::logs {
namespace {

constexpr std::size_t k_piece = 64 << 10;        // read of a file at once
constexpr const char* k_header = "=== stackd ";  // of each run of a process

util::Error no_cursor(const std::string& cursor) {
  return util::Error(util::ErrorKind::invalid_request,
                     "parameter 'after' ends with a line's cursor, and '" + cursor + "' is none");
}

// The engine's time of a line ("2026-08-01T09:30:00.123456789Z") as its `since` takes one.
std::string engine_since(const std::string& cursor) {
  const auto at = proto::parse_time(cursor);
  if (!at) throw no_cursor(cursor);
  auto since = std::to_string(*at / 1000);
  if (const auto dot = cursor.find('.'); dot != std::string::npos)
    since += cursor.substr(dot, cursor.find_first_not_of("0123456789", dot + 1) - dot);
  return since;
}

std::uint64_t place_of(const std::string& cursor) {
  std::uint64_t place = 0;
  const auto [stop, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), place);
  if (error != std::errc() || stop != cursor.data() + cursor.size()) throw no_cursor(cursor);
  return place;
}

// Milliseconds since 1970; 0 without one.
util::TimeMs since_of(const proto::LogsRequest& request) {
  return request.since.empty()
             ? 0
             : static_cast<util::TimeMs>(std::ceil(std::strtod(request.since.c_str(), nullptr) * 1000));
}

// Where the lines begin that are asked for.
std::uint64_t first_place(process::LogFiles& log, const proto::LogsRequest& request,
                          const std::string& seen) {
  if (!seen.empty()) return place_of(seen);
  std::uint64_t place = log.begin();
  if (!request.since.empty()) place = log.written_since(since_of(request));
  if (request.tail == "all") return place;
  const auto count = std::strtoull(request.tail.c_str(), nullptr, 10);
  return std::max(place, log.last_lines(count, request.follow, k_header));
}

// Lines of one process, from piece after piece of its log.
class ProcessLines {
public:
  ProcessLines(std::shared_ptr<Lines> lines, std::string service, const proto::LogsRequest& request)
      : lines_(std::move(lines)), follow_(request.follow), timestamps_(request.timestamps) {
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
      if (!line.starts_with(k_header)) co_await put_line(std::string(line), place, piece.times);
    }
  }

private:
  awaitable<void> put_line(std::string text, std::uint64_t end,
                           const std::vector<process::log_times::Entry>& times) {
    Line one{"", pattern_};
    one.line.text = util::valid_utf8(text);
    if (follow_) one.line.cursor = std::to_string(end);
    const auto later =
        std::upper_bound(times.begin(), times.end(), end - 1,
                         [](std::uint64_t place, const auto& entry) { return place < entry.place; });
    if (later != times.begin()) one.time = util::format_time(std::prev(later)->at);
    if (timestamps_) one.line.at = one.time;
    co_await lines_->put(std::move(one));
  }
  std::shared_ptr<Lines> lines_;
  bool follow_, timestamps_;
  proto::LogLine pattern_;
};

// From a place on to the end. With `half`, a line that was begun counts as one.
awaitable<void> read_on(async::FileThread& files, std::shared_ptr<Lines> lines, ProcessSource source,
                        proto::LogsRequest request, std::shared_ptr<std::uint64_t> place, bool half) {
  auto log = std::make_shared<process::LogFiles>(source.file);
  ProcessLines out(lines, source.service, request);
  for (;;) {
    auto read = [log, at = *place](async::FileWorker&) { return log->read(at, k_piece); };
    auto piece = co_await files.run(read);
    const bool more = !piece.text.empty();
    if (half) piece.text += piece.unfinished;
    co_await out.put(piece);
    *place = piece.end();
    if (!more) co_return;
  }
}

bool is_asked(const std::vector<std::string>& services, const std::string& service) {
  return std::find(services.begin(), services.end(), service) != services.end();
}

Line line_of(const Mark& mark) {
  Line one{mark.at, mark_line(mark.service, mark.number, mark.text)};
  return one;
}

docker::LogOptions options_of(const proto::LogsRequest& request) {
  docker::LogOptions options;
  options.tail = request.tail;
  options.since = request.since;
  return options;
}

// Shown before a line that comes after others were left out.
std::string gap_text(const SavedLog& log) {
  return mark_text(log.service, log.number,
                   (log.between ? std::to_string(*log.between) : std::string("many")) +
                       " lines in between were not kept when its container was removed");
}

}  // namespace

std::string cursor_of(const proto::LogsRequest& request, const std::string& service, int number) {
  const auto prefix = service + "/" + std::to_string(number) + "/";
  for (const auto& seen : request.after)
    if (seen.starts_with(prefix)) return seen.substr(prefix.size());
  return "";
}

proto::LogLine mark_line(const std::string& service, int number, std::string text) {
  proto::LogLine line;
  line.service = service;
  line.number = number;
  line.stream = k_mark;
  line.text = util::valid_utf8(text);
  return line;
}

awaitable<void> container_lines(docker::Engine& engine, std::shared_ptr<Lines> lines, ContainerSource source,
                                proto::LogsRequest request, bool follow, std::shared_ptr<std::string> seen) {
  auto options = options_of(request);
  options.follow = follow;
  const auto first = *seen;
  if (!first.empty()) {
    options.tail = "all";
    options.since = engine_since(first);
  }
  proto::LogLine pattern;
  pattern.service = source.service;
  pattern.number = source.number;
  auto sink = [lines, pattern, request, first, seen](TimedLine read) -> awaitable<void> {
    if (read.time <= first) co_return;  // the engine's `since` is inclusive
    Line one{read.time, pattern};
    one.line.stream = read.stream == docker::Stream::err ? "stderr" : "stdout";
    one.line.text = util::valid_utf8(read.text);
    if (request.timestamps) one.line.at = read.time;
    if (request.follow) one.line.cursor = read.time;
    *seen = read.time;
    co_await lines->put(std::move(one));
  };
  co_await timed_lines(engine, source.id, source.tty, options, sink);
}

awaitable<std::uint64_t> count_container_lines(docker::Engine& engine, ContainerSource source,
                                               proto::LogsRequest request) {
  std::uint64_t count = 0;
  auto sink = [&count](const TimedLine&) -> awaitable<void> {
    ++count;
    co_return;
  };
  const auto options = options_of(request);
  co_await timed_lines(engine, source.id, source.tty, options, sink);
  co_return count;
}

awaitable<void> saved_lines(async::FileThread& files, std::shared_ptr<Lines> lines, SavedSource source,
                            proto::LogsRequest request) {
  const auto& about = source.log;
  const auto seen = cursor_of(request, about.service, about.number);
  const auto since = since_of(request);
  auto log = std::make_shared<process::LogFiles>(about.file);
  std::uint64_t place = 0, number = 0;
  std::string last;
  for (;;) {
    auto read = [log, place](async::FileWorker&) { return log->read(place, k_piece); };
    const auto piece = co_await files.run(read);
    place = piece.end();
    if (piece.text.empty()) break;
    for (const auto& text : util::split(piece.text, '\n')) {
      const auto line = parse_saved_line(text);
      if (!line) continue;
      if (about.first > 0 && number == about.first && number >= source.skip) {
        Line gap{line->time, mark_line(about.service, about.number, gap_text(about))};
        co_await lines->put(std::move(gap));
      }
      if (number++ < source.skip || line->time <= seen) continue;
      if (since > 0 && proto::parse_time(line->time).value_or(since) < since) continue;
      Line one{line->time, {}};
      one.line.service = about.service;
      one.line.number = about.number;
      one.line.stream = line->err ? "stderr" : "stdout";
      one.line.text = util::valid_utf8(line->text);
      if (request.timestamps) one.line.at = line->time;
      if (request.follow) one.line.cursor = line->time;
      last = line->time;
      co_await lines->put(std::move(one));
    }
  }
  if (about.note.empty() || !seen.empty()) co_return;
  Line note{last.empty() ? util::format_time(about.saved_at) : last,
            mark_line(about.service, about.number, mark_text(about.service, about.number, about.note)), true};
  co_await lines->put(std::move(note));
}

awaitable<void> process_lines(async::FileThread& files, std::shared_ptr<Lines> lines, ProcessSource source,
                              proto::LogsRequest request, std::shared_ptr<std::uint64_t> place) {
  const auto seen = cursor_of(request, source.service, 1);
  auto log = std::make_shared<process::LogFiles>(source.file);
  auto find = [log, request, seen, make = source.file.parent_path()](async::FileWorker&) {
    util::make_directories(make);
    return first_place(*log, request, seen);
  };
  *place = co_await files.run(find);
  co_await read_on(files, lines, source, request, place, !request.follow);
}

awaitable<void> follow_process(asio::any_io_executor executor, async::FileThread& files,
                               std::shared_ptr<Lines> lines, ProcessSource source, proto::LogsRequest request,
                               std::shared_ptr<std::uint64_t> place) {
  auto make = [directory = source.file.parent_path()](async::FileWorker&) {
    util::make_directories(directory);
  };
  co_await files.run(make);
  ProcessLines out(lines, source.service, request);
  process::LogTail tail(executor, files, source.file, *place);
  for (;;) {
    const auto piece = co_await tail.next();
    *place = piece.end();
    co_await out.put(piece);
  }
}

awaitable<void> rest_of_process(async::FileThread& files, std::shared_ptr<Lines> lines, ProcessSource source,
                                proto::LogsRequest request, std::shared_ptr<std::uint64_t> place) {
  co_await read_on(files, lines, source, request, place, true);
}

awaitable<void> marks(async::FileThread& files, std::shared_ptr<Lines> lines, Sources sources,
                      proto::LogsRequest request, std::shared_ptr<std::uint64_t> place) {
  auto log = std::make_shared<process::LogFiles>(marks_path(sources.stack));
  // A caller who comes back has been shown those before the newest line that it knows.
  std::string known;
  for (const auto& cursor : request.after) known = std::max(known, cursor.substr(cursor.rfind('/') + 1));
  const bool again = !request.after.empty() && known.find('T') == std::string::npos;
  const auto since = since_of(request);
  *place = 0;
  for (;;) {
    auto read = [log, at = *place](async::FileWorker&) { return log->read(at, k_piece); };
    const auto piece = co_await files.run(read);
    *place = piece.end();
    if (piece.text.empty()) co_return;
    for (const auto& text : util::split(piece.text, '\n')) {
      const auto mark = parse_mark(text);
      if (!mark || again || mark->at <= known || !is_asked(sources.services, mark->service)) continue;
      if (since > 0 && proto::parse_time(mark->at).value_or(since) < since) continue;
      auto one = line_of(*mark);
      if (request.timestamps) one.line.at = mark->at;
      co_await lines->put(std::move(one));
    }
  }
}

awaitable<void> follow_marks(asio::any_io_executor executor, async::FileThread& files,
                             std::shared_ptr<Lines> lines, std::filesystem::path stack,
                             std::vector<std::string> services, std::shared_ptr<std::uint64_t> place) {
  process::LogTail tail(executor, files, marks_path(stack), *place);
  for (;;) {
    const auto piece = co_await tail.next();
    for (const auto& text : util::split(piece.text, '\n')) {
      const auto mark = parse_mark(text);
      if (!mark || (!services.empty() && !is_asked(services, mark->service))) continue;
      auto one = line_of(*mark);
      co_await lines->put(std::move(one));
    }
  }
}

}  // namespace stackd::logs
