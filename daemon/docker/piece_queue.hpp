// PieceQueue: pieces of bytes from a worker thread to a coroutine, never more than a few at a time. The one
// place in docker/ with a lock: the queue belongs to both threads, nothing else does.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>

#include "daemon/async/asio.hpp"
#include "daemon/async/signal.hpp"

namespace stackd::docker {

class PieceQueue : public std::enable_shared_from_this<PieceQueue> {
public:
  PieceQueue(asio::any_io_executor executor, std::size_t most_pieces);

  // Worker thread. push waits for room; false when the reader is gone. finish is the last call, with an error
  // or none.
  bool push(std::string piece);
  void finish(std::exception_ptr error);

  // Control thread. The next piece, empty after the last; throws what finish was given.
  static awaitable<std::string> pop(std::shared_ptr<PieceQueue> queue);
  // Nobody will pop again; afterwards the worker touches no loop.
  void close();

private:
  void wake_reader();  // with mutex_ held

  asio::any_io_executor executor_;
  const std::size_t most_pieces_;
  async::Signal changed_;  // control thread only

  std::mutex mutex_;  // guards all below
  std::condition_variable room_;
  std::deque<std::string> pieces_;
  std::exception_ptr error_;
  bool finished_ = false, closed_ = false;
};

}  // namespace stackd::docker
