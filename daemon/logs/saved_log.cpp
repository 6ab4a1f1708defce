#include "daemon/logs/saved_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <tuple>

#include "daemon/logs/timed_lines.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"

namespace stackd::logs {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using util::Error;
using util::ErrorKind;

constexpr std::uint64_t k_first_lines = 200;
constexpr std::size_t k_buffer = 64 << 10;
constexpr std::chrono::seconds k_counting{2};  // how long a log is read that is longer than what is kept
constexpr int k_tries = 4;                     // of guessing how many lines fit
constexpr std::size_t k_most_kept = 50;        // saved logs of a service
constexpr std::uint64_t k_kept_limits = 4;  // all that is saved of a service: so many times the limit of one

struct Enough {};  // thrown out of a reading that has seen what it needs

fs::path about_path(fs::path log) {
  return log.replace_extension(".json");
}

class Writer {
public:
  explicit Writer(const fs::path& path) : path_(path) {
    util::make_directories(path.parent_path());
    std::error_code ignored;
    fs::remove(about_path(path), ignored);
    fd_ = util::Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd_) fail();
  }
  void write(std::string_view text) {
    while (!text.empty()) {
      const auto written = ::write(fd_.get(), text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void cut(std::uint64_t size) {
    const auto at = static_cast<off_t>(size);
    if (::ftruncate(fd_.get(), at) != 0 || ::lseek(fd_.get(), at, SEEK_SET) < 0) fail();
  }

private:
  [[noreturn]] void fail() const {
    throw util::system_error("cannot save a log in '" + path_.string() + "'", errno);
  }
  fs::path path_;
  util::Fd fd_;
};

// Lines on their way to the file.
class Saved {
public:
  Saved(async::FileThread& files, const ToSave& what, fs::path path)
      : files_(files), secrets_(what.secrets), path_(std::move(path)) {}

  awaitable<void> open() {
    auto make = [path = path_](async::FileWorker&) { return std::make_shared<Writer>(path); };
    writer_ = co_await files_.run(make);
  }
  awaitable<void> add(TimedLine line) {
    auto text = line.time + (line.stream == docker::Stream::err ? " e " : " o ") + line.text + "\n";
    bytes_ += text.size();
    buffer_ += text;
    ++lines_;
    if (buffer_.size() > k_buffer) co_await flush();
  }
  awaitable<void> flush() {
    if (buffer_.empty()) co_return;
    auto text = resolve::mask(std::exchange(buffer_, {}), secrets_);
    written_ += text.size();
    auto write = [writer = writer_, text](async::FileWorker&) { writer->write(text); };
    co_await files_.run(write);
  }
  // Back to what was written by then.
  awaitable<void> cut(std::uint64_t written) {
    buffer_.clear();
    written_ = written;
    auto work = [writer = writer_, written](async::FileWorker&) { writer->cut(written); };
    co_await files_.run(work);
  }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t lines() const { return lines_; }
  std::uint64_t written() const { return written_; }

private:
  async::FileThread& files_;
  std::vector<std::string> secrets_;
  fs::path path_;
  std::shared_ptr<Writer> writer_;
  std::string buffer_;
  std::uint64_t bytes_ = 0, lines_ = 0;
  std::uint64_t written_ = 0;  // masked, so of another size
};

json about_json(const SavedLog& about) {
  json text{{"service", about.service},
            {"number", about.number},
            {"saved_at", about.saved_at},
            {"first", about.first},
            {"note", about.note}};
  if (about.between) text["between"] = *about.between;
  return text;
}

std::optional<SavedLog> about_from(const fs::path& file) {
  const auto text = util::read_file_if_there(file);
  const auto read = json::parse(text.value_or(""), nullptr, false);
  if (!read.is_object()) return std::nullopt;
  SavedLog about;
  about.service = read.value("service", "");
  about.number = read.value("number", 1);
  about.saved_at = read.value("saved_at", std::int64_t{0});
  about.first = read.value("first", std::uint64_t{0});
  if (read.contains("between")) about.between = read.value("between", std::uint64_t{0});
  about.note = read.value("note", "");
  about.file = file;
  about.file.replace_extension(".log");
  return about;
}

// The oldest go, when a service has more than a few times what one container may leave.
void keep_the_newest(const fs::path& stack, const std::string& service, std::uint64_t limit) {
  auto all = saved_logs(stack, service);
  std::uint64_t sum = 0;
  std::error_code ignored;
  std::size_t count = 0;
  for (auto each = all.rbegin(); each != all.rend(); ++each) {
    const auto size = fs::file_size(each->file, ignored);
    sum += ignored ? 0 : size;
    if (++count == 1 || (sum <= limit * k_kept_limits && count <= k_most_kept)) continue;
    fs::remove(about_path(each->file), ignored);
    fs::remove(each->file, ignored);
  }
}

void write_about(const ToSave& what, const SavedLog& about) {
  util::write_file(about_path(about.file),
                   about_json(about).dump(-1, ' ', false, json::error_handler_t::replace), 0600,
                   util::Durability::fleeting);
  keep_the_newest(what.stack, what.service, what.limit);
}

// Everything, as long as it fits; then it is only counted. Whether its end was reached.
awaitable<bool> read_all(docker::Engine& engine, const ToSave& what, Saved& saved, std::uint64_t& lines) {
  const auto until = std::chrono::steady_clock::now() + k_counting;
  auto sink = [&](TimedLine line) -> awaitable<void> {
    ++lines;
    if (saved.bytes() <= what.limit) {
      co_await saved.add(std::move(line));
    } else if (lines % 1000 == 0 && std::chrono::steady_clock::now() > until) {
      throw Enough{};
    }
  };
  bool whole = true;
  const docker::LogOptions all;
  try {
    co_await timed_lines(engine, what.id, what.tty, all, sink);
  } catch (const Enough&) {
    whole = false;
  }
  co_return whole;
}

// As many of the last lines as fit.
awaitable<std::uint64_t> read_last(docker::Engine& engine, const ToSave& what, Saved& head,
                                   std::uint64_t count) {
  std::uint64_t lines = 0;
  co_await head.flush();
  const auto written = head.written();
  for (int tries = 0; tries < k_tries; ++tries, count = std::max<std::uint64_t>(count / 4, 1)) {
    docker::LogOptions options;
    options.tail = std::to_string(count);
    const auto before = head.bytes();
    co_await head.cut(written);
    lines = 0;
    const bool last_try = tries + 1 == k_tries;
    auto sink = [&](TimedLine line) -> awaitable<void> {
      if (!last_try && head.bytes() - before > what.limit + what.limit / 4) throw Enough{};
      ++lines;
      co_await head.add(std::move(line));
    };
    bool fits = true;
    try {
      co_await timed_lines(engine, what.id, what.tty, options, sink);
    } catch (const Enough&) {
      fits = false;
    }
    if (fits) break;
  }
  co_return lines;
}

// The first lines alone, into a file that is begun anew.
awaitable<void> read_first(docker::Engine& engine, const ToSave& what, Saved& saved) {
  auto sink = [&](TimedLine line) -> awaitable<void> {
    if (saved.lines() >= k_first_lines) throw Enough{};
    co_await saved.add(std::move(line));
  };
  const docker::LogOptions all;
  try {
    co_await timed_lines(engine, what.id, what.tty, all, sink);
  } catch (const Enough&) {
  }
}

awaitable<void> save(docker::Engine& engine, async::FileThread& files, const ToSave& what, SavedLog& about) {
  Saved all(files, what, about.file);
  co_await all.open();
  std::uint64_t lines = 0;
  const bool whole = co_await read_all(engine, what, all, lines);
  co_await all.flush();
  if (whole && all.lines() == lines) co_return;
  const auto each = std::max<std::uint64_t>(all.bytes() / std::max<std::uint64_t>(all.lines(), 1), 1);
  Saved ends(files, what, about.file);
  co_await ends.open();
  co_await read_first(engine, what, ends);
  about.first = ends.lines();
  const auto room = what.limit > ends.bytes() ? what.limit - ends.bytes() : each;
  const auto last = co_await read_last(engine, what, ends, std::max<std::uint64_t>(room / each, 1));
  co_await ends.flush();
  if (whole && lines >= about.first + last) about.between = lines - about.first - last;
}

}  // namespace

fs::path saved_log_path(const fs::path& stack, const std::string& service, int number,
                        const std::string& container) {
  return stack / "logs" / "saved" / service /
         (std::to_string(number) + "-" + container.substr(0, 12) + ".log");
}

awaitable<void> save_log(docker::Engine& engine, async::FileThread& files, ToSave what) {
  SavedLog about;
  about.service = what.service;
  about.number = what.number;
  about.file = saved_log_path(what.stack, what.service, what.number, what.id);
  about.saved_at = util::now_ms();
  bool gone = false;
  try {
    co_await save(engine, files, what, about);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::no_engine || e.kind() == ErrorKind::io || e.kind() == ErrorKind::cancelled)
      throw;
    gone = e.kind() == ErrorKind::not_found;
    about.note = std::string("its log could not be read: ") + e.what();
  }
  if (gone) co_return;  // and what was saved before by a step that is run again stays
  auto write = [what, about](async::FileWorker&) { write_about(what, about); };
  co_await files.run(write);
}

void note_unsaved(const ToSave& what, const std::string& note, const std::string& text) {
  SavedLog about;
  about.service = what.service;
  about.number = what.number;
  about.file = saved_log_path(what.stack, what.service, what.number, what.id);
  if (fs::exists(about_path(about.file))) return;
  about.saved_at = util::now_ms();
  about.note = note;
  util::make_directories(about.file.parent_path());
  util::write_file(about.file, resolve::mask(text, what.secrets), 0600, util::Durability::fleeting);
  write_about(what, about);
}

std::vector<SavedLog> saved_logs(const fs::path& stack, const std::string& service) {
  std::vector<SavedLog> found;
  std::error_code ignored;
  const auto root = stack / "logs" / "saved";
  std::vector<fs::path> directories;
  if (!service.empty())
    directories.push_back(root / service);
  else
    for (const auto& entry : fs::directory_iterator(root, ignored)) directories.push_back(entry.path());
  for (const auto& directory : directories)
    for (const auto& entry : fs::directory_iterator(directory, ignored))
      if (entry.path().extension() == ".json")
        if (auto about = about_from(entry.path())) found.push_back(std::move(*about));
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.saved_at, a.file) < std::tie(b.saved_at, b.file);
  });
  return found;
}

std::optional<SavedLine> parse_saved_line(std::string_view line) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos || line.size() < space + 3) return std::nullopt;
  return SavedLine{std::string(line.substr(0, space)), std::string(line.substr(space + 3)),
                   line[space + 1] == 'e'};
}

}  // namespace stackd::logs
