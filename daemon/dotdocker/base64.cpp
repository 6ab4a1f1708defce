#include "daemon/dotdocker/base64.hpp"

#include <array>
#include <cstdint>

namespace stackd::dotdocker {
namespace {

constexpr std::string_view k_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char digit(unsigned value, Alphabet alphabet) {
  if (alphabet == Alphabet::url && value == 62) return '-';
  if (alphabet == Alphabet::url && value == 63) return '_';
  return k_digits[value];
}

std::optional<unsigned> value_of(char c) {
  if (c == '-') c = '+';
  if (c == '_') c = '/';
  const auto at = k_digits.find(c);
  return at == k_digits.npos ? std::nullopt : std::optional(static_cast<unsigned>(at));
}

}  // namespace

std::string to_base64(std::string_view bytes, Alphabet alphabet) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto part = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < part.size() ? static_cast<unsigned char>(part[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      text += i <= part.size() ? digit(bits >> (18 - 6 * i) & 63U, alphabet) : '=';
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned known = 0;
  for (const char c : text) {
    const auto value = value_of(c);
    if (!value) return std::nullopt;
    bits = bits << 6 | *value;
    known += 6;
    if (known < 8) continue;
    known -= 8;
    bytes += static_cast<char>(bits >> known & 255U);
  }
  return bytes;
}

}  // namespace stackd::dotdocker
