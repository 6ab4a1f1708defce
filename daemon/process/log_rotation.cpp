#include "daemon/process/log_rotation.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"
#include "daemon/util/files.hpp"

namespace stackd::process {
namespace {

namespace fs = std::filesystem;

util::Error failure(const fs::path& log) {
  return util::system_error("cannot rotate log '" + log.string() + "'", errno);
}

std::uint64_t size_of(int file) {
  struct stat about {};
  return ::fstat(file, &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

void write_all(int file, const char* data, std::size_t size, const fs::path& log) {
  while (size > 0) {
    const auto n = ::write(file, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw failure(log);
    data += n;
    size -= static_cast<std::size_t>(n);
  }
}

// Up to the end, and what was added meanwhile, and so on: only a writer that writes between the last look and
// the cut loses a line.
void copy_and_cut(int from, int to, const fs::path& log) {
  std::string piece(256 << 10, '\0');
  std::uint64_t copied = 0;
  do {
    const auto n = ::pread(from, piece.data(), piece.size(), static_cast<off_t>(copied));
    if (n < 0) throw failure(log);
    if (n == 0) break;  // cut by someone else
    write_all(to, piece.data(), static_cast<std::size_t>(n), log);
    copied += static_cast<std::uint64_t>(n);
  } while (copied < size_of(from));
}

}  // namespace

fs::path rotated(const fs::path& log, int number) {
  return log.string() + "." + std::to_string(number);
}

bool rotate_log(const fs::path& log, std::uint64_t limit, int kept) {
  util::Fd file(::open(log.c_str(), O_RDWR | O_CLOEXEC));
  if (!file || size_of(file.get()) <= limit) return false;
  std::error_code ignored;
  for (int number = kept; number > 1; --number)
    fs::rename(rotated(log, number - 1), rotated(log, number), ignored);
  const fs::path part = log.string() + ".part";
  util::Fd copy(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!copy) throw failure(log);
  try {
    copy_and_cut(file.get(), copy.get(), log);
    if (kept > 0) fs::rename(part, rotated(log, 1));
  } catch (...) {
    fs::remove(part, ignored);
    throw;
  }
  if (::ftruncate(file.get(), 0) != 0) throw failure(log);
  if (kept < 1) fs::remove(part, ignored);
  return true;
}

std::string read_log_tail(const fs::path& log, std::size_t most, std::uint64_t& end) {
  std::string text;
  const util::Fd file(::open(log.c_str(), O_RDONLY | O_CLOEXEC));
  end = file ? size_of(file.get()) : 0;
  const auto from = end > most ? end - most : 0;
  text.resize(end - from);
  const auto n = text.empty() ? 0 : ::pread(file.get(), text.data(), text.size(), static_cast<off_t>(from));
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  end = from + text.size();
  for (int number = 1; text.size() < most && fs::exists(rotated(log, number)); ++number)
    text.insert(0, util::read_tail(rotated(log, number), most - text.size()));
  return text;
}

}  // namespace stackd::process
