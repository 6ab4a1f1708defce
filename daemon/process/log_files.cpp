#include "daemon/process/log_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "daemon/util/error.hpp"

namespace stackd::process {
namespace {

namespace fs = std::filesystem;
using log_times::Entry;
using log_times::k_entry_size;
using log_times::k_header_size;

constexpr std::size_t k_block = 64 * 1024;

std::string read_at(const util::Fd& fd, std::uint64_t offset, std::size_t most, const fs::path& path) {
  std::string text(most, '\0');
  std::size_t size = 0;
  while (size < most) {
    const auto n = ::pread(fd.get(), text.data() + size, most - size, static_cast<off_t>(offset + size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw util::system_error("cannot read log '" + path.string() + "'", errno);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  text.resize(size);
  return text;
}

util::Fd open_log(const fs::path& path) {
  util::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno != ENOENT && errno != ENOTDIR)
    throw util::system_error("cannot open log '" + path.string() + "'", errno);
  return fd;
}

fs::path times_path(const fs::path& log) {
  return log.string() + ".times";
}

struct Header {
  bool any = false;  // there is a file of times
  std::optional<log_times::Header> own;
};

Header header_of(const fs::path& log, std::uint64_t inode) {
  const auto fd = open_log(times_path(log));
  if (!fd) return {};
  const auto text = read_at(fd, 0, 2 * k_header_size, log);
  return {log_times::header_of(text).has_value(), log_times::header_for(text, inode)};
}

// The entries of a file of times, by number.
class Times {
public:
  Times(const fs::path& log, std::uint64_t inode) : log_(log), fd_(open_log(times_path(log))) {
    if (!fd_ || !log_times::header_for(read_at(fd_, 0, 2 * k_header_size, log_), inode)) return;
    struct stat about {};
    if (::fstat(fd_.get(), &about) != 0 || about.st_size < static_cast<off_t>(k_header_size)) return;
    count_ = (static_cast<std::size_t>(about.st_size) - k_header_size) / k_entry_size;
  }
  std::size_t count() const { return count_; }
  std::vector<Entry> entries(std::size_t from, std::size_t most) const {
    const auto text = read_at(fd_, k_header_size + from * k_entry_size, most * k_entry_size, log_);
    std::vector<Entry> found;
    for (std::size_t at = 0; at + k_entry_size <= text.size(); at += k_entry_size)
      found.push_back(log_times::entry_of(text.substr(at, k_entry_size)));
    return found;
  }
  // How many come before the first for which `later` holds, which then holds for all behind it.
  template <class Later>
  std::size_t before(Later later) const {
    std::size_t low = 0, high = count_;
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      const auto entry = entries(middle, 1);
      if (entry.empty() || later(entry.front()))
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  }

private:
  fs::path log_;
  util::Fd fd_;
  std::size_t count_ = 0;
};

std::size_t lines_in(std::string_view text, const std::string& uncounted) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    if (!uncounted.empty() && text.substr(at).starts_with(uncounted)) --count;
    const auto end = text.find('\n', at);
    if (end == std::string_view::npos) return count + 1;
    at = end + 1;
  }
  return count;
}

}  // namespace

std::vector<LogFiles::File> LogFiles::files() const {
  std::vector<File> found;
  for (int number = 0;; ++number) {
    File file;
    file.path = number == 0 ? log_ : fs::path(log_.string() + "." + std::to_string(number));
    // Between the two renames of a rotation a file has no header of its own, for a moment.
    for (int tries = 0;; ++tries) {
      file.fd = open_log(file.path);
      struct stat about {};
      if (!file.fd || ::fstat(file.fd.get(), &about) != 0) break;
      file.inode = about.st_ino;
      file.size = static_cast<std::uint64_t>(about.st_size);
      const auto header = header_of(file.path, file.inode);
      if (header.own) file.base = header.own->base;
      if (header.own || !header.any || tries == 20) break;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    if (!file.fd && number > 0) break;
    const bool twice =
        std::any_of(found.begin(), found.end(), [&](const auto& f) { return f.inode == file.inode; });
    if (file.fd && !twice) found.push_back(std::move(file));
  }
  // Somebody else's rotation has left no headers: then by their numbers.
  std::reverse(found.begin(), found.end());
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.base < b.base; });
  return found;
}

// Opens the file that holds the place, or the nearest one behind it. False when there is none.
bool LogFiles::turn_to(std::uint64_t& place, std::uint64_t& skipped) {
  auto all = files();
  if (all.empty()) return false;
  auto right = std::find_if(all.begin(), all.end(), [&](const auto& file) { return place < file.end(); });
  // Behind all: at the end of the newest, or it is another log now, and begins where it begins.
  if (right == all.end()) {
    right = all.end() - 1;
    if (place > right->end()) place = right->base;
  }
  if (place < right->base) {
    skipped += right->base - place;
    place = right->base;
  }
  open_ = std::move(*right);
  return true;
}

