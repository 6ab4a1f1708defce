#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "daemon/process/log_times.hpp"
#include "daemon/process/shim/log_file.hpp"

namespace stackd::shim {
namespace {

namespace times = process::log_times;

std::string numbered(const std::string& path, int number) {
  return path + "." + std::to_string(number);
}

struct Found {
  std::uint64_t inode = 0, size = 0;
};
Found look_at(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return {};
  return {about.st_ino, static_cast<std::uint64_t>(about.st_size)};
}

// The first of a log's headers; of any inode.
std::optional<times::Header> header_at(const std::string& path) {
  const util::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(times::k_header_size, '\0');
  const auto n = fd ? ::pread(fd.get(), text.data(), text.size(), 0) : 0;
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return times::header_of(text);
}

// The same text under another name as well, so that there is no moment without a log; where the file system
// has no such links, by a rename.
void also_name(const std::string& from, const std::string& to) {
  ::unlink(to.c_str());
  if (::link(from.c_str(), to.c_str()) != 0) ::rename(from.c_str(), to.c_str());
}

}  // namespace

std::uint64_t inode_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 ? about.st_ino : 0;
}

std::optional<times::Header> header_of(const std::string& log, std::uint64_t inode) {
  const util::Fd fd(::open((log + ".times").c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(2 * times::k_header_size, '\0');
  const auto n = fd ? ::pread(fd.get(), text.data(), text.size(), 0) : 0;
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return times::header_for(text, inode);
}

bool write_log_headers(const std::string& log, const times::Header& old, const times::Header& fresh) {
  const auto path = log + ".times", beside = path + ".new";
  util::Fd fd(::open(beside.c_str(), k_write_at_end | O_TRUNC, 0600));
  if (fd && write_all(fd.get(), times::text_of(old) + times::text_of(fresh)) &&
      ::rename(beside.c_str(), path.c_str()) == 0)
    return true;
  ::unlink(beside.c_str());
  return false;
}

bool RotatedLog::open(const std::string& path, std::uint64_t limit, int kept) {
  path_ = path;
  limit_ = limit;
  kept_ = kept;
  return path.empty() || (make_directories(parent_of(path)) && open_files());
}

bool RotatedLog::open_files() {
  util::Fd log(::open(path_.c_str(), k_write_at_end, 0600));
  if (!log) return false;
  const auto inode = inode_of(log.get());
  auto header = header_at(times_of(path_));
  const auto before = look_at(numbered(path_, 1));
  // A shim that was killed in the middle of a rotation has left the times behind.
  if (header && header->inode != inode && header->inode == before.inode)
    ::rename(times_of(path_).c_str(), times_of(numbered(path_, 1)).c_str());
  times_.reset(::open(times_of(path_).c_str(), k_write_at_end, 0600));
  file_.use(std::move(log));
  inode_ = inode;
  base_ = 0;
  if (header && header->inode == inode) {
    base_ = header->base;
    return true;
  }
  if (file_.size() == 0) {
    header = header_at(times_of(numbered(path_, 1)));
    if (header && header->inode == before.inode) base_ = header->base + before.size;
  }
  if (times_ && ::ftruncate(times_.get(), 0) == 0)
    write_all(times_.get(), times::text_of(times::Header{inode_, base_}));
  return true;
}

bool RotatedLog::was_replaced() const {
  return look_at(path_).inode != inode_;
}

// The log as it is now, and nobody else's until release().
void RotatedLog::hold() {
  for (;;) {
    if (times_) ::flock(times_.get(), LOCK_EX);
    if (!was_replaced() || !open_files()) break;
  }
  file_.look_again();
}

void RotatedLog::release() {
  if (times_) ::flock(times_.get(), LOCK_UN);
}

void RotatedLog::write(std::string_view text) {
  if (!file_) return;
  hold();
  write_pieces(text);
  release();
}

void RotatedLog::write_pieces(std::string_view text) {
  // A line that is too long is cut where it is.
  for (std::size_t at = 0; at < text.size();) {
    const auto from = at == 0 ? file_.line_length() : 0;
    const auto line_end = std::min(text.find('\n', at), text.size());
    if (from + line_end - at <= times::k_longest_line) {
      at = line_end + 1;
      continue;
    }
    at += times::k_longest_line - std::min(from, times::k_longest_line);
    write_lines(text.substr(0, at));
    write_lines("\n");
    text.remove_prefix(at);
    at = 0;
  }
  write_lines(text);
}

// To the log, up to the first end of a line at its limit, and on in the next one.
void RotatedLog::write_lines(std::string_view text) {
  while (!text.empty()) {
    const bool at_line_begin = file_.line_length() == 0;
    if (limit_ > 0 && file_.size() >= limit_ && at_line_begin && !rotate())
      return file_.drop(text.size(), errno);
    const auto room = limit_ > file_.size() ? limit_ - file_.size() : 1;
    const auto line_end =
        limit_ == 0 || text.size() <= room ? std::string_view::npos : text.find('\n', room - 1);
    const auto part = line_end == std::string_view::npos ? text : text.substr(0, line_end + 1);
    write_timed(part);
    text.remove_prefix(part.size());
  }
}

void RotatedLog::write_timed(std::string_view text) {
  if (text.empty()) return;
  if (const auto at = wall_clock(); at != last_time_ && times_) {
    last_time_ = at;
    // A part of an entry, on a full disk, would move all that follow.
    const auto entry = times::text_of(times::Entry{base_ + file_.size(), at});
    if (const auto n = ::write(times_.get(), entry.data(), entry.size());
        n > 0 && n < static_cast<ssize_t>(entry.size())) {
      struct stat about {};
      if (::fstat(times_.get(), &about) == 0 && ::ftruncate(times_.get(), about.st_size - n) != 0)
        times_.reset();
    }
  }
  file_.write(text);
}

bool RotatedLog::rotate() {
  errno = ENOSPC;
  if (now() < try_again_at_) return false;
  if (begin_next()) return true;
  const int why = errno;
  try_again_at_ = now() + k_pause;
  errno = why;
  return false;
}

// The next one is there, and ours, before anything is moved.
bool RotatedLog::begin_next() {
  const auto beside = path_ + ".new", times_beside = times_of(path_) + ".new";
  util::Fd log(::open(beside.c_str(), k_write_at_end | O_TRUNC, 0600));
  util::Fd log_times(::open(times_beside.c_str(), k_write_at_end | O_TRUNC, 0600));
  const times::Header header{log ? inode_of(log.get()) : 0, base_ + file_.size()};
  if (!log || !log_times || !write_all(log_times.get(), times::text_of(header))) {
    const int why = errno;
    ::unlink(beside.c_str());
    ::unlink(times_beside.c_str());
    errno = why;
    return false;
  }
  ::flock(log_times.get(), LOCK_EX);
  shift();
  if (::rename(beside.c_str(), path_.c_str()) != 0) return false;
  ::rename(times_beside.c_str(), times_of(path_).c_str());
  file_.use(std::move(log));
  times_ = std::move(log_times);
  base_ = header.base;
  inode_ = header.inode;
  last_time_ = 0;
  return true;
}

void RotatedLog::shift() {
  for (int number = kept_; number > 1; --number) {
    const auto from = numbered(path_, number - 1), to = numbered(path_, number);
    ::rename(from.c_str(), to.c_str());
    ::rename(times_of(from).c_str(), times_of(to).c_str());
  }
  if (kept_ < 1) return;
  also_name(path_, numbered(path_, 1));
  also_name(times_of(path_), times_of(numbered(path_, 1)));
}

}  // namespace stackd::shim
