// LogFiles: what a command's log holds, wherever it stands now. A place is a byte of all that was ever
// written to the log, so it stays what it is when a service's log is rotated ("<log>", "<log>.1", …) and when
// a hook's is cut to its newest part (log_times.hpp). Blocks, and throws io: for the files' thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "daemon/process/log_times.hpp"
#include "daemon/util/fd.hpp"
#include "daemon/util/time.hpp"

namespace stackd::process {

struct LogPiece {
  std::uint64_t place = 0;  // of the first byte of `text`
  std::string text;         // whole lines; or, without a line end, a part of one that is longer than a piece
  std::string unfinished;   // what stands behind the last of them when that is all there is
  std::uint64_t skipped = 0;            // bytes before `text` that are not kept any more
  bool more = false;                    // there is more to read now
  bool moved = false;                   // it comes from another file than the piece before
  std::vector<log_times::Entry> times;  // when its parts were written; empty where nobody noted it
  std::uint64_t end() const { return place + text.size(); }
};

class LogFiles {
public:
  explicit LogFiles(std::filesystem::path log) : log_(std::move(log)) {}

  // From `place` on, at most `most` bytes. Where that is gone already, from what is left of it.
  LogPiece read(std::uint64_t place, std::size_t most);
  // Places.
  std::uint64_t begin();
  std::uint64_t end();
  // Where the last `count` lines begin, one that has no end yet counting as one unless `whole`. Lines that
  // begin with `uncounted` do not count.
  std::uint64_t last_lines(std::uint64_t count, bool whole, const std::string& uncounted);
  // What was written from this time on; the end when that is nothing. The beginning of a part of which no
  // time is known, unless it is known to be older.
  std::uint64_t written_since(util::TimeMs at);
  // What the log is now; LogTail watches it.
  const std::filesystem::path& path() const { return log_; }

private:
  struct File {
    std::filesystem::path path;
    util::Fd fd;
    std::uint64_t inode = 0, base = 0, size = 0;
    std::uint64_t end() const { return base + size; }
  };
  // The oldest first.
  std::vector<File> files() const;
  bool turn_to(std::uint64_t& place, std::uint64_t& skipped);
  std::vector<log_times::Entry> times_of(std::uint64_t from, std::uint64_t to) const;

  std::filesystem::path log_;
  File open_;  // what is being read
};

// The last complete line of a log, of its last 64 KB.
std::string newest_line(const std::filesystem::path& log);
// The last `most` bytes of a log, its old files among them.
std::string log_tail(const std::filesystem::path& log, std::size_t most);

}  // namespace stackd::process
