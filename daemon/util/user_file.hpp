// Files of the user's, which may be anything: a plain file, a password manager's pipe, a directory by
// mistake, /dev/zero.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace stackd::util {

struct UserFileLimits {
  std::size_t size = 4 << 20;  // bytes
  std::chrono::milliseconds patience{
      900};  // for what is no plain file: until its writer has come, and for each pause
};

// Blocks for as long as the disk takes, and no longer than `patience` for a writer. Throws not_found, or io
// with the path and what is in the way: a directory, too large, nothing written in time.
std::string read_user_file(const std::filesystem::path& path, const UserFileLimits& limits = {});
std::optional<std::string> read_user_file_if_there(const std::filesystem::path& path,
                                                   const UserFileLimits& limits = {});

// SHA-256 of what it holds, in hex, read piece by piece: it may be of any size. Nothing when it is not there
// or no plain file. Throws io.
std::optional<std::string> hash_of_user_file(const std::filesystem::path& path);

}  // namespace stackd::util
