// FileWatch: wakes who waits when a file of a directory is made, written or moved there, and when one file is
// written or taken away (inotify). Looks at nothing itself. All watches of an io_context share one inotify
// instance, because closing one with watches makes the kernel wait for milliseconds, with the loop. Where the
// machine has none left, a watch wakes five times a second. Control thread only.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "daemon/async/asio.hpp"

namespace stackd::process {

class FileWatch {
public:
  // Everything that happens to the directory's files; with `only`, the coming of the file of that name alone.
  // Throws io when the directory cannot be watched.
  FileWatch(const asio::any_io_executor& executor, const std::filesystem::path& directory,
            const std::string& only = {});
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // Watches this file too, and no longer the one of the call before. Nothing is watched when it is not there.
  void follow(const std::filesystem::path& file);

  // Until something has happened since the last call (or since the beginning). Cancellable.
  awaitable<void> changed();
  // The same with a limit; false when it passed first.
  awaitable<bool> changed_within(std::chrono::milliseconds limit);

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stackd::process
