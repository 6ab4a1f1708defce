#include "daemon/docker/streams.hpp"

#include <algorithm>

#include "daemon/docker/json_fields.hpp"
#include "daemon/util/error.hpp"

namespace stackd::docker {
namespace {

constexpr std::uint8_t k_stderr = 2;
constexpr std::uint8_t k_system_error = 3;

}  // namespace

Demux::Demux(bool tty, Sink sink) : sink_(std::move(sink)), tty_(tty) {}

void Demux::feed(std::string_view piece) {
  if (tty_) {
    if (!piece.empty()) sink_(Stream::out, piece);
    return;
  }
  while (!piece.empty()) {
    if (left_ == 0) {
      const auto count = std::min(header_.size() - header_size_, piece.size());
      std::copy_n(piece.begin(), count, header_.begin() + header_size_);
      header_size_ += count;
      piece.remove_prefix(count);
      if (header_size_ == header_.size()) begin_frame();
      continue;
    }
    const auto data = piece.substr(0, left_);
    left_ -= static_cast<std::uint32_t>(data.size());
    piece.remove_prefix(data.size());
    if (stream_ != k_system_error) {
      sink_(stream_ == k_stderr ? Stream::err : Stream::out, data);
      continue;
    }
    system_error_ += data;
    if (left_ == 0)
      throw util::Error(util::ErrorKind::engine, "the engine broke off its output: " + system_error_);
  }
}

void Demux::begin_frame() {
  if (header_[0] > k_system_error || header_[1] != 0 || header_[2] != 0 || header_[3] != 0)
    throw util::Error(util::ErrorKind::engine, "the engine's output has no frames where it should have");
  stream_ = header_[0];
  left_ = std::uint32_t{header_[4]} << 24 | std::uint32_t{header_[5]} << 16 | std::uint32_t{header_[6]} << 8 |
          header_[7];
  header_size_ = 0;
}

void Lines::feed(std::string_view piece) {
  for (auto end = piece.find('\n'); end != piece.npos; end = piece.find('\n')) {
    if (partial_.empty()) {
      emit(piece.substr(0, end));
    } else {
      partial_ += piece.substr(0, end);
      emit(partial_);
      partial_.clear();
    }
    piece.remove_prefix(end + 1);
  }
  partial_ += piece;
  if (partial_.size() >= longest_) finish();
}

void Lines::finish() {
  if (partial_.empty()) return;
  emit(partial_);
  partial_.clear();
}

void Lines::emit(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  sink_(line);
}

std::optional<Message> parse_message(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Message message;
  message.stream = text(json, "stream");
  message.status = text(json, "status");
  message.id = text(json, "id");
  message.error = text(json, "error");
  if (message.error.empty()) message.error = text(field(json, "errorDetail"), "message");
  message.aux_id = text(field(json, "aux"), "ID");
  return message;
}

}  // namespace stackd::docker
