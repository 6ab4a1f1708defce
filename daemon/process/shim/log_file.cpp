#include "daemon/process/shim/log_file.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cerrno>

#include "daemon/process/shim/protocol.hpp"
#include "daemon/process/shim/system.hpp"

namespace stackd::shim {

bool LogFile::open(const std::string& path, bool truncate, std::size_t limit) {
  path_ = path;
  limit_ = limit;
  if (path.empty()) return true;
  if (!make_directories(parent_of(path))) return false;
  fd_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | (truncate ? O_TRUNC : 0), 0600));
  if (!fd_) return false;
  struct stat about {};
  if (::fstat(fd_.get(), &about) == 0) size_ = static_cast<std::size_t>(about.st_size);
  return true;
}

void LogFile::write(std::string_view text) {
  if (!fd_ || !write_all(fd_.get(), text)) return;
  size_ += text.size();
  if (limit_ > 0 && size_ > 2 * limit_) keep_newest();
}

void LogFile::write_line(std::string_view text) {
  char last = '\n';
  if (fd_ && size_ > 0 && ::pread(fd_.get(), &last, 1, static_cast<off_t>(size_ - 1)) == 1 && last != '\n')
    write("\n");
  write(text);
  write("\n");
}

void LogFile::finish() {
  if (fd_ && limit_ > 0 && size_ > limit_) keep_newest();
}

void LogFile::keep_newest() {
  struct stat about {};
  if (::fstat(fd_.get(), &about) != 0 || about.st_size <= static_cast<off_t>(limit_)) return;
  std::string newest(limit_, '\0');
  const auto n = ::pread(fd_.get(), newest.data(), newest.size(), about.st_size - static_cast<off_t>(limit_));
  if (n <= 0) return;
  std::string_view kept(newest.data(), static_cast<std::size_t>(n));
  if (const auto line_end = kept.find('\n'); line_end != std::string_view::npos && line_end + 1 < kept.size())
    kept.remove_prefix(line_end + 1);
  const auto beside = path_ + ".new";
  util::Fd fresh(::open(beside.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!fresh || !write_all(fresh.get(), kept) || ::rename(beside.c_str(), path_.c_str()) != 0) {
    ::unlink(beside.c_str());
    size_ = limit_;  // tried again once as much as that has been added
    return;
  }
  fd_ = std::move(fresh);
  size_ = kept.size();
}

void Tail::add(std::string_view text) {
  kept_ += text;
  if (kept_.size() > 4 * k_tail_bytes) kept_.erase(0, kept_.size() - k_tail_bytes);
}

std::string_view Tail::text() const {
  std::string_view text = kept_;
  return text.size() > k_tail_bytes ? text.substr(text.size() - k_tail_bytes) : text;
}

}  // namespace stackd::shim
