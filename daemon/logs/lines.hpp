// Lines: a bounded queue of log lines. Producers put lines in, one consumer takes them out; who is too fast
// waits. Control thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "daemon/async/signal.hpp"
#include "proto/types.hpp"

namespace stackd::logs {

struct Line {
  std::string time;  // what it is merged by; "" unknown: with the one before it
  proto::LogLine line;
  bool alone = false;  // a mark that is to be shown although nothing stands before it
};

class Lines {
public:
  explicit Lines(const asio::any_io_executor& executor, std::size_t most = 256 << 10)
      : most_(most), changed_(executor) {}
  awaitable<void> put(Line line) {
    while (bytes_ > most_) co_await changed_.wait();
    bytes_ += size_of(line);
    waiting_.push_back(std::move(line));
    changed_.notify();
    if (++put_ % k_lines_a_turn == 0) co_await async::next_turn();
  }
  void join() { ++producers_; }
  void leave() {
    --producers_;
    changed_.notify();
  }
  // Nothing once all producers have left.
  awaitable<std::optional<Line>> take() {
    while (waiting_.empty() && producers_ > 0) co_await changed_.wait();
    if (waiting_.empty()) co_return std::nullopt;
    auto line = std::move(waiting_.front());
    waiting_.pop_front();
    bytes_ -= size_of(line);
    changed_.notify();
    if (++taken_ % k_lines_a_turn == 0) co_await async::next_turn();
    co_return line;
  }

private:
  static constexpr int k_lines_a_turn = 200;
  static std::size_t size_of(const Line& line) { return line.line.text.size() + sizeof line; }
  std::size_t most_;
  std::deque<Line> waiting_;
  std::size_t bytes_ = 0, producers_ = 0;
  std::uint64_t put_ = 0, taken_ = 0;
  async::Signal changed_;
};

}  // namespace stackd::logs
