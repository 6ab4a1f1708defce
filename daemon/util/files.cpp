#include "daemon/util/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "daemon/util/error.hpp"

namespace stackd::util {
namespace {

std::string in_quotes(const std::filesystem::path& path) {
  return "'" + path.string() + "'";
}

std::string drain(int fd, const std::filesystem::path& path) {
  std::string text;
  char buffer[16384];
  for (;;) {
    const auto n = ::read(fd, buffer, sizeof buffer);
    if (n == 0) return text;
    if (n < 0) {
      if (errno == EINTR) continue;
      throw system_error("cannot read " + in_quotes(path), errno);
    }
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

void write_all(int fd, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      throw system_error("cannot write " + in_quotes(path), errno);
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

std::optional<std::string> read_file_if_there(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw system_error("cannot open " + in_quotes(path), errno);
  }
  return drain(fd.get(), path);
}

std::string read_file(const std::filesystem::path& path) {
  auto text = read_file_if_there(path);
  if (!text) throw Error(ErrorKind::not_found, "cannot open " + in_quotes(path) + ": no such file");
  return std::move(*text);
}

void write_file(const std::filesystem::path& path, std::string_view text, unsigned mode,
                Durability durability) {
  const auto beside = path.string() + ".new." + std::to_string(::getpid());
  Fd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!fd) throw system_error("cannot create " + in_quotes(beside), errno);
  try {
    write_all(fd.get(), text, beside);
    if (durability == Durability::durable && ::fdatasync(fd.get()) != 0)
      throw system_error("cannot sync " + in_quotes(beside), errno);
    if (::rename(beside.c_str(), path.c_str()) != 0)
      throw system_error("cannot rename to " + in_quotes(path), errno);
  } catch (...) {
    ::unlink(beside.c_str());
    throw;
  }
}

void make_directories(const std::filesystem::path& path, unsigned mode) {
  if (path.empty() || ::mkdir(path.c_str(), mode) == 0) return;
  if (errno == EEXIST) {
    if (std::filesystem::is_directory(path)) return;
    throw Error(ErrorKind::io, "cannot make directory " + in_quotes(path) + ": a file of that name is there");
  }
  if (errno != ENOENT) throw system_error("cannot make directory " + in_quotes(path), errno);
  make_directories(path.parent_path(), mode);
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    throw system_error("cannot make directory " + in_quotes(path), errno);
}

std::string read_tail(const std::filesystem::path& path, std::size_t max) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return {};
  const auto size = ::lseek(fd.get(), 0, SEEK_END);
  const auto from = size > static_cast<off_t>(max) ? size - static_cast<off_t>(max) : 0;
  ::lseek(fd.get(), from, SEEK_SET);
  return drain(fd.get(), path);
}

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) throw system_error("cannot open lock file " + in_quotes(path), errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    throw system_error("cannot lock " + in_quotes(path), errno);
  }
  return FileLock(std::move(fd));
}

}  // namespace stackd::util
