#include "proto/frames.hpp"

#include <stdexcept>

namespace stackd::proto {
namespace {

constexpr std::size_t k_head = 8;

}  // namespace

std::string frame(Frame kind, std::string_view data) {
  const auto size = static_cast<std::uint32_t>(data.size());
  std::string text(k_head, '\0');
  text[0] = static_cast<char>(kind);
  for (int i = 0; i < 4; ++i) text[4 + i] = static_cast<char>(size >> (24 - 8 * i) & 0xff);
  text += data;
  return text;
}

std::optional<FrameReader::Read> FrameReader::next() {
  if (pending_.size() < k_head) return std::nullopt;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(pending_[at]); };
  const std::size_t size =
      std::size_t{byte(4)} << 24 | std::size_t{byte(5)} << 16 | std::size_t{byte(6)} << 8 | byte(7);
  if (byte(0) > k_last_frame || byte(1) != 0 || byte(2) != 0 || byte(3) != 0)
    throw std::runtime_error("what came is no frame");
  if (size > k_longest_frame) throw std::runtime_error("a frame is longer than 1 MB");
  if (pending_.size() < k_head + size) return std::nullopt;
  Read read{static_cast<Frame>(byte(0)), pending_.substr(k_head, size)};
  pending_.erase(0, k_head + size);
  return read;
}

}  // namespace stackd::proto
