// Names and hashes. Pure but for random_hex.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stackd::util {

// SHA-256 of the text as 64 lower-case hex digits.
std::string sha256_hex(std::string_view text);
// `digits` hex digits from the kernel's random source.
std::string random_hex(std::size_t digits);

}  // namespace stackd::util
