#include "daemon/http/server.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <vector>

namespace stackd::http {

struct Server::Open {
  explicit Open(util::Fd fd) : socket(std::move(fd)) {}
  util::Fd socket;  // until the session has taken it
  SessionState state;
  async::TaskGroup::Id task = 0;
};

Server::Server(asio::any_io_executor executor, Router router, ErrorPages pages, Limits limits)
    : executor_(executor),
      context_{std::move(router), std::move(pages), limits, "", ::geteuid(), false, {}},
      accepting_(executor),
      sessions_(executor),
      freed_(executor) {}

Server::~Server() = default;

void Server::set_token(std::string token) {
  context_.token = std::move(token);
}

void Server::listen(Listener listener) {
  if (listener.transport() == Transport::tcp && context_.token.empty())
    throw util::Error(util::ErrorKind::invalid_request,
                      "cannot listen on " + listener.describe() + ": TCP needs a token");
  const Listener& kept = listeners_.emplace_back(std::move(listener));
  accepting_.keep("accept on " + kept.describe(), [this, &kept] { return accept(kept); });
}

awaitable<void> Server::accept(const Listener& listener) {
  // A descriptor of its own to wait on: the listener keeps the one that it closes.
  asio::posix::stream_descriptor descriptor(executor_, ::dup(listener.fd()));
  for (;;) {
    while (open_.size() >= context_.limits.sessions) {
      co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read, use_awaitable);
      make_room();
      if (open_.size() >= context_.limits.sessions) co_await freed_.wait();
    }
    util::Fd socket(::accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      start_session(std::move(socket), listener.transport());
      continue;
    }
    const int error = errno;
    if (error == EAGAIN) {
      co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read, use_awaitable);
    } else if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      spdlog::warn("cannot accept on {}: {}", listener.describe(), std::strerror(error));
      co_await async::sleep_for(std::chrono::milliseconds(100));
    } else if (error != EINTR && error != ECONNABORTED && error != EPROTO) {
      throw util::system_error("cannot accept on " + listener.describe(), error);
    }
  }
}

// Somebody waits and all places are taken: the connection that has been idle longest gives its up.
void Server::make_room() {
  if (open_.size() < context_.limits.sessions) return;
  Open* longest = nullptr;
  for (const auto& [key, open] : open_) {
    const auto& state = open->state;
    if (!state.idle_since || !state.hang_up) continue;
    if (!longest || *state.idle_since < *longest->state.idle_since) longest = open.get();
  }
  if (!longest) return;
  longest->state.hang_up();
  longest->state.hang_up = nullptr;  // once is enough
}

void Server::start_session(util::Fd socket, Transport transport) {
  auto open = std::make_shared<Open>(std::move(socket));
  open_[open.get()] = open;
  context_.counters.sessions = open_.size();
  open->state.on_idle = [this] { freed_.notify(); };
  // It may begin, and even end, before spawn() returns.
  open->task = sessions_.spawn("http session", [this, open, transport]() -> awaitable<void> {
    struct Leave {
      Server& server;
      const Open* open;
      ~Leave() {
        server.open_.erase(open);
        server.context_.counters.sessions = server.open_.size();
        server.freed_.notify();
      }
    } leave{*this, open.get()};
    co_await run_session(std::move(open->socket), transport, context_, open->state);
  });
}

awaitable<void> Server::stop(std::chrono::milliseconds grace) {
  context_.stopping = true;
  accepting_.cancel_all();
  co_await accepting_.join();
  listeners_.clear();

  std::vector<async::TaskGroup::Id> quiet;
  for (const auto& [key, open] : open_)
    if (!open->state.answering) quiet.push_back(open->task);
  for (const auto id : quiet) sessions_.cancel(id);
  const auto deadline = std::chrono::steady_clock::now() + grace;
  while (!open_.empty()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !co_await freed_.wait_for(left)) break;
  }
  sessions_.cancel_all();
  co_await sessions_.join();
}

}  // namespace stackd::http
