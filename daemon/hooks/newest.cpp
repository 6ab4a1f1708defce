#include "daemon/hooks/newest.hpp"

#include <algorithm>

namespace stackd::hooks {
namespace {

constexpr std::size_t k_longest_line = 4096;  // of one that is told

}  // namespace

void NewestBytes::append(std::string_view piece) {
  if (piece.size() > 2 * limit_) piece.remove_prefix(piece.size() - 2 * limit_);
  kept_.append(piece);
  if (kept_.size() > 2 * limit_) kept_.erase(0, kept_.size() - limit_);
}

std::string NewestBytes::text() const {
  if (kept_.size() <= limit_) return kept_;
  const auto newline = kept_.find('\n', kept_.size() - limit_);
  return newline == std::string::npos ? kept_.substr(kept_.size() - limit_) : kept_.substr(newline + 1);
}

void NewestLine::take(std::string_view piece) {
  const auto end = piece.find_last_not_of("\r\n");
  if (end == std::string_view::npos) return;
  const auto before = piece.find_last_of('\n', end);
  const auto begin = before == std::string_view::npos ? 0 : before + 1;
  line_ = piece.substr(begin, std::min(end + 1 - begin, k_longest_line));
  fresh_ = true;
  changed_.notify();
}

awaitable<void> NewestLine::tell(std::function<void(const std::string&)> on_line) {
  for (;;) {
    while (!fresh_) co_await changed_.wait();
    fresh_ = false;
    on_line(line_);
    co_await async::sleep_for(k_line_pause);
  }
}

}  // namespace stackd::hooks
