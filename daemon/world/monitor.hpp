// Monitor: what the engine says of our containers, kept current by its event stream (no polling). After the
// engine was away it lists anew and goes on (C11.6). Control thread.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/async/signal.hpp"
#include "daemon/docker/engine.hpp"
#include "daemon/util/time.hpp"

namespace stackd::world {

// Who changed what is there: stackd's own step, the engine by itself, somebody through the engine, a check of
// health, a process that ended; or it was found so after nobody had looked.
enum class Cause { step, engine, caller, probe, process, found };
std::string_view to_string(Cause cause);  // "operator" for the one who calls

// What the picture knows of one container. Events tell first, and an inspect after each of them what they do
// not say (semantics.md, W2).
struct ContainerState {
  std::string stack, service, operation, hook, name, image;  // hook: of a hook's own container, its label
  int number = 1;
  bool oneoff = false;           // of `run`: it is no replica of its service
  std::string state;             // running, exited, paused, restarting, created, dead
  std::string health;            // "", starting, healthy, unhealthy
  std::string health_output;     // of the check that changed it last
  std::optional<int> exit_code;  // of the run that ended last
  bool killed = false;           // a signal was sent to it through the engine since it was started
  bool out_of_memory = false;    // the run that ended last, or is about to
  std::chrono::steady_clock::time_point died_at{};
  int starts = 0;                                             // that were heard of
  int restarts = 0;                                           // by the engine's own policy
  util::TimeMs started_at = 0, ended_at = 0, changed_at = 0;  // by the engine's clock; 0 unknown
  std::string start;  // the engine's own word for the present start (StartedAt), "" until it was inspected
  Cause cause = Cause::found;                          // of the last change
  std::map<std::string, std::vector<int>> host_ports;  // "5432/tcp": as the engine gave them
  std::vector<std::string> networks;
  bool dead() const { return state == "exited" || state == "dead"; }
};

// What an engine that is told to end may take: who got a signal that long ago was ended by it, when it goes.
inline constexpr std::chrono::seconds k_engine_end{30};

class Monitor {
public:
  Monitor(asio::any_io_executor executor, docker::Engine& engine);

  // Runs until it is cancelled.
  awaitable<void> run();
  // Inspects what events have told of, one at a time and each once for however many events came meanwhile;
  // until it is cancelled.
  awaitable<void> inspect();
  // A stack of this daemon's. Of others, which another home's daemon looks after, what the events say is
  // kept, but nothing is inspected and nobody is told.
  void mind(const std::string& stack);
  // What stackd itself has done, and the engine may not have told of yet (W4).
  void saw(const std::string& id, docker::Done what, const std::string& name = "");
  // Nothing is left to inspect: the picture is what the engine would say (W10).
  bool drained() const { return connected_ && to_inspect_.empty() && inspecting_.empty(); }

  bool connected() const { return connected_; }
  // Somebody has asked for it at least once: before, nothing is known.
  bool tried() const { return tried_; }
  // It was there, and is not now. A daemon that has just begun does not know yet.
  bool went_away() const { return was_connected_ && !connected_; }
  // When it was heard of last, while it is away; 0 never.
  util::TimeMs heard_at() const { return heard_at_; }
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
  // The engine has started one again, by its own policy.
  std::function<void(const ContainerState&)> on_restarted;
  // One is gone. Also one that stackd has removed, when the event comes before the answer.
  std::function<void(const std::string& id, const ContainerState&)> on_removed;
  // Anything of a container of this stack is another than before.
  std::function<void(const std::string& stack)> on_picture;
  // The engine is there, and everything was listed; or it has gone away.
  std::function<void(bool connected)> on_engine;

private:
  void apply(const docker::Event& event);
  awaitable<void> network_events(std::string since);
  void want_inspect(const std::string& id);
  bool is_minded(const std::string& stack) const { return minded_.contains(stack); }
  void fill(const std::string& id, const docker::ContainerDetails& details);
  void forget(const std::string& id);
  void tell(const std::string& stack);
  awaitable<void> list();

  asio::any_io_executor executor_;
  docker::Engine& engine_;
  async::Signal changed_;
  std::map<std::string, ContainerState> containers_;
  std::set<std::string> minded_;  // stacks
  bool connected_ = false, was_connected_ = false, tried_ = false;
  std::chrono::steady_clock::time_point away_since_ = std::chrono::steady_clock::now();
  util::TimeMs heard_at_ = 0;
  std::set<std::string> to_inspect_;
  std::string inspecting_;  // while its answer is awaited
  bool again_ = false;      // and an event came meanwhile
  async::Signal inspect_wanted_;
  std::deque<std::string>
      gone_;  // removed ids, the newest thousand: a late word about one brings nothing back (W3)
  std::set<std::string> lost_;  // ran when the engine went away, and were not heard of since
};

}  // namespace stackd::world
