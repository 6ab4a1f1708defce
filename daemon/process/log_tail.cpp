#include "daemon/process/log_tail.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/process/file_watch.hpp"
#include "daemon/process/log_rotation.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::process {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_piece = 65536;
constexpr std::size_t k_longest_line = 1 << 20;
// So much of what was read last must be found again in a file that took another's place, to go on behind it;
// or so much of its end at the beginning of that file.
constexpr std::size_t k_memory = 4096, k_overlap = 256;
// A capped log is not larger than this when it is cut.
constexpr std::size_t k_search = 4 << 20;

// How much of `text` is known, when `read` is what was read last of the text that it continues; 0 when it
// does not.
std::size_t known_part(std::string_view text, std::string_view read) {
  if (const auto found = text.rfind(read); found != std::string_view::npos) return found + read.size();
  for (auto size = std::min(text.size(), read.size()); size >= k_overlap; --size)
    if (read.substr(read.size() - size) == text.substr(0, size)) return size;
  return 0;
}

fs::path directory_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

struct LogTail::Impl {
  Impl(const asio::any_io_executor& executor, fs::path log, std::uint64_t from)
      : path(std::move(log)), watch(executor, directory_of(path), path.filename().string()), offset(from) {}

  std::optional<std::string> take_line();
  bool read_more();
  bool read_piece();
  bool open();
  bool replaced() const;
  void begin_again();
  bool take_rest_of_old();
  void remember(std::string_view text);

  fs::path path;
  FileWatch watch;
  util::Fd file;
  std::uint64_t offset;     // of the next byte to be read
  std::string buffer;       // read, not handed out
  std::size_t scanned = 0;  // bytes of the buffer that hold no newline
  std::string memory;       // the last bytes read
};

bool LogTail::Impl::open() {
  file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return false;
    throw util::system_error("cannot open log '" + path.string() + "'", errno);
  }
  watch.follow(path);
  return true;
}

void LogTail::Impl::remember(std::string_view text) {
  memory += text;
  if (memory.size() > 2 * k_memory) memory.erase(0, memory.size() - k_memory);
}

bool LogTail::Impl::read_piece() {
  std::string piece(k_piece, '\0');
  const auto n = ::pread(file.get(), piece.data(), piece.size(), static_cast<off_t>(offset));
  if (n < 0) throw util::system_error("cannot read log '" + path.string() + "'", errno);
  piece.resize(static_cast<std::size_t>(n));
  offset += piece.size();
  buffer += piece;
  remember(piece);
  return n > 0;
}

bool LogTail::Impl::replaced() const {
  struct stat open {
  }, named{};
  return ::fstat(file.get(), &open) == 0 && ::stat(path.c_str(), &named) == 0 && !same_file(open, named);
}

// The file was rotated (log_rotation.hpp) and then cut: what was written before the cut and not read is in
// the copy.
bool LogTail::Impl::take_rest_of_old() {
  const util::Fd old(::open(rotated(path, 1).c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about {};
  if (!old || ::fstat(old.get(), &about) != 0 || static_cast<std::uint64_t>(about.st_size) < offset)
    return false;
  const auto known = std::min<std::uint64_t>(memory.size(), offset);
  std::string text(known + static_cast<std::uint64_t>(about.st_size) - offset, '\0');
  const auto n = ::pread(old.get(), text.data(), text.size(), static_cast<off_t>(offset - known));
  if (n != static_cast<ssize_t>(text.size())) return false;
  if (text.compare(0, known, memory, memory.size() - known, known) != 0) return false;
  buffer += text.substr(known);
  offset = 0;
  memory.clear();
  return true;
}

// Another text under the old name: from its beginning, or behind what was read of it already.
void LogTail::Impl::begin_again() {
  offset = 0;
  if (memory.size() >= k_memory) {
    std::string text(k_search, '\0');
    const auto n = ::pread(file.get(), text.data(), text.size(), 0);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    offset = known_part(text, std::string_view(memory).substr(memory.size() - k_memory));
    if (offset > 0) return;
  }
  memory.clear();
  if (!buffer.empty()) buffer += '\n';  // a line that was never finished ends with its file
}

// False when there is nothing new.
bool LogTail::Impl::read_more() {
  if (!file && !open()) return false;
  struct stat about {};
  if (::fstat(file.get(), &about) == 0 && static_cast<std::uint64_t>(about.st_size) < offset) {
    if (take_rest_of_old() && scanned < buffer.size()) return true;
    if (offset > 0) begin_again();
  }
  if (read_piece()) return true;
  if (!replaced() || read_piece()) return !buffer.empty() && scanned < buffer.size();
  if (!open()) return false;
  begin_again();
  return read_piece() || scanned < buffer.size();
}

std::optional<std::string> LogTail::Impl::take_line() {
  for (;;) {
    const auto end = buffer.find('\n', scanned);
    if (end != std::string::npos || buffer.size() > k_longest_line) {
      auto line = buffer.substr(0, end == std::string::npos ? buffer.size() : end);
      buffer.erase(0, end == std::string::npos ? buffer.size() : end + 1);
      scanned = 0;
      return line;
    }
    scanned = buffer.size();
    if (!read_more()) return std::nullopt;
  }
}

LogTail::LogTail(const asio::any_io_executor& executor, fs::path file, std::uint64_t offset)
    : impl_(std::make_unique<Impl>(executor, std::move(file), offset)) {}

LogTail::~LogTail() = default;

awaitable<std::string> LogTail::next_line() {
  for (;;) {
    if (auto line = impl_->take_line()) co_return std::move(*line);
    co_await impl_->watch.changed();
  }
}

std::optional<std::string> LogTail::try_line() {
  return impl_->take_line();
}

std::int64_t LogTail::position() const {
  return static_cast<std::int64_t>(impl_->offset) - static_cast<std::int64_t>(impl_->buffer.size());
}

std::string LogTail::rest() {
  do impl_->scanned = impl_->buffer.size();
  while (impl_->read_more());
  const auto line_end = impl_->buffer.rfind('\n');
  auto rest = impl_->buffer.substr(line_end == std::string::npos ? 0 : line_end + 1);
  impl_->buffer.erase(impl_->buffer.size() - rest.size());
  impl_->scanned = 0;
  return rest;
}

}  // namespace stackd::process
