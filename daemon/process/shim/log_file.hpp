// Where a command's output goes. Two kinds: a hook's log keeps its newest bytes in one file (CappedLog), a
// service's is rotated by rename and knows when each part was written (RotatedLog). None of them can hold up
// the command: what cannot be written is dropped and counted, and a line says so once there is room.
#pragma once

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/process/log_times.hpp"
#include "daemon/process/shim/system.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::shim {

inline constexpr int k_write_at_end = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC;
// Until a log is cut or rotated again, where there was no room for it.
inline constexpr Millis k_pause = 200;

// A file that is written at its end, and what could not be written.
class LogWriter {
public:
  void use(util::Fd fd);
  // Another may have written to it.
  void look_again();
  int fd() const { return fd_.get(); }
  explicit operator bool() const { return static_cast<bool>(fd_); }
  std::uint64_t size() const { return size_; }
  std::size_t line_length() const { return line_length_; }  // of the line that has no end yet
  void write(std::string_view text);
  void drop(std::size_t bytes, int why);
  util::Fd take() { return std::move(fd_); }

private:
  bool say_what_was_lost();
  bool put(std::string_view text);
  util::Fd fd_;
  std::uint64_t size_ = 0, lost_ = 0;
  std::size_t line_length_ = 0;
  int why_lost_ = 0;
};

class Log {
public:
  virtual ~Log() = default;
  virtual void write(std::string_view text) = 0;
  virtual void finish() {}
  // On a line of its own, although an earlier run has left one unfinished.
  void write_line(std::string_view text);

protected:
  LogWriter file_;
};

// It may grow to twice the limit, then (and at the end) the newest part, cut at a line, replaces it by a
// rename, so that a reader never sees half of that. A header beside it (log_times.hpp) says how much was cut.
class CappedLog : public Log {
public:
  // An empty path keeps nothing. False with errno.
  bool open(const std::string& path, bool truncate, std::size_t limit);
  void write(std::string_view text) override;
  void finish() override;

private:
  bool keep_newest();
  std::string path_;
  std::uint64_t limit_ = 0, cut_ = 0;
  Millis try_again_at_ = 0;
};

// Lines of more than k_longest_line are cut in pieces. At `limit` bytes, at the end of a line, "<path>"
// becomes
// "<path>.1", that one "<path>.2", and so on; `kept` old ones stay. "<path>.times" goes with each
// (log_times.hpp). Several may write to one log: a service, and its stop_cmd.
class RotatedLog : public Log {
public:
  bool open(const std::string& path, std::uint64_t limit, int kept);
  void write(std::string_view text) override;

private:
  bool open_files();
  bool was_replaced() const;
  void hold();
  void release();
  void write_pieces(std::string_view text);
  void write_lines(std::string_view text);
  void write_timed(std::string_view text);
  bool rotate();
  bool begin_next();
  void shift();
  std::string times_of(const std::string& log) const { return log + ".times"; }

  std::string path_;
  std::uint64_t limit_ = 0;
  int kept_ = 0;
  std::uint64_t base_ = 0;  // of the file's first byte in all that was ever written
  std::uint64_t inode_ = 0;
  Millis last_time_ = 0, try_again_at_ = 0;
  util::Fd times_;
};

std::uint64_t inode_of(int fd);
// Of the file with this inode; nothing when the log's headers know none.
std::optional<process::log_times::Header> header_of(const std::string& log, std::uint64_t inode);
// For a log that is about to be replaced: whichever of the two a reader has, it finds its own.
bool write_log_headers(const std::string& log, const process::log_times::Header& old,
                       const process::log_times::Header& fresh);

// The last k_tail_bytes of a stream.
class Tail {
public:
  void add(std::string_view text);
  std::string_view text() const;

private:
  std::string kept_;
};

}  // namespace stackd::shim
