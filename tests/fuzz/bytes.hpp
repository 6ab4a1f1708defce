// What the fuzz targets share.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace stackd::fuzz {

inline std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Something that must hold for whatever bytes there are: the fuzzer keeps those for which it does not.
inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// Gives the pieces of a stream as a socket may: the first byte decides how long they are.
template <class Feed>
void in_pieces(std::string_view bytes, const Feed& feed) {
  if (bytes.empty()) return;
  const std::size_t length = 1 + static_cast<unsigned char>(bytes.front()) % 16;
  for (bytes.remove_prefix(1); !bytes.empty(); bytes.remove_prefix(std::min(length, bytes.size())))
    feed(bytes.substr(0, length));
}

}  // namespace stackd::fuzz
