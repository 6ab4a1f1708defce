#include "daemon/docker/piece_queue.hpp"

#include <boost/asio/post.hpp>
#include <optional>

namespace stackd::docker {

PieceQueue::PieceQueue(asio::any_io_executor executor, std::size_t most_pieces)
    : executor_(executor), most_pieces_(most_pieces), changed_(executor) {}

bool PieceQueue::push(std::string piece) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return closed_ || pieces_.size() < most_pieces_; });
  if (closed_) return false;
  pieces_.push_back(std::move(piece));
  if (pieces_.size() == 1) wake_reader();
  return true;
}

void PieceQueue::finish(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  error_ = std::move(error);
  if (!closed_) wake_reader();
}

// Under the lock, so that close() returns only when nothing more is posted: the loop may go away after it.
void PieceQueue::wake_reader() {
  asio::post(executor_, [self = shared_from_this()] { self->changed_.notify(); });
}

awaitable<std::string> PieceQueue::pop(std::shared_ptr<PieceQueue> queue) {
  for (;;) {
    {
      const std::lock_guard lock(queue->mutex_);
      if (!queue->pieces_.empty()) {
        auto piece = std::move(queue->pieces_.front());
        queue->pieces_.pop_front();
        queue->room_.notify_one();
        co_return piece;
      }
      if (queue->error_) std::rethrow_exception(queue->error_);
      if (queue->finished_) co_return std::string();
    }
    co_await queue->changed_.wait();
  }
}

void PieceQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  pieces_.clear();
  room_.notify_one();
}

}  // namespace stackd::docker
