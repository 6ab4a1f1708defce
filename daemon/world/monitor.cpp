#include "daemon/world/monitor.hpp"

#include <spdlog/spdlog.h>

#include "daemon/docker/words.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/time.hpp"

namespace stackd::world {
namespace {

// An engine that is asked to end stops its containers first, for as long as their grace lasts.
constexpr std::chrono::seconds k_engine_end{30};

template <class Map>
std::string value(const Map& map, const char* key) {
  const auto found = map.find(key);
  return found == map.end() ? std::string() : found->second;
}

template <class Map>
ContainerState state_from(const Map& labels) {
  ContainerState state;
  state.stack = value(labels, translate::label::k_stack);
  state.service = value(labels, translate::label::k_service);
  state.operation = value(labels, translate::label::k_operation);
  const auto number = value(labels, translate::label::k_number);
  state.number = number.empty() ? 1 : std::atoi(number.c_str());
  return state;
}

}  // namespace

Monitor::Monitor(asio::any_io_executor executor, docker::Engine& engine)
    : executor_(executor), engine_(engine), changed_(std::move(executor)) {}

std::optional<ContainerState> Monitor::find(const std::string& id) const {
  const auto found = containers_.find(id);
  return found == containers_.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, ContainerState> Monitor::of_stack(const std::string& stack_id) const {
  std::map<std::string, ContainerState> found;
  for (const auto& [id, state] : containers_)
    if (state.stack == stack_id) found.emplace(id, state);
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
      changed_.notify();
      if (on_engine) on_engine(true);
      docker::Filters filters{{"type", "container"}};
      for (const auto* action : {"start", "kill", "die", "health_status", "destroy", "pause", "unpause"})
        filters.emplace_back("event", action);
      if (version.podman) {  // it asks for its own words, and finds nothing by a label without a value
        filters.emplace_back("event", "died");
        filters.emplace_back("event", "remove");
      } else {
        filters.emplace_back("label", translate::label::k_stack);
      }
      const auto from =
          std::to_string(since / 1000) + "." + std::to_string(1000000000 + since % 1000 * 1000000).substr(1);
      co_await engine_.events(filters, from, [this](const docker::Event& event) { apply(event); });
    } catch (const std::exception& e) {
      if (async::is_cancellation(std::current_exception())) throw;
      if (!told) spdlog::warn("engine: {}", e.what());
      told = true;
    }
    if (connected_) {
      for (const auto& id : ran_until_now()) lost_.insert(id);
      away_since_ = std::chrono::steady_clock::now();
      if (on_engine) on_engine(false);
    }
    connected_ = false;
    changed_.notify();
    co_await async::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(2000));
  }
}

awaitable<void> Monitor::list() {
  const docker::Filters filters{{"label", translate::label::k_stack}};
  const auto containers = co_await engine_.list_containers(filters);
  containers_.clear();
  for (const auto& container : containers) {
    auto state = state_from(container.labels);
    state.name = container.name;
    state.state = container.state;
    state.health = docker::health_in(container.status);
    state.exit_code = docker::exit_code_in(container.status);
    containers_[container.id] = std::move(state);
  }
  std::erase_if(lost_, [this](const auto& id) {
    const auto state = find(id);
    return !state || !state->dead();
  });
}

void Monitor::apply(const docker::Event& event) {
  if (event.action == "destroy") {
    containers_.erase(event.id);
    lost_.erase(event.id);
    changed_.notify();
    return;
  }
  if (!containers_.contains(event.id) && value(event.attributes, translate::label::k_stack).empty()) return;
  auto& state = containers_[event.id];
  if (state.stack.empty()) state = state_from(event.attributes);
  state.name = value(event.attributes, "name");
  if (event.action == "start") {
    state.state = "running";
    lost_.erase(event.id);
    ++state.starts;
    state.health.clear();
    state.exit_code.reset();
    state.killed = false;
    if (on_change) on_change(state);
  } else if (event.action == "kill") {
    state.killed = true;
  } else if (event.action == "die") {
    state.state = "exited";
    state.died_at = std::chrono::steady_clock::now();
    state.exit_code = std::atoi(value(event.attributes, "exitCode").c_str());
    if (on_change) on_change(state);
  } else if (event.action == "pause" || event.action == "unpause") {
    state.state = event.action == "pause" ? "paused" : "running";
  } else if (const auto health = docker::health_in_action(event.action); !health.empty()) {
    state.health = health;
  }
  changed_.notify();
}

}  // namespace stackd::world
