#include "daemon/http/stream_writer.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

namespace stackd::http {
namespace {

constexpr std::size_t k_high_water = 64 * 1024;

std::string hex(std::size_t value) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return std::string(digits.data(), end);
}

}  // namespace

StreamWriter::StreamWriter(asio::generic::stream_protocol::socket& socket, Mode mode)
    : socket_(socket), mode_(mode), appended_(socket.get_executor()), flushed_(socket.get_executor()) {}

void StreamWriter::start(std::string content_type, Headers headers) {
  started_ = true;
  pending_ = "HTTP/1.1 200 OK\r\nContent-Type: " + content_type +
             "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  for (const auto& [name, value] : headers) pending_ += name + ": " + value + "\r\n";
  if (mode_.chunked) pending_ += "Transfer-Encoding: chunked\r\n";
  if (!mode_.chunked || !mode_.keep_alive) pending_ += "Connection: close\r\n";
  pending_ += "\r\n";
  appended_.notify();
  if (mode_.head_only) throw HeadDone{};
}

awaitable<void> StreamWriter::write(std::string text) {
  if (text.empty()) co_return;  // an empty chunk would be the last
  while (pending_.size() > k_high_water) co_await flushed_.wait();
  if (mode_.chunked) {
    pending_ += hex(text.size());
    pending_ += "\r\n";
  }
  pending_ += text;
  if (mode_.chunked) pending_ += "\r\n";
  appended_.notify();
}

void StreamWriter::end() {
  if (mode_.chunked && !mode_.head_only) pending_ += "0\r\n\r\n";
  appended_.notify();
}

awaitable<void> StreamWriter::drained() {
  while (writing_ || !pending_.empty()) co_await flushed_.wait();
}

awaitable<void> StreamWriter::flush() {
  for (;;) {
    if (pending_.empty()) {
      co_await appended_.wait();
      continue;
    }
    const std::string batch = std::exchange(pending_, {});
    writing_ = true;
    auto [error, written] =
        co_await asio::async_write(socket_, asio::buffer(batch), asio::as_tuple(use_awaitable));
    writing_ = false;
    if (error) co_return;
    flushed_.notify();
  }
}

}  // namespace stackd::http
