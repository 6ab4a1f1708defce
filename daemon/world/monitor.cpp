#include "daemon/world/monitor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/async/task_group.hpp"
#include "daemon/docker/words.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/time.hpp"

namespace stackd::world {
namespace {

// An engine that is asked to end stops its containers first, for as long as their grace lasts.
constexpr std::size_t k_gone_kept = 1000;  // W3
// Network events are read for so long at a time, with so long a pause before the next.
constexpr std::chrono::milliseconds k_network_batch{2}, k_network_pause{20};

constexpr const char* k_actions[] = {"create", "start", "kill",    "die",    "health_status", "destroy",
                                     "pause",  "oom",   "unpause", "rename", "update"};

template <class Map>
std::string value(const Map& map, const char* key) {
  const auto found = map.find(key);
  return found == map.end() ? std::string() : found->second;
}

docker::Filters container_filters(bool podman) {
  docker::Filters filters{{"type", "container"}};
  for (const auto* action : k_actions) filters.emplace_back("event", action);
  if (podman) {  // it asks for its own words, and finds nothing by a label without a value
    filters.emplace_back("event", "died");
    filters.emplace_back("event", "remove");
  } else {
    filters.emplace_back("label", translate::label::k_stack);
  }
  return filters;
}

template <class Map>
ContainerState state_from(const Map& labels) {
  ContainerState state;
  state.stack = value(labels, translate::label::k_stack);
  state.service = value(labels, translate::label::k_service);
  state.operation = value(labels, translate::label::k_operation);
  state.hook = value(labels, translate::label::k_hook);
  state.oneoff = value(labels, translate::label::k_oneoff) == "True";
  const auto number = value(labels, translate::label::k_number);
  state.number = number.empty() ? 1 : std::atoi(number.c_str());
  return state;
}

}  // namespace

Monitor::Monitor(asio::any_io_executor executor, docker::Engine& engine)
    : executor_(executor), engine_(engine), changed_(executor), inspect_wanted_(std::move(executor)) {}

std::optional<ContainerState> Monitor::find(const std::string& id) const {
  const auto found = containers_.find(id);
  return found == containers_.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, ContainerState> Monitor::of_stack(const std::string& stack_id) const {
  std::map<std::string, ContainerState> found;
  for (const auto& [id, state] : containers_)
    if (state.stack == stack_id && !state.oneoff && !translate::is_kept(id, state.name))
      found.emplace(id, state);
  return found;
}

std::set<std::string> Monitor::stacks() const {
  std::set<std::string> ids;
  for (const auto& [id, state] : containers_) ids.insert(state.stack);
  return ids;
}

std::vector<std::string> Monitor::ran_until_now() const {
  std::vector<std::string> ids;
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [id, state] : containers_)
    if (!state.dead() ? state.state == "running" || state.state == "restarting"
                      : state.killed && now - state.died_at < k_engine_end)
      ids.push_back(id);
  return ids;
}

std::chrono::milliseconds Monitor::away() const {
  if (connected_) return {};
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               away_since_);
}

std::vector<std::string> Monitor::lost(const std::string& stack_id) const {
  std::vector<std::string> ids;
  for (const auto& id : lost_)
    if (const auto state = find(id); state && state->dead() && state->stack == stack_id) ids.push_back(id);
  return ids;
}

awaitable<void> Monitor::run() {
  auto pause = std::chrono::milliseconds(100);
  bool told = false;
  for (;;) {
    try {
      // What happens between the list and the stream is told by the stream, which begins before the list.
      const auto since = util::now_ms();
      const auto version = co_await engine_.version();
      co_await list();
      connected_ = was_connected_ = true;
      told = false;
      pause = std::chrono::milliseconds(100);
      tried_ = true;
      changed_.notify();
      tell("");
      if (on_engine) on_engine(true);
      const auto from =
          std::to_string(since / 1000) + "." + std::to_string(1000000000 + since % 1000 * 1000000).substr(1);
      auto reading = engine_.events(container_filters(version.podman), from,
                                    [this](const docker::Event& event) { apply(event); });
      async::TaskGroup networks(executor_);
      networks.spawn("network events", [this, from] { return network_events(from); });
      co_await networks.during(std::move(reading));
    } catch (const std::exception& e) {
      if (async::is_cancellation(std::current_exception())) throw;
      if (!told) spdlog::warn("engine: {}", e.what());
      told = true;
    }
    if (connected_) {
      for (const auto& id : ran_until_now()) lost_.insert(id);
      away_since_ = std::chrono::steady_clock::now();
      heard_at_ = util::now_ms();
      if (on_engine) on_engine(false);
    }
    connected_ = false;
    tried_ = true;
    changed_.notify();
    tell("");
    co_await async::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(2000));
  }
}

