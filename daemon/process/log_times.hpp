// "<log>.times" beside a log: where in all that was ever written its file begins, and when each part of it
// was written. Plain text of fixed widths, so that it can be searched by halves:
//
//   stackd-log 1 inode=<20 digits> base=<20 digits>\n      the file it belongs to, and its first byte's place
//   <20 digits> <13 digits>\n                              from this place on: written at these ms of the
//   epoch
//
// Written by the shim, read by the daemon; standard library only.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace stackd::process::log_times {

struct Header {
  std::uint64_t inode = 0, base = 0;
};
struct Entry {
  std::uint64_t place = 0;
  std::int64_t at = 0;
};

constexpr std::size_t k_header_size = 66, k_entry_size = 35;
// A line of a service's log is not longer: the shim cuts it.
constexpr std::size_t k_longest_line = 64 * 1024;

inline std::string text_of(const Header& header) {
  char text[80];
  std::snprintf(text, sizeof text, "stackd-log 1 inode=%020llu base=%020llu\n",
                static_cast<unsigned long long>(header.inode), static_cast<unsigned long long>(header.base));
  return text;
}

inline std::string text_of(const Entry& entry) {
  char text[48];
  std::snprintf(text, sizeof text, "%020llu %013lld\n", static_cast<unsigned long long>(entry.place),
                static_cast<long long>(entry.at));
  return text;
}

inline std::optional<Header> header_of(const std::string& text) {
  constexpr std::string_view k_first = "stackd-log 1 inode=", k_second = " base=";
  if (text.size() < k_header_size || text.compare(0, k_first.size(), k_first) != 0) return std::nullopt;
  if (text.compare(k_first.size() + 20, k_second.size(), k_second) != 0) return std::nullopt;
  const char* numbers = text.c_str() + k_first.size();
  return Header{std::strtoull(numbers, nullptr, 10),
                std::strtoull(numbers + 20 + k_second.size(), nullptr, 10)};
}

// Of the file with this inode, in the beginning of the text.
inline std::optional<Header> header_for(const std::string& text, std::uint64_t inode) {
  for (const std::size_t at : {std::size_t{0}, k_header_size}) {
    if (text.size() < at + k_header_size) break;
    const auto header = header_of(text.substr(at, k_header_size));
    if (header && header->inode == inode) return header;
  }
  return std::nullopt;
}

inline Entry entry_of(const std::string& text) {
  return {std::strtoull(text.c_str(), nullptr, 10), text.size() > 21 ? std::atoll(text.c_str() + 21) : 0};
}

}  // namespace stackd::process::log_times