LogPiece LogFiles::read(std::uint64_t place, std::size_t most) {
  LogPiece piece;
  const auto before = open_.inode;
  for (bool again = true;; again = false) {
    const bool here = open_.fd && place >= open_.base;
    if (!here && !turn_to(place, piece.skipped)) break;
    piece.text = read_at(open_.fd, place - open_.base, most, open_.path);
    if (!piece.text.empty() || !again) break;
    // All of it was read: is it still the newest, and all of it still there?
    struct stat named {
    }, held{};
    const bool newest = ::stat(log_.c_str(), &named) == 0 && named.st_ino == open_.inode;
    const bool cut =
        ::fstat(open_.fd.get(), &held) == 0 && static_cast<std::uint64_t>(held.st_size) < place - open_.base;
    if (newest && !cut) break;
    if (cut) place = open_.base;
    open_ = File();
  }
  piece.place = place;
  piece.moved = open_.inode != before;
  const auto line_end = piece.text.rfind('\n');
  const bool full = piece.text.size() == most;
  if (line_end == std::string::npos && full) {
    piece.more = true;  // a part of a line that is longer
  } else {
    piece.more = full;
    const auto whole = line_end == std::string::npos ? 0 : line_end + 1;
    if (!full) piece.unfinished = piece.text.substr(whole);
    piece.text.erase(whole);
  }
  if (!piece.text.empty()) piece.times = times_of(piece.place, piece.end());
  return piece;
}

std::vector<Entry> LogFiles::times_of(std::uint64_t from, std::uint64_t to) const {
  const Times times(open_.path, open_.inode);
  if (times.count() == 0) return {};
  const auto first = times.before([&](const Entry& entry) { return entry.place > from; });
  const auto last = times.before([&](const Entry& entry) { return entry.place >= to; });
  const auto begin = first > 0 ? first - 1 : 0;
  return last > begin ? times.entries(begin, last - begin) : std::vector<Entry>();
}

std::uint64_t LogFiles::begin() {
  const auto all = files();
  return all.empty() ? 0 : all.front().base;
}

std::uint64_t LogFiles::end() {
  const auto all = files();
  return all.empty() ? 0 : all.back().end();
}

std::uint64_t LogFiles::last_lines(std::uint64_t count, bool whole, const std::string& uncounted) {
  const auto all = files();
  if (all.empty()) return 0;
  std::string text;  // from `at` on, only as much as the line at its beginning needs
  for (auto file = all.rbegin(); file != all.rend(); ++file) {
    for (auto left = file->size; left > 0;) {
      const auto size = std::min<std::uint64_t>(left, k_block);
      left -= size;
      text.insert(0, read_at(file->fd, left, size, file->path));
      if (whole && file == all.rbegin() && left + size == file->size) {
        const auto line_end = text.rfind('\n');
        text.erase(line_end == std::string::npos ? 0 : line_end + 1);
      }
      const auto at = file->base + left;
      const auto first_line = at == all.front().base ? 0 : text.find('\n') + 1;  // 0: none
      if (at != all.front().base && first_line == 0) continue;
      const std::string_view lines = std::string_view(text).substr(first_line);
      const auto found = lines_in(lines, uncounted);
      if (found < count) {
        count -= found;
        text.erase(first_line);
        continue;
      }
      // In this block: the lines before it are too many.
      std::size_t from = 0;
      const auto is_uncounted = [&] {
        return !uncounted.empty() && lines.substr(from).starts_with(uncounted);
      };
      for (auto surplus = found - count; from < lines.size() && (surplus > 0 || is_uncounted());) {
        if (!is_uncounted()) --surplus;
        const auto end = lines.find('\n', from);
        from = end == std::string_view::npos ? lines.size() : end + 1;
      }
      return at + first_line + from;
    }
  }
  return all.front().base;
}

std::uint64_t LogFiles::written_since(util::TimeMs at) {
  const auto all = files();
  for (const auto& file : all) {
    const Times times(file.path, file.inode);
    const auto first = times.before([&](const Entry& entry) { return entry.at >= at; });
    if (first < times.count()) {
      const auto entry = times.entries(first, 1);
      if (!entry.empty()) return entry.front().place;
    }
    struct stat about {};
    const bool unknown = times.count() == 0 && file.size > 0;
    if (unknown && ::fstat(file.fd.get(), &about) == 0 && about.st_mtim.tv_sec * 1000 + 999 >= at)
      return file.base;
  }
  return all.empty() ? 0 : all.back().end();
}

std::string newest_line(const fs::path& log) {
  const auto fd = open_log(log);
  struct stat about {};
  if (!fd || ::fstat(fd.get(), &about) != 0) return "";
  const auto size = static_cast<std::uint64_t>(about.st_size);
  auto text = read_at(fd, size - std::min<std::uint64_t>(size, k_block), k_block, log);
  const auto end = text.rfind('\n');
  if (end == std::string::npos) return "";
  const auto before = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  return text.substr(before == std::string::npos ? 0 : before + 1,
                     end - (before == std::string::npos ? 0 : before + 1));
}

std::string log_tail(const fs::path& log, std::size_t most) {
  LogFiles files(log);
  const auto end = files.end(), begin = files.begin();
  auto place = end - std::min<std::uint64_t>(end - begin, most);
  std::string text;
  while (place < end) {
    const auto piece = files.read(place, k_block);
    text += piece.text + piece.unfinished;
    if (piece.text.empty()) break;
    place = piece.end();
  }
  return text;
}

}  // namespace stackd::process
