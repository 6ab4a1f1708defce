#include "client/tar.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace stackd::client {
namespace {

constexpr std::size_t k_block = 512;
constexpr std::size_t k_longest_extra = 1 << 20;
constexpr std::int64_t k_most_octal = (std::int64_t{1} << 33) - 1;  // eleven digits

// The fields of a header (POSIX.1-2001, ustar): where each begins, and how long it is.
struct Field {
  std::size_t at, size;
};
constexpr Field k_name{0, 100}, k_mode{100, 8}, k_uid{108, 8}, k_gid{116, 8}, k_size{124, 12},
    k_mtime{136, 12}, k_checksum{148, 8}, k_type{156, 1}, k_link{157, 100}, k_magic{257, 8}, k_major{329, 8},
    k_minor{337, 8}, k_prefix{345, 155};

constexpr std::string_view k_kinds = "0123456";  // in the order of TarEntry::Kind

void put_octal(std::string& block, Field field, std::uint64_t value) {
  for (std::size_t i = field.size - 1; i-- > 0; value >>= 3)
    block[field.at + i] = static_cast<char>('0' + (value & 7));
}

void put_text(std::string& block, Field field, std::string_view text) {
  std::memcpy(block.data() + field.at, text.data(), std::min(field.size, text.size()));
}

std::string_view text_at(const std::string& block, Field field) {
  const auto text = std::string_view(block).substr(field.at, field.size);
  return text.substr(0, text.find('\0'));
}

// Octal digits; or, where these do not reach, the number itself with its highest bit set, as GNU has it.
std::int64_t number_at(const std::string& block, Field field) {
  const auto text = std::string_view(block).substr(field.at, field.size);
  if (static_cast<unsigned char>(text[0]) & 0x80) {
    std::uint64_t value = static_cast<unsigned char>(text[0]) & 0x7f;
    for (const char c : text.substr(1)) value = value << 8 | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(value);
  }
  std::int64_t value = 0;
  for (const char c : text)
    if (c >= '0' && c <= '7') value = value << 3 | (c - '0');
  return value;
}

unsigned checksum_of(const std::string& block) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < k_block; ++i) {
    const bool own = i >= k_checksum.at && i < k_checksum.at + k_checksum.size;
    sum += own ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

std::string block_of(const TarEntry& entry, char type, std::string_view name) {
  std::string block(k_block, '\0');
  put_text(block, k_name, name);
  put_octal(block, k_mode, entry.mode & 07777);
  put_octal(block, k_uid, std::min<std::uint64_t>(entry.uid, 07777777));
  put_octal(block, k_gid, std::min<std::uint64_t>(entry.gid, 07777777));
  put_octal(block, k_size, static_cast<std::uint64_t>(std::min(entry.size, k_most_octal)));
  put_octal(block, k_mtime,
            static_cast<std::uint64_t>(std::clamp<std::int64_t>(entry.modified, 0, k_most_octal)));
  block[k_type.at] = type;
  put_text(block, k_link, entry.link);
  put_text(block, k_magic, std::string_view("ustar\00000", 8));
  put_octal(block, k_major, entry.major);
  put_octal(block, k_minor, entry.minor);
  auto sum = checksum_of(block);
  for (std::size_t i = 6; i-- > 0; sum >>= 3) block[k_checksum.at + i] = static_cast<char>('0' + (sum & 7));
  block[k_checksum.at + 6] = '\0';
  block[k_checksum.at + 7] = ' ';
  return block;
}

// "<length> <key>=<value>\n", whose length counts itself.
std::string pax_record(const std::string& key, const std::string& value) {
  const auto rest = " " + key + "=" + value + "\n";
  auto length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length)
    length = std::to_string(length).size() + rest.size();
  return std::to_string(length) + rest;
}

}  // namespace

std::string tar_padding(std::int64_t size) {
  return std::string(static_cast<std::size_t>((k_block - size % k_block) % k_block), '\0');
}

std::string tar_end() {
  return std::string(2 * k_block, '\0');
}