// These carry no labels, so those of everybody's containers come (W5); they are read in batches, so that
// others' are cheap. The main stream says when the engine is gone.
awaitable<void> Monitor::network_events(std::string since) {
  auto next_pause = std::chrono::steady_clock::now();
  auto take = [this, next_pause](docker::Event event) mutable -> awaitable<void> {
    const auto id = value(event.attributes, "container");
    if (const auto known = containers_.find(id); known != containers_.end()) {
      known->second.cause = Cause::caller;
      want_inspect(id);
    }
    if (std::chrono::steady_clock::now() < next_pause) co_return;  // what came during the last one
    co_await async::sleep_for(k_network_pause);
    next_pause = std::chrono::steady_clock::now() + k_network_batch;
  };
  try {
    const docker::Filters filters{{"type", "network"}, {"event", "connect"}, {"event", "disconnect"}};
    co_await engine_.tell_events(filters, since, "", take);
  } catch (const util::Error& e) {
    if (e.kind() == util::ErrorKind::cancelled) throw;
  }
}

awaitable<void> Monitor::list() {
  const docker::Filters filters{{"label", translate::label::k_stack}};
  const auto containers = co_await engine_.list_containers(filters);
  auto before = std::exchange(containers_, {});
  for (const auto& container : containers) {
    auto state = state_from(container.labels);
    state.name = container.name;
    state.image = container.image;
    state.state = container.state;
    if (container.state == "running") state.health = docker::health_in(container.status);
    state.exit_code = docker::exit_code_in(container.status);
    containers_[container.id] = std::move(state);
    want_inspect(container.id);
  }
  for (const auto& [id, state] : before) tell(state.stack);
  std::erase_if(lost_, [this](const auto& id) {
    const auto state = find(id);
    return !state || !state->dead();
  });
}

void Monitor::mind(const std::string& stack) {
  if (!minded_.insert(stack).second) return;
  for (const auto& [id, state] : containers_)
    if (state.stack == stack) want_inspect(id);
}

void Monitor::tell(const std::string& stack) {
  if (on_picture && (stack.empty() || is_minded(stack))) on_picture(stack);
}

void Monitor::want_inspect(const std::string& id) {
  const auto known = containers_.find(id);
  if (known != containers_.end() && !is_minded(known->second.stack)) return;
  if (id == inspecting_) again_ = true;
  to_inspect_.insert(id);
  inspect_wanted_.notify();
}

// W2. What came while the engine answered is newer than the answer, which is dropped then (W4).
awaitable<void> Monitor::inspect() {
  for (;;) {
    if (to_inspect_.empty() || !connected_) {
      inspecting_.clear();
      co_await (connected_ ? inspect_wanted_ : changed_).wait();
      continue;
    }
    inspecting_ = to_inspect_.extract(to_inspect_.begin()).value();
    again_ = false;
    try {
      const auto details = co_await engine_.inspect_container(inspecting_);
      if (again_) continue;
      if (details)
        fill(inspecting_, *details);
      else
        forget(inspecting_);
      inspecting_.clear();
      changed_.notify();
    } catch (const util::Error& e) {
      if (e.kind() == util::ErrorKind::cancelled) throw;
      // An engine that went away is listed anew when it is back; another refusal leaves what the events said.
    }
  }
}

void Monitor::saw(const std::string& id, docker::Done what, const std::string& name) {
  if (what == docker::Done::removed && containers_.contains(id)) {
    forget(id);
    changed_.notify();
    return;
  }
  const auto found = containers_.find(id);
  if (found != containers_.end()) {
    auto& state = found->second.state;
    if (what == docker::Done::started) found->second.start.clear();
    if (what == docker::Done::started || what == docker::Done::unpaused) state = "running";
    if (what == docker::Done::paused) state = "paused";
    if (what == docker::Done::stopped) state = "exited";
    if (what == docker::Done::renamed) found->second.name = name;
    found->second.cause = Cause::step;
    tell(found->second.stack);
  }
  want_inspect(id);
}

