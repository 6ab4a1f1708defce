// What is kept of a hook's output while it runs: its end, and its newest line.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "daemon/async/signal.hpp"

namespace stackd::hooks {

// The newest `limit` bytes of what was appended, cut at a line.
class NewestBytes {
public:
  explicit NewestBytes(std::size_t limit) : limit_(limit) {}
  void append(std::string_view piece);
  std::string text() const;

private:
  std::size_t limit_;
  std::string kept_;
};

// The newest line, told to whoever watches: at once, but not each of a hundred thousand. Control thread.
class NewestLine {
public:
  explicit NewestLine(const asio::any_io_executor& executor) : changed_(executor) {}
  // The last line of this piece of output, whole or not, becomes the newest.
  void take(std::string_view piece);
  // Hands it on whenever it has changed, for ever.
  awaitable<void> tell(std::function<void(const std::string&)> on_line);

private:
  async::Signal changed_;
  std::string line_;
  bool fresh_ = false;
};

// Between two lines that are told.
constexpr std::chrono::milliseconds k_line_pause{50};

}  // namespace stackd::hooks