std::string tar_header(const TarEntry& entry) {
  std::string more;
  if (entry.name.size() > k_name.size) more += pax_record("path", entry.name);
  if (entry.link.size() > k_link.size) more += pax_record("linkpath", entry.link);
  if (entry.size > k_most_octal) more += pax_record("size", std::to_string(entry.size));
  if (entry.uid > 07777777) more += pax_record("uid", std::to_string(entry.uid));
  if (entry.gid > 07777777) more += pax_record("gid", std::to_string(entry.gid));
  if (entry.nanoseconds != 0 && entry.modified >= 0)
    more += pax_record("mtime", std::to_string(entry.modified) + "." +
                                    std::to_string(1'000'000'000 + entry.nanoseconds).substr(1));
  std::string text;
  if (!more.empty()) {
    TarEntry extra;
    extra.size = static_cast<std::int64_t>(more.size());
    text = block_of(extra, 'x', "PaxHeaders/" + entry.name.substr(0, 80)) + more + tar_padding(extra.size);
  }
  return text + block_of(entry, k_kinds[static_cast<std::size_t>(entry.kind)], entry.name);
}

void TarReader::feed(std::string_view bytes) {
  while (!bytes.empty() && !ended_) {
    if (left_ > 0) {
      const auto size =
          static_cast<std::size_t>(std::min<std::int64_t>(left_, static_cast<std::int64_t>(bytes.size())));
      take_data(bytes.substr(0, size));
      bytes.remove_prefix(size);
      left_ -= static_cast<std::int64_t>(size);
      if (left_ == 0) finish_data();
    } else if (padding_ > 0) {
      const auto size = std::min<std::size_t>(static_cast<std::size_t>(padding_), bytes.size());
      bytes.remove_prefix(size);
      padding_ -= static_cast<std::int64_t>(size);
    } else {
      const auto size = std::min(k_block - block_.size(), bytes.size());
      block_ += bytes.substr(0, size);
      bytes.remove_prefix(size);
      if (block_.size() == k_block) take_header();
    }
  }
}

void TarReader::take_header() {
  const std::string block = std::exchange(block_, {});
  if (block.find_first_not_of('\0') == std::string::npos) {
    ended_ = ++zero_blocks_ == 2;
    return;
  }
  zero_blocks_ = 0;
  if (static_cast<unsigned>(number_at(block, k_checksum)) != checksum_of(block))
    throw std::runtime_error("what came is no tar archive");
  left_ = number_at(block, k_size);
  const char type = block[k_type.at];
  if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
    if (left_ < 0 || left_ > static_cast<std::int64_t>(k_longest_extra))
      throw std::runtime_error("an entry of the tar archive says too much of itself");
    extra_kind_ = type;
    padding_ = static_cast<std::int64_t>(tar_padding(left_).size());
    if (left_ == 0) finish_data();
    return;
  }
  const auto said = std::exchange(said_, {});
  const auto say = [&](const char* key, std::string_view otherwise) {
    const auto found = said.find(key);
    return found == said.end() ? std::string(otherwise) : found->second;
  };
  const auto say_number = [&](const char* key, std::int64_t otherwise) {
    const auto found = said.find(key);
    return found == said.end() ? otherwise : std::strtoll(found->second.c_str(), nullptr, 10);
  };
  TarEntry entry;
  std::string name(text_at(block, k_name));
  const bool posix = std::string_view(block).substr(k_magic.at, 6) == std::string_view("ustar\0", 6);
  if (const auto prefix = text_at(block, k_prefix); posix && !prefix.empty())
    name = std::string(prefix) + "/" + name;
  entry.name = say("path", name);
  entry.link = say("linkpath", text_at(block, k_link));
  entry.size = say_number("size", left_);
  entry.mode = static_cast<unsigned>(number_at(block, k_mode)) & 07777;
  entry.uid = static_cast<unsigned>(say_number("uid", number_at(block, k_uid)));
  entry.gid = static_cast<unsigned>(say_number("gid", number_at(block, k_gid)));
  entry.major = static_cast<unsigned>(number_at(block, k_major));
  entry.minor = static_cast<unsigned>(number_at(block, k_minor));
  entry.modified = say_number("mtime", number_at(block, k_mtime));
  const auto kind = k_kinds.find(type == '\0' || type == '7' ? '0' : type);
  if (kind == std::string_view::npos)
    throw std::runtime_error("the tar archive has an entry of a kind that is not known: " + entry.name);
  entry.kind = static_cast<TarEntry::Kind>(kind);
  // As old archives have them.
  if (entry.kind == TarEntry::Kind::file && entry.name.ends_with("/")) entry.kind = TarEntry::Kind::directory;
  if (entry.kind != TarEntry::Kind::file) entry.size = 0;
  if (entry.size < 0) throw std::runtime_error("what came is no tar archive");
  left_ = entry.size;
  padding_ = static_cast<std::int64_t>(tar_padding(left_).size());
  in_entry_ = true;
  sink_.entry(entry);
  if (left_ == 0) finish_data();
}

void TarReader::take_data(std::string_view bytes) {
  if (extra_kind_ != 0)
    extra_ += bytes;
  else
    sink_.data(bytes);
}

void TarReader::finish_data() {
  if (extra_kind_ != 0) {
    take_extra();
    return;
  }
  in_entry_ = false;
  sink_.entry_end();
}

void TarReader::take_extra() {
  const std::string extra = std::exchange(extra_, {});
  const char kind = std::exchange(extra_kind_, '\0');
  if (kind == 'L' || kind == 'K') {
    said_[kind == 'L' ? "path" : "linkpath"] = extra.substr(0, extra.find('\0'));
    return;
  }
  if (kind == 'g') return;  // of all entries: nothing that matters here
  for (std::string_view rest = extra; !rest.empty();) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    const auto digits = static_cast<std::size_t>(end - rest.data());
    if (error != std::errc() || length <= digits + 1 || length > rest.size() || rest[digits] != ' ')
      throw std::runtime_error("what came is no tar archive");
    const auto record = rest.substr(digits + 1, length - digits - 2);
    rest.remove_prefix(length);
    if (const auto equals = record.find('='); equals != std::string_view::npos)
      said_[std::string(record.substr(0, equals))] = std::string(record.substr(equals + 1));
  }
}

}  // namespace stackd::client
