#include "daemon/docker/pool.hpp"

#include <algorithm>

namespace stackd::docker {

Pool::Pool(asio::any_io_executor executor, std::chrono::milliseconds idle_limit,
           std::function<void()> on_dropped)
    : timer_(executor), idle_limit_(idle_limit), on_dropped_(std::move(on_dropped)) {}

std::shared_ptr<Connection> Pool::take() {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back().connection);
    idle_.pop_back();
    if (connection->wake()) return connection;
    on_dropped_();
  }
  return nullptr;
}

void Pool::put(std::shared_ptr<Connection> connection) {
  if (closed_ || !connection->reusable()) return;
  connection->rest([weak = weak_from_this(), raw = connection.get()] {
    if (const auto self = weak.lock()) self->drop(raw);
  });
  idle_.push_back({std::move(connection), Clock::now()});
  arm();
}

void Pool::close() {
  closed_ = true;
  idle_.clear();
  timer_.cancel();
}

void Pool::drop(const Connection* connection) {
  const auto found = std::find_if(idle_.begin(), idle_.end(),
                                  [&](const Idle& idle) { return idle.connection.get() == connection; });
  if (found == idle_.end()) return;
  idle_.erase(found);
  on_dropped_();
}

void Pool::close_old() {
  const auto now = Clock::now();
  const auto young = std::find_if(idle_.begin(), idle_.end(),
                                  [&](const Idle& idle) { return now - idle.since < idle_limit_; });
  idle_.erase(idle_.begin(), young);
  arm();
}

// The timer is left alone when its connection is taken: firing for nothing every few seconds costs less than
// setting it anew with every request.
void Pool::arm() {
  if (armed_ || idle_.empty()) return;
  armed_ = true;
  timer_.expires_at(idle_.front().since + idle_limit_);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!self || error) return;
    self->armed_ = false;
    self->close_old();
  });
}

}  // namespace stackd::docker
