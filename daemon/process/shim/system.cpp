#include "daemon/process/shim/system.hpp"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/util/fd.hpp"

namespace stackd::shim {
namespace {

Millis read_clock(clockid_t clock) {
  timespec at{};
  ::clock_gettime(clock, &at);
  return static_cast<Millis>(at.tv_sec) * 1000 + at.tv_nsec / 1000000;
}

}  // namespace

Millis now() {
  return read_clock(CLOCK_MONOTONIC);
}
Millis wall_clock() {
  return read_clock(CLOCK_REALTIME);
}

std::string because(std::string_view what, int error_number) {
  return std::string(what) + ": " + ::strerror(error_number);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

bool make_directories(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return true;
  if (errno != ENOENT || path.find('/') == std::string::npos) return false;
  return make_directories(parent_of(path)) && (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST);
}

std::string read_small_file(int directory, const char* name) {
  util::Fd fd(::openat(directory, name, O_RDONLY | O_CLOEXEC));
  if (!fd) return {};
  std::string text;
  char buffer[4096];
  for (;;) {
    const auto n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

bool write_file(int directory, const char* name, std::string_view text) {
  const auto beside = std::string(name) + ".new";
  // Not truncated before: what room_for_file() has reserved is written over.
  util::Fd fd(::openat(directory, beside.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return fd && write_all(fd.get(), text) && ::ftruncate(fd.get(), static_cast<off_t>(text.size())) == 0 &&
         ::renameat(directory, beside.c_str(), directory, name) == 0;
}

bool room_for_file(int directory, const char* name, std::size_t bytes) {
  const auto beside = std::string(name) + ".new";
  util::Fd fd(::openat(directory, beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  return fd && write_all(fd.get(), std::string(bytes, ' '));
}

}  // namespace stackd::shim
