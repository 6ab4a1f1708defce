#include "daemon/docker/in_flight.hpp"

#include "daemon/async/signal.hpp"
#include "daemon/util/error.hpp"

namespace stackd::docker {
namespace {

using util::Error;
using util::ErrorKind;

// The engine has no event for a create that has begun, so its end is looked for.
constexpr std::chrono::milliseconds k_look_again{50};
constexpr std::chrono::seconds k_longest_create{20};
constexpr std::chrono::milliseconds k_start_lands{1500};

bool has_labels(const ContainerDetails& container, const nlohmann::json& wanted) {
  for (const auto& [name, value] : wanted.items()) {
    const auto found = container.labels.find(name);
    if (found == container.labels.end() || found->second != value) return false;
  }
  return true;
}

}  // namespace

awaitable<std::optional<ContainerDetails>> when_usable(Engine& engine, std::string id) {
  const auto until = std::chrono::steady_clock::now() + k_longest_create;
  for (;;) {
    auto there = co_await engine.inspect_container(id);
    if (there) co_return there;
    const Filters filters{{"id", id}};
    const auto listed = co_await engine.list_containers(filters);
    if (listed.empty() || std::chrono::steady_clock::now() >= until) co_return std::nullopt;
    co_await async::sleep_for(k_look_again);
  }
}

awaitable<bool> start_landed(Engine& engine, std::string id, util::TimeMs since) {
  // Without the Z, so that "…:05.123" comes before "…:05.123456789".
  auto began = util::format_time(since);
  began.pop_back();
  const auto until = std::chrono::steady_clock::now() + k_start_lands;
  for (;;) {
    const auto there = co_await engine.inspect_container(id);
    if (!there) co_return false;
    if (there->running || (!there->started_at.empty() && there->started_at >= began)) co_return true;
    if (std::chrono::steady_clock::now() >= until) co_return false;
    co_await async::sleep_for(k_look_again);
  }
}

awaitable<std::string> create_or_find(Engine& engine, std::string name, nlohmann::json body,
                                      std::string platform) {
  const auto until = std::chrono::steady_clock::now() + k_longest_create;
  for (;;) {
    std::optional<Error> taken;
    std::string id;
    try {
      id = co_await engine.create_container(name, body, platform);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::conflict) throw;
      taken = e;
    }
    if (!taken) co_return id;
    const auto there = co_await engine.inspect_container(name);
    if (there && has_labels(*there, body.at("Labels"))) co_return there->id;
    // A name that is taken by nobody is that of a create at work.
    if (there || std::chrono::steady_clock::now() >= until) throw *taken;
    co_await async::sleep_for(k_look_again);
  }
}

}  // namespace stackd::docker
