// Monitor: what the engine says of our containers, kept current by its event stream (no polling). After the
// engine was away it lists anew and goes on (C11.6). Control thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/async/signal.hpp"
#include "daemon/docker/engine.hpp"

namespace stackd::world {

struct ContainerState {
  std::string stack, service, name, operation;
  int number = 1;
  std::string state;   // running, exited, paused, restarting, created, dead
  std::string health;  // "", starting, healthy, unhealthy
  std::optional<int> exit_code;
  bool killed = false;  // a signal was sent to it through the engine since it was started
  std::chrono::steady_clock::time_point died_at{};
  int starts = 0;  // that were heard of
  bool dead() const { return state == "exited" || state == "dead"; }
};

class Monitor {
public:
  Monitor(asio::any_io_executor executor, docker::Engine& engine);

  // Runs until it is cancelled.
  awaitable<void> run();

  bool connected() const { return connected_; }
  // It was there, and is not now. A daemon that has just begun does not know yet.
  bool went_away() const { return was_connected_ && !connected_; }
  // How long it has not been; zero while it is.
  std::chrono::milliseconds away() const;
  std::optional<ContainerState> find(const std::string& id) const;
  std::map<std::string, ContainerState> of_stack(const std::string& stack_id) const;  // by container id
  std::set<std::string> stacks() const;
  const std::map<std::string, ContainerState>& all() const { return containers_; }  // by container id
  // Woken by every change of any container's state, and when the engine comes or goes.
  async::Signal& changed() { return changed_; }

  // Containers that ran, as far as is known, until the engine went away: also those that it ended itself on
  // its way out.
  std::vector<std::string> ran_until_now() const;

  // Ids of a stack's containers that ran when the engine went away, and came back dead.
  std::vector<std::string> lost(const std::string& stack_id) const;

  // A container was started or has died, whoever asked for it.
  std::function<void(const ContainerState&)> on_change;
  // The engine is there, and everything was listed; or it has gone away.
  std::function<void(bool connected)> on_engine;

private:
  void apply(const docker::Event& event);
  awaitable<void> list();

  asio::any_io_executor executor_;
  docker::Engine& engine_;
  async::Signal changed_;
  std::map<std::string, ContainerState> containers_;
  bool connected_ = false, was_connected_ = false;
  std::chrono::steady_clock::time_point away_since_ = std::chrono::steady_clock::now();
  std::set<std::string> lost_;  // ran when the engine went away, and were not heard of since
};

}  // namespace stackd::world
