#include "daemon/process/shim/log_file.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "daemon/process/shim/protocol.hpp"

namespace stackd::shim {

void LogWriter::use(util::Fd fd) {
  fd_ = std::move(fd);
  size_ = line_length_ = 0;
  look_again();
}

void LogWriter::look_again() {
  struct stat about {};
  const bool known = fd_ && ::fstat(fd_.get(), &about) == 0;
  const auto size = known ? static_cast<std::uint64_t>(about.st_size) : 0;
  if (size == size_) return;
  size_ = size;
  char last = '\n';
  if (size_ > 0 && ::pread(fd_.get(), &last, 1, static_cast<off_t>(size_ - 1)) != 1) last = '\n';
  line_length_ = last == '\n' ? 0 : 1;
}

void LogWriter::write(std::string_view text) {
  if (!fd_ || text.empty()) return;
  if (lost_ > 0 && !say_what_was_lost()) return drop(text.size(), why_lost_);
  const auto before = size_;
  if (!put(text)) drop(text.size() - static_cast<std::size_t>(size_ - before), errno);
}

void LogWriter::drop(std::size_t bytes, int why) {
  lost_ += bytes;
  why_lost_ = why;
}

bool LogWriter::say_what_was_lost() {
  const auto notice = (line_length_ > 0 ? "\n" : "") +
                      because("[stackd: " + std::to_string(lost_) + " bytes of output were lost", why_lost_) +
                      "]\n";
  if (!put(notice)) return false;
  lost_ = 0;
  return true;
}

// False with errno, and then a part of it may be there.
bool LogWriter::put(std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd_.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    const auto written = text.substr(0, static_cast<std::size_t>(n));
    const auto line_end = written.rfind('\n');
    line_length_ =
        line_end == std::string_view::npos ? line_length_ + written.size() : written.size() - line_end - 1;
    size_ += written.size();
    text.remove_prefix(written.size());
  }
  return true;
}

void Log::write_line(std::string_view text) {
  if (file_ && file_.line_length() > 0) write("\n");
  write(std::string(text) + "\n");
}

bool CappedLog::open(const std::string& path, bool truncate, std::size_t limit) {
  path_ = path;
  limit_ = limit;
  if (path.empty()) return true;
  if (!make_directories(parent_of(path))) return false;
  util::Fd fd(::open(path.c_str(), k_write_at_end | (truncate ? O_TRUNC : 0), 0600));
  if (!fd) return false;
  if (truncate) ::unlink((path + ".times").c_str());
  if (const auto header = header_of(path, inode_of(fd.get()))) cut_ = header->base;
  file_.use(std::move(fd));
  return true;
}

void CappedLog::write(std::string_view text) {
  if (limit_ > 0 && file_.size() > 2 * limit_ && !keep_newest()) return file_.drop(text.size(), errno);
  file_.write(text);
}

void CappedLog::finish() {
  if (limit_ > 0 && file_.size() > limit_) keep_newest();
}

bool CappedLog::keep_newest() {
  errno = ENOSPC;
  if (now() < try_again_at_) return false;
  const auto size = file_.size();
  std::string newest(limit_, '\0');
  const auto n = ::pread(file_.fd(), newest.data(), newest.size(), static_cast<off_t>(size - limit_));
  if (n <= 0) return false;
  std::string_view kept(newest.data(), static_cast<std::size_t>(n));
  if (const auto line_end = kept.find('\n'); line_end != std::string_view::npos && line_end + 1 < kept.size())
    kept.remove_prefix(line_end + 1);
  const auto beside = path_ + ".new";
  util::Fd fresh(::open(beside.c_str(), k_write_at_end | O_TRUNC, 0600));
  const auto cut = cut_ + size - kept.size();
  if (!fresh || !write_all(fresh.get(), kept) ||
      !write_log_headers(path_, {inode_of(file_.fd()), cut_}, {inode_of(fresh.get()), cut}) ||
      ::rename(beside.c_str(), path_.c_str()) != 0) {
    const int why = errno;
    ::unlink(beside.c_str());
    try_again_at_ = now() + k_pause;
    errno = why;
    return false;
  }
  cut_ = cut;
  file_.use(std::move(fresh));
  return true;
}

void Tail::add(std::string_view text) {
  if (text.size() > k_tail_bytes) text.remove_prefix(text.size() - k_tail_bytes);
  kept_ += text;
  if (kept_.size() > 4 * k_tail_bytes) kept_.erase(0, kept_.size() - k_tail_bytes);
}

std::string_view Tail::text() const {
  std::string_view text = kept_;
  return text.size() > k_tail_bytes ? text.substr(text.size() - k_tail_bytes) : text;
}

}  // namespace stackd::shim