void Monitor::fill(const std::string& id, const docker::ContainerDetails& details) {
  const bool known = containers_.contains(id);
  if (!known && value(details.labels, translate::label::k_stack).empty()) return;
  auto& state = containers_[id];
  if (!known) state = state_from(details.labels);
  state.name = details.name;
  state.image = details.image;
  state.state = details.state;
  // The engine leaves `unhealthy` behind at a container that has ended.
  const auto health = details.running && !details.restarting ? details.health : "";
  if (state.health != health || state.health_output.empty()) state.health_output = details.health_output;
  state.health = health;
  state.started_at = util::parse_time(details.started_at);
  state.start = details.started_at;
  const auto ended_at = util::parse_time(details.finished_at);
  // The events have told of this end, and an inspect may show the next run already.
  if (state.dead() && (!state.exit_code || ended_at > state.changed_at)) state.exit_code = details.exit_code;
  if (state.dead() || state.state == "restarting") state.out_of_memory |= details.oom_killed;
  state.ended_at = ended_at;
  if (details.restart_count > state.restarts && state.cause != Cause::found) {
    state.cause = Cause::engine;
    if (on_restarted) on_restarted(state);
  }
  state.restarts = details.restart_count;
  state.host_ports = details.host_ports;
  state.networks.clear();
  for (const auto& [name, network] : details.networks) state.networks.push_back(name);
  if (state.changed_at == 0) state.changed_at = state.dead() ? state.ended_at : state.started_at;
  tell(state.stack);
}

void Monitor::forget(const std::string& id) {
  const auto known = containers_.extract(id);
  lost_.erase(id);
  to_inspect_.erase(id);
  if (std::find(gone_.begin(), gone_.end(), id) == gone_.end()) gone_.push_back(id);
  if (gone_.size() > k_gone_kept) gone_.pop_front();
  if (!known.empty()) tell(known.mapped().stack);
}

void Monitor::apply(const docker::Event& event) {
  if (event.action == "destroy") {
    if (const auto known = containers_.find(event.id);
        known != containers_.end() && on_removed && is_minded(known->second.stack))
      on_removed(event.id, known->second);
    forget(event.id);
    changed_.notify();
    return;
  }
  if (!containers_.contains(event.id) && value(event.attributes, translate::label::k_stack).empty()) return;
  if (std::find(gone_.begin(), gone_.end(), event.id) != gone_.end()) return;
  auto& state = containers_[event.id];
  if (state.stack.empty()) {
    state = state_from(event.attributes);
    state.state = "created";  // until the inspect, or the event itself, says more
  }
  const bool renamed = event.action == "rename" && state.name != value(event.attributes, "name");
  if (renamed) state.cause = Cause::caller;
  state.name = value(event.attributes, "name");
  state.image = value(event.attributes, "image");
  const auto at = event.time_nano / 1'000'000;
  // What a stream that begins before the list tells of is in the list already.
  const auto changes = [&state, at](const char* to, Cause cause) {
    state.state = to;
    state.cause = cause;
    state.changed_at = at;
  };
  if (event.action == "start") {
    changes("running", Cause::caller);
    state.started_at = at;
    lost_.erase(event.id);
    state.start.clear();
    ++state.starts;
    state.health.clear();
    state.health_output.clear();
    state.exit_code.reset();
    state.killed = state.out_of_memory = false;
    if (on_change && is_minded(state.stack)) on_change(state);
  } else if (event.action == "kill") {
    state.killed = true;
  } else if (event.action == "oom") {
    state.out_of_memory = true;
  } else if (event.action == "die") {
    changes("exited", state.killed ? Cause::caller : Cause::engine);
    state.ended_at = at;
    state.died_at = std::chrono::steady_clock::now();
    state.exit_code = std::atoi(value(event.attributes, "exitCode").c_str());
    if (on_change && is_minded(state.stack)) on_change(state);
  } else if (event.action == "pause" || event.action == "unpause") {
    changes(event.action == "pause" ? "paused" : "running", Cause::caller);
  } else if (const auto health = docker::health_in_action(event.action); !health.empty()) {
    if (state.health != health) {
      state.cause = Cause::probe;
      state.changed_at = at;
    }
    state.health = health;
  }
  if (!is_minded(state.stack)) return;
  tell(state.stack);
  want_inspect(event.id);
  changed_.notify();
}

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::step:
      return "step";
    case Cause::engine:
      return "engine";
    case Cause::caller:
      return "operator";
    case Cause::probe:
      return "probe";
    case Cause::process:
      return "process";
    case Cause::found:
      break;
  }
  return "found";
}

}  // namespace stackd::world
