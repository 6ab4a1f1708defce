// DirectoryWatch: wakes who waits when a file of a directory is made, written or moved there (inotify), and,
// on a machine that has run out of instances, five times a second. Looks at nothing itself. Control thread
// only.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "daemon/async/asio.hpp"

namespace stackd::process {

// Between two looks, where a machine has run out of inotify instances.
constexpr std::chrono::milliseconds k_without_inotify{200};

class DirectoryWatch {
public:
  // Throws io when the directory cannot be watched.
  DirectoryWatch(asio::any_io_executor executor, const std::filesystem::path& directory);
  ~DirectoryWatch();

  // Until something has happened since the last call (or since the beginning). Cancellable.
  awaitable<void> changed();
  // The same with a limit; false when it passed first.
  awaitable<bool> changed_within(std::chrono::milliseconds limit);

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stackd::process
