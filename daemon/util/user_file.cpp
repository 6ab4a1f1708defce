#include "daemon/util/user_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"

namespace stackd::util {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Times the patience, for all of a pipe.
constexpr int k_longest = 10;

std::string in_words(std::size_t bytes) {
  constexpr std::size_t k_mega = 1 << 20;
  return bytes % k_mega == 0 ? std::to_string(bytes / k_mega) + " MB" : std::to_string(bytes) + " bytes";
}

Error cannot_read(const fs::path& path, const std::string& why) {
  return Error(ErrorKind::io, "cannot read '" + path.string() + "': " + why);
}

Error too_large(const fs::path& path, const UserFileLimits& limits) {
  return cannot_read(path,
                     "it has more than " + in_words(limits.size) + ", the most that is read of such a file");
}

// Readable, or its writer has gone. A pipe that nobody has opened for writing yet is neither.
void wait_for_data(int fd, const fs::path& path, const UserFileLimits& limits, Clock::time_point give_up) {
  const auto until = std::min(Clock::now() + limits.patience, give_up);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    pollfd entry{fd, POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) throw system_error("cannot read '" + path.string() + "'", errno);
    if (ready == 0)
      throw cannot_read(
          path, "it is no plain file, and " +
                    std::string(until == give_up ? "is not at its end after "
                                                 : "nothing was written to it within ") +
                    format_duration(until == give_up ? k_longest * limits.patience : limits.patience));
  }
}

// The next bytes; empty at the end. Nothing when another reader was faster.
std::optional<std::string_view> read_some(int fd, const fs::path& path, std::array<char, 65536>& buffer) {
  for (;;) {
    const auto n = ::read(fd, buffer.data(), buffer.size());
    if (n >= 0) return std::string_view(buffer.data(), static_cast<std::size_t>(n));
    if (errno == EAGAIN) return std::nullopt;
    if (errno != EINTR) throw system_error("cannot read '" + path.string() + "'", errno);
  }
}

std::string read_all(int fd, const fs::path& path, bool plain, const UserFileLimits& limits) {
  const auto give_up = Clock::now() + k_longest * limits.patience;
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    if (!plain) wait_for_data(fd, path, limits, give_up);
    const auto piece = read_some(fd, path, buffer);
    if (!piece) continue;
    if (piece->empty()) return text;
    text += *piece;
    if (text.size() > limits.size) throw too_large(path, limits);
  }
}

}  // namespace

std::string read_user_file(const fs::path& path, const UserFileLimits& limits) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd && (errno == ENOENT || errno == ENOTDIR))
    throw Error(ErrorKind::not_found, "cannot read '" + path.string() + "': no such file");
  if (!fd) throw system_error("cannot read '" + path.string() + "'", errno);
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) throw system_error("cannot read '" + path.string() + "'", errno);
  if (S_ISDIR(about.st_mode)) throw cannot_read(path, "it is a directory");
  const bool plain = S_ISREG(about.st_mode);
  if (plain && static_cast<std::uint64_t>(about.st_size) > limits.size) throw too_large(path, limits);
  return read_all(fd.get(), path, plain, limits);
}

std::optional<std::string> hash_of_user_file(const fs::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  struct stat about {};
  if (!fd || ::fstat(fd.get(), &about) != 0) throw system_error("cannot read '" + path.string() + "'", errno);
  if (!S_ISREG(about.st_mode)) return std::nullopt;
  Sha256 sum;
  std::array<char, 65536> buffer;
  for (;;) {
    const auto piece = read_some(fd.get(), path, buffer);
    if (!piece || piece->empty()) return sum.hex();
    sum.add(*piece);
  }
}

std::optional<std::string> read_user_file_if_there(const fs::path& path, const UserFileLimits& limits) {
  try {
    return read_user_file(path, limits);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    return std::nullopt;
  }
}

}  // namespace stackd::util
