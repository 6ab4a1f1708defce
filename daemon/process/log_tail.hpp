// LogTail: follows a log as it grows, woken by inotify, not by a tick; reads on the files' thread, a bounded
// piece at a time, so that neither a log that grows faster than it is read nor a line without an end holds up
// anything. Goes on through rotation and cuts (log_files.hpp). Control thread. Throws io.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "daemon/async/file_thread.hpp"
#include "daemon/process/log_files.hpp"

namespace stackd::process {

class LogTail {
public:
  // From this place on; the file need not exist yet (its directory must, once it is waited for).
  LogTail(const asio::any_io_executor& executor, async::FileThread& files, std::filesystem::path log,
          std::uint64_t place = 0);
  ~LogTail();

  // The next whole lines, or a part of one that is longer than a piece; waits for them. Cancellable. One
  // caller at a time.
  awaitable<LogPiece> next();
  // The same without waiting: an empty text when there is nothing; then `unfinished` is what the writer has
  // begun.
  awaitable<LogPiece> now();
  // Until something was written since the last look, whole or not, or the file is another one.
  awaitable<void> changed();
  // The same with a limit; false when it passed first.
  awaitable<bool> changed_within(std::chrono::milliseconds limit);
  // Where the next piece will begin.
  std::uint64_t place() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stackd::process
