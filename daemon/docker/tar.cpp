#include "daemon/docker/tar.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "daemon/docker/context.hpp"
#include "daemon/util/error.hpp"

namespace stackd::docker {
namespace {

constexpr std::size_t k_memory_block = 10 * 1024;
constexpr std::size_t k_record = 512;
constexpr char k_long_name = 'L', k_long_link = 'K';

// The head of an entry. GNU's tar, not pax: it takes names as the bytes they are, whatever the daemon's
// locale.
class Head {
public:
  static constexpr std::size_t k_name = 100;  // the longest name that fits; of a link's target too

  Head(char type, std::string_view name) {
    text(0, k_name, name);
    bytes_[156] = type;
    text(257, 8, "ustar  ");
  }
  Head& mode(mode_t mode) { return number(100, 8, mode & 07777); }
  Head& owner(int uid, int gid) { return number(108, 8, uid).number(116, 8, gid); }
  Head& size(std::int64_t size) { return number(124, 12, size); }
  Head& mtime(std::int64_t at) { return number(136, 12, at); }
  Head& link(std::string_view target) {
    text(157, k_name, target);
    return *this;
  }
  std::string_view done() {
    std::fill_n(bytes_.begin() + 148, 8, ' ');
    unsigned sum = 0;
    for (const char byte : bytes_) sum += static_cast<unsigned char>(byte);
    octal(148, 6, sum);
    bytes_[154] = '\0';
    return {bytes_.data(), bytes_.size()};
  }

private:
  void text(std::size_t at, std::size_t most, std::string_view value) {
    value.copy(bytes_.data() + at, std::min(most, value.size()));
  }
  void octal(std::size_t at, std::size_t digits, std::uint64_t value) {
    for (; digits > 0; value /= 8) bytes_[at + --digits] = static_cast<char>('0' + value % 8);
  }
  // In octal with an end; what has too many digits for that, and what is negative, in binary.
  Head& number(std::size_t at, std::size_t width, std::int64_t value) {
    const bool fits = value >= 0 && value < std::int64_t{1} << 3 * (width - 1);
    if (fits) {
      octal(at, width - 1, static_cast<std::uint64_t>(value));
      return *this;
    }
    for (std::size_t place = width; place > 0; value >>= 8)
      bytes_[at + --place] = static_cast<char>(value & 0xff);
    bytes_[at] = static_cast<char>(bytes_[at] | 0x80);
    return *this;
  }
  std::array<char, k_record> bytes_{};
};

char type_of(mode_t mode) {
  return S_ISDIR(mode) ? '5' : S_ISLNK(mode) ? '2' : '0';
}

std::int64_t padding_of(std::int64_t size) {
  constexpr auto k_size = static_cast<std::int64_t>(k_record);
  return (k_size - size % k_size) % k_size;
}

}  // namespace

TarWriter::TarWriter(Output output, std::size_t block_size)
    : output_(std::move(output)), block_size_(block_size) {}

void TarWriter::begin(const Entry& entry) {
  end_entry();
  path_ = entry.path;
  auto name = entry.path;
  if (S_ISDIR(entry.mode) && !name.ends_with('/')) name += '/';
  const auto size = S_ISREG(entry.mode) ? entry.size : 0;
  if (entry.link.size() > Head::k_name) long_name(k_long_link, entry.link);
  if (name.size() > Head::k_name) long_name(k_long_name, name);
  Head head(type_of(entry.mode), name);
  head.mode(entry.mode).owner(entry.uid, entry.gid).size(size).mtime(entry.mtime);
  if (S_ISLNK(entry.mode)) head.link(entry.link);
  write(head.done());
  missing_ = size;
  padding_ = padding_of(size);
}

// An entry of its own before the one whose name is too long for its head.
void TarWriter::long_name(char type, std::string_view name) {
  const auto size = static_cast<std::int64_t>(name.size()) + 1;
  write(Head(type, "././@LongLink").mode(0).owner(0, 0).size(size).mtime(0).done());
  write(name);
  zeros(1 + padding_of(size));
}

void TarWriter::data(std::string_view bytes) {
  bytes = bytes.substr(0, static_cast<std::size_t>(missing_));
  missing_ -= static_cast<std::int64_t>(bytes.size());
  write(bytes);
}

void TarWriter::end_entry() {
  zeros(missing_ + padding_);
  missing_ = padding_ = 0;
}

void TarWriter::file(Entry entry, std::string_view text) {
  entry.mode = S_IFREG | (entry.mode & 07777);
  entry.size = static_cast<std::int64_t>(text.size());
  begin(entry);
  data(text);
}

void TarWriter::close() {
  end_entry();
  path_ = "end";
  zeros(2 * k_record);
  if (!block_.empty()) hand_over(block_);
  block_.clear();
}

void TarWriter::zeros(std::int64_t count) {
  static constexpr std::array<char, k_record> k_zeros{};
  for (; count > 0; count -= static_cast<std::int64_t>(k_record))
    write({k_zeros.data(), std::min(k_record, static_cast<std::size_t>(count))});
}

void TarWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, block_size_ - block_.size());
    block_ += part;
    bytes.remove_prefix(part.size());
    if (block_.size() < block_size_) continue;
    hand_over(block_);
    block_.clear();
  }
}

void TarWriter::hand_over(std::string_view block) {
  if (!output_(block))
    throw util::Error(util::ErrorKind::io, "cannot write the tar (" + path_ + "): nobody reads it");
}

std::string make_tar(const std::map<std::string, TarFile>& files) {
  std::string result;
  TarWriter writer(
      [&result](std::string_view block) {
        result += block;
        return true;
      },
      k_memory_block);
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  for (const auto& [path, file] : files) {
    TarWriter::Entry entry{path, static_cast<mode_t>(file.mode), 0, now, "", file.uid, file.gid};
    // Relative to where the archive is put.
    entry.path.erase(0, entry.path.find_first_not_of('/'));
    writer.file(std::move(entry), file.text);
  }
  writer.close();
  return result;
}

}  // namespace stackd::docker
