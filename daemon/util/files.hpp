// Whole-file helpers. All block, none log; errors are `io` (`not_found` for a missing file) and name the
// path.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/util/fd.hpp"

namespace stackd::util {

std::string read_file(const std::filesystem::path& path);
std::optional<std::string> read_file_if_there(const std::filesystem::path& path);

// Written beside the target and renamed, so that a reader sees the old text or the new, never half. A durable
// one is synced before, and outlives a power failure too.
enum class Durability { durable, fleeting };
void write_file(const std::filesystem::path& path, std::string_view text, unsigned mode = 0600,
                Durability durability = Durability::durable);

// mkdir -p, every directory made with `mode`.
void make_directories(const std::filesystem::path& path, unsigned mode = 0700);

// The last `max` bytes of a file; empty when it is missing.
std::string read_tail(const std::filesystem::path& path, std::size_t max);

// An advisory lock (flock) on a file, held until this object goes away or the process ends, however it ends.
class FileLock {
public:
  // Nothing when another process holds it.
  static std::optional<FileLock> try_acquire(const std::filesystem::path& path);

private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace stackd::util
