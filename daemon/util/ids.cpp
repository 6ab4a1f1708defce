#include "daemon/util/ids.hpp"

#include <sha256.h>
#include <sys/random.h>

#include <array>
#include <cerrno>

#include "daemon/util/error.hpp"

namespace stackd::util {
namespace {

std::string to_hex(const unsigned char* bytes, std::size_t count) {
  static constexpr char k_digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += k_digits[bytes[i] >> 4];
    text += k_digits[bytes[i] & 15];
  }
  return text;
}

}  // namespace

struct Sha256::State {
  SHA2_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  SHA256Init(&state_->context);
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view text) {
  SHA256Update(&state_->context, reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

std::string Sha256::hex() {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256Final(digest.data(), &state_->context);
  return to_hex(digest.data(), digest.size());
}

std::string sha256_hex(std::string_view text) {
  Sha256 sum;
  sum.add(text);
  return sum.hex();
}

std::string random_hex(std::size_t digits) {
  std::array<unsigned char, 64> bytes{};
  const auto wanted = (digits + 1) / 2;
  if (wanted > bytes.size()) throw Error(ErrorKind::internal, "cannot make a random id that long");
  if (::getrandom(bytes.data(), wanted, 0) != static_cast<ssize_t>(wanted))
    throw system_error("cannot read random bytes", errno);
  return to_hex(bytes.data(), wanted).substr(0, digits);
}

}  // namespace stackd::util
