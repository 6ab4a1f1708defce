// How ssh writes values: numbers of four bytes, strings with their length before them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stackd::builder {

inline std::string ssh_number(std::uint32_t value) {
  std::string bytes(4, '\0');
  for (int i = 0; i < 4; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(value >> (24 - 8 * i));
  return bytes;
}

inline std::string ssh_string(std::string_view text) {
  return ssh_number(static_cast<std::uint32_t>(text.size())).append(text);
}

// A number without a sign: no zeros before it, but for one that keeps it from being negative.
inline std::string ssh_positive(std::string_view bytes) {
  while (!bytes.empty() && bytes.front() == '\0') bytes.remove_prefix(1);
  const bool high = !bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 0x80U) != 0;
  return ssh_string((high ? std::string(1, '\0') : std::string()).append(bytes));
}

// Reads one after another; what is not there is empty, and good() says so from then on.
class SshReader {
public:
  explicit SshReader(std::string_view bytes) : rest_(bytes) {}
  bool good() const { return good_; }
  std::string_view rest() const { return rest_; }
  std::uint32_t number() {
    const auto bytes = take(4);
    std::uint32_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
  }
  std::string_view string() { return take(number()); }
  std::string_view take(std::size_t size) {
    if (!good_ || size > rest_.size()) {
      good_ = false;
      return {};
    }
    const auto bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace stackd::builder
