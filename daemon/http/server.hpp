// Server: accepts on its listeners and runs a session for each connection. Control thread only. stop() it
// before it goes away.
#pragma once

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "daemon/async/task_group.hpp"
#include "daemon/http/listener.hpp"
#include "daemon/http/session.hpp"

namespace stackd::http {

class Server {
public:
  Server(asio::any_io_executor executor, Router router, ErrorPages pages, Limits limits = {});
  ~Server();

  // The bearer token that TCP callers must send; needed before a TCP listener is added.
  void set_token(std::string token);
  // Begins to accept. Throws `invalid_request` for TCP without a token.
  void listen(Listener listener);

  // No more connections; idle ones and streams end at once, what is being answered gets `grace`, then it is
  // cancelled too. Own socket files are gone when it returns.
  awaitable<void> stop(std::chrono::milliseconds grace = std::chrono::seconds(5));

  const Counters& counters() const { return context_.counters; }
  const Router& router() const { return context_.router; }

private:
  awaitable<void> accept(const Listener& listener);
  void start_session(util::Fd socket, Transport transport);
  void make_room();

  asio::any_io_executor executor_;
  SessionContext context_;
  std::list<Listener> listeners_;
  async::TaskGroup accepting_, sessions_;
  struct Open;
  std::map<const Open*, std::shared_ptr<Open>> open_;
  async::Signal freed_;  // a session has ended, or has become idle
};

}  // namespace stackd::http
