// Names and hashes. Pure but for random_hex.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace stackd::util {

// SHA-256 of text that comes in pieces.
class Sha256 {
public:
  Sha256();
  ~Sha256();
  void add(std::string_view text);
  std::string hex();  // 64 lower-case digits; nothing is added afterwards

private:
  struct State;
  std::unique_ptr<State> state_;
};
// SHA-256 of the text as 64 lower-case hex digits.
std::string sha256_hex(std::string_view text);
// `digits` hex digits from the kernel's random source.
std::string random_hex(std::size_t digits);

}  // namespace stackd::util
