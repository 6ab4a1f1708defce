// Pool: the engine's kept-alive connections that nobody uses right now. Each is closed after a few idle
// seconds, or as soon as the engine drops it. Control thread only; owned by shared_ptr, because its timer
// looks at it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "daemon/docker/connection.hpp"

namespace stackd::docker {

class Pool : public std::enable_shared_from_this<Pool> {
public:
  // `on_dropped` is called when the engine, not the clock, closed an idle connection: it may have been
  // restarted.
  Pool(asio::any_io_executor executor, std::chrono::milliseconds idle_limit,
       std::function<void()> on_dropped);

  // The connection that was used last, so that the others may grow old; nothing when there is none.
  std::shared_ptr<Connection> take();
  // Closes a connection that cannot be used again.
  void put(std::shared_ptr<Connection> connection);
  // Keeps nothing from now on, and calls nobody.
  void close();
  std::size_t size() const { return idle_.size(); }

private:
  using Clock = std::chrono::steady_clock;
  struct Idle {
    std::shared_ptr<Connection> connection;
    Clock::time_point since;
  };
  void drop(const Connection* connection);
  void close_old();
  void arm();

  asio::steady_timer timer_;
  std::chrono::milliseconds idle_limit_;
  std::function<void()> on_dropped_;
  std::vector<Idle> idle_;  // oldest first
  bool armed_ = false, closed_ = false;
};

}  // namespace stackd::docker
