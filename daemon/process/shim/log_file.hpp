// LogFile: where a command's output goes. With a limit it keeps the newest bytes: it may grow to twice the
// limit, then (and at the end) the newest part, cut at a line, replaces it by a rename, so that a reader
// never sees half of that. A log that cannot be written is no reason to hold up the command: the output is
// dropped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "daemon/util/fd.hpp"

namespace stackd::shim {

class LogFile {
public:
  // `limit` 0: none. An empty path keeps nothing. False with errno.
  bool open(const std::string& path, bool truncate, std::size_t limit);
  int fd() const { return fd_.get(); }
  void write(std::string_view text);
  // On a line of its own, although an earlier run has left one unfinished.
  void write_line(std::string_view text);
  // Down to the limit.
  void finish();

private:
  void keep_newest();
  std::string path_;
  std::size_t limit_ = 0, size_ = 0;
  util::Fd fd_;
};

// The last k_tail_bytes of a stream.
class Tail {
public:
  void add(std::string_view text);
  std::string_view text() const;

private:
  std::string kept_;
};

}  // namespace stackd::shim
