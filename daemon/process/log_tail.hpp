// LogTail: reads a growing file as lines, woken by inotify, not by a tick. Survives truncation and rotation:
// it starts at the new file's beginning, or behind what it has read before when that is found there (a capped
// log that was cut down to its newest part). Control thread only. Throws io.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "daemon/async/asio.hpp"

namespace stackd::process {

class LogTail {
public:
  // From byte `offset` of the file on; the file need not exist yet (its directory must).
  LogTail(const asio::any_io_executor& executor, std::filesystem::path file, std::uint64_t offset = 0);
  ~LogTail();

  // The next complete line without its newline; waits for one. Cancellable. A line of more than a megabyte
  // comes in pieces. One caller at a time.
  awaitable<std::string> next_line();
  // A complete line that is there already, else nothing.
  std::optional<std::string> try_line();
  // The byte of the file behind the last line that was handed out; before the file's first (negative) while
  // lines of a rotated one are left.
  std::int64_t position() const;
  // What is left without a newline (after the writer has ended).
  std::string rest();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stackd::process
