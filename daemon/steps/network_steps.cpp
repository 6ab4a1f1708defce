// Networks and volumes: what several services share. Found again by name and label (E4).
#include <functional>
#include <set>

#include "daemon/steps/common/holders.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/translate/container_request.hpp"
#include "daemon/translate/definitions.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/world/stack_state.hpp"

namespace stackd::steps {
namespace {

namespace label = translate::label;
using util::Error;
using util::ErrorKind;

constexpr std::size_t k_making_digits = 16;

// The network of this stack with that name; the engine may know several of one name (E4), so the label
// decides.
awaitable<std::optional<docker::NetworkDetails>> find_network(Tools& tools, std::string name,
                                                              std::string stack) {
  const docker::Filters filters{{"name", name}};
  const auto all = co_await tools.engine.list_networks(filters);
  std::optional<docker::NetworkDetails> strange;
  for (const auto& network : all) {
    if (network.name != name) continue;
    const auto owner = network.labels.find(label::k_stack);
    if (owner != network.labels.end() && owner->second == stack) co_return network;
    strange = network;
  }
  co_return strange;
}

// C8.7. One without the label is left alone, and so is somebody else's.
bool is_outdated(const docker::NetworkDetails& there, const model::Network& wanted,
                 const std::string& stack) {
  const auto owner = there.labels.find(label::k_stack);
  const auto made_from = there.labels.find(label::k_definition);
  return owner != there.labels.end() && owner->second == stack && made_from != there.labels.end() &&
         made_from->second != translate::definition_of(wanted);
}

// Its containers are stopped; they are made anew for the next one.
awaitable<void> remove_network(Tools& tools, docker::NetworkDetails network) {
  const docker::Filters filters{{"network", network.id}, {"label", label::k_stack}};
  const auto attached = co_await tools.engine.list_containers(filters);
  for (const auto& container : attached) co_await tools.engine.disconnect_network(network.id, container.id);
  co_await tools.engine.remove_network(network.id);
}

// X37: Compose's, of this very project.
bool is_composes(const docker::Labels& labels, const model::Stack& stack) {
  return translate::label_of(labels, label::k_stack).empty() &&
         translate::label_of(labels, label::k_project) == stack.spec->name;
}

// In the commit of the step's end.
std::function<void(store::Database&)> adopting(std::string stack,
                                               std::set<std::string> world::StackState::*kind,
                                               std::string name) {
  return [stack = std::move(stack), kind, name = std::move(name)](store::Database& db) {
    auto state = world::state_of(db, stack);
    (state.*kind).insert(name);
    world::set_state(db, stack, state);
  };
}

awaitable<std::set<std::string>> adopted(Tools& tools, std::string stack,
                                         std::set<std::string> world::StackState::*kind) {
  auto query = [stack, kind](store::Database& db) { return world::state_of(db, stack).*kind; };
  co_return co_await tools.journal.run(query);
}

awaitable<void> forget_adopted(Tools& tools, std::string stack,
                               std::set<std::string> world::StackState::*kind, std::string name) {
  auto write = [stack, kind, name](store::Database& db) {
    auto state = world::state_of(db, stack);
    (state.*kind).erase(name);
    world::set_state(db, stack, state);
  };
  co_await tools.journal.commit(write);
}

// Of two networks of this stack with one name, the one that nothing uses; empty when there is but one.
awaitable<std::string> newest_of_two(Tools& tools, std::string name, std::string stack) {
  const docker::Filters filters{{"name", name}, {"label", std::string(label::k_stack) + "=" + stack}};
  std::string extra;
  for (int look = 0; look < 10 && extra.empty(); ++look) {
    const auto all = co_await tools.engine.list_networks(filters);
    std::vector<std::string> same;
    for (const auto& network : all)
      if (network.name == name) same.push_back(network.id);
    if (same.size() > 1)
      extra = same.back();
    else
      co_await async::sleep_for(std::chrono::milliseconds(100));  // it may still be on its way
  }
  co_return extra;
}

}  // namespace

awaitable<Outcome> network(Tools& tools, Step<plan::Network> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto& key = step.params.key;
  const auto& wanted = stack.spec->networks.at(key);
  auto there = co_await find_network(tools, wanted.name, stack.id);
  if (there && step.resumed() && !wanted.external) {
    if (const auto extra = co_await newest_of_two(tools, wanted.name, stack.id); !extra.empty()) {
      co_await tools.engine.remove_network(extra);
      there = co_await find_network(tools, wanted.name, stack.id);
    }
  }
  if (there && !wanted.external && is_outdated(*there, wanted, stack.id)) {
    co_await remove_network(tools, *there);
    there.reset();
  }
  plan::Network::Result result;
  std::vector<std::string> warnings;
  std::function<void(store::Database&)> adopt;
  const auto adopted_before = co_await adopted(tools, stack.id, &world::StackState::adopted_networks);
  if (!there && wanted.external)
    throw Error(ErrorKind::failed,
                "network '" + wanted.name + "' is declared external and is not there; create it first");
  if (!there) {
    const auto body = translate::network_request(*stack.spec, key, stack.id, step.operation().id);
    result.id = co_await tools.engine.create_network(body);
    result.created = true;
    // E4, E5: a create of a daemon that died may land beside this one. The oldest stays, and every later use
    // is by it.
    if (step.resumed()) {
      if (const auto extra = co_await newest_of_two(tools, wanted.name, stack.id); !extra.empty())
        co_await tools.engine.remove_network(extra);
    }
  } else {
    result.id = there->id;
    const auto owner = there->labels.find(label::k_stack);
    if (!wanted.external && step.wish().adopt && is_composes(there->labels, stack))
      adopt = adopting(stack.id, &world::StackState::adopted_networks, wanted.name);
    else if (!wanted.external && (owner == there->labels.end() || owner->second != stack.id) &&
             !adopted_before.contains(wanted.name))
      warnings.push_back("network '" + wanted.name +
                         "' is there already and is not this stack's; it is used as it is");
  }
  auto outcome = with(result);
  outcome.warnings = std::move(warnings);
  outcome.record = std::move(adopt);
  co_return outcome;
}

namespace {

// X34: never made anew by itself.
bool is_of_another_definition(const model::Spec& spec, const std::string& key, const std::string& stack,
                              const docker::VolumeDetails& there) {
  const auto made_from = there.labels.find(label::k_definition);
  if (made_from == there.labels.end() || translate::label_of(there.labels, label::k_stack) != stack)
    return false;
  const auto wanted = translate::volume_request(spec, key, stack, "");
  return wanted["Labels"].value(label::k_definition, "") != made_from->second;
}

}  // namespace

awaitable<Outcome> volume(Tools& tools, Step<plan::Volume> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto& key = step.params.key;
  const auto& volume = stack.spec->volumes.at(key);
  const auto there = co_await tools.engine.inspect_volume(volume.name);
  plan::Volume::Result result;
  if (there) {
    auto outcome = with(result);
    if (!volume.external && step.wish().adopt && is_composes(there->labels, stack))
      outcome.record = adopting(stack.id, &world::StackState::adopted_volumes, volume.name);
    if (!volume.external && is_of_another_definition(*stack.spec, key, stack.id, *there))
      outcome.warnings.push_back("volume '" + volume.name +
                                 "' was made from another definition, and is used as it is: making it anew "
                                 "would take its data (`stackctl down -v` does)");
    co_return outcome;
  }
  if (volume.external)
    throw Error(ErrorKind::failed,
                "volume '" + volume.name + "' is declared external and is not there; create it first");
  auto body = translate::volume_request(*stack.spec, key, stack.id, step.operation().id);
  body["Labels"][label::k_making] = util::random_hex(k_making_digits);
  co_await tools.engine.create_volume(body);
  result.created = true;
  co_return with(result);
}

awaitable<Outcome> remove_networks(Tools& tools, Step<plan::RemoveNetworks> step) {
  docker::Filters filters{{"label", std::string(label::k_stack) + "=" + step.stack()}};
  if (!step.params.operation.empty())
    filters.emplace_back("label", std::string(label::k_operation) + "=" + step.params.operation);
  auto networks = co_await tools.engine.list_networks(filters);
  // In a roll-back what was adopted stays.
  std::set<std::string> taken_over;
  if (step.params.operation.empty())
    taken_over = co_await adopted(tools, step.stack(), &world::StackState::adopted_networks);
  for (const auto& name : taken_over) {
    const auto there = co_await tools.engine.inspect_network(name);
    if (there) networks.push_back(*there);
  }
  Outcome outcome;
  for (const auto& network : networks) {
    std::string why;
    try {
      co_await tools.engine.remove_network(network.id);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::no_engine) throw;
      why = e.what();
    }
    if (why.empty() && taken_over.contains(network.name))
      co_await forget_adopted(tools, step.stack(), &world::StackState::adopted_networks, network.name);
    if (why.empty()) continue;
    // C10.2: a network that someone else still uses is a warning.
    const auto users = co_await users_of_network(tools.engine, network.id);
    outcome.warnings.push_back("network '" + network.name +
                               "' stays: " + (users.empty() ? why : users + " is on it"));
  }
  co_return outcome;
}

awaitable<Outcome> remove_volumes(Tools& tools, Step<plan::RemoveVolumes> step) {
  const docker::Filters filters{{"label", std::string(label::k_stack) + "=" + step.stack()}};
  auto volumes = co_await tools.engine.list_volumes(filters);
  const auto taken_over = co_await adopted(tools, step.stack(), &world::StackState::adopted_volumes);
  for (const auto& name : taken_over) {
    const auto there = co_await tools.engine.inspect_volume(name);
    if (there) volumes.push_back(*there);
  }
  Outcome outcome;
  for (const auto& volume : volumes) {
    std::string why;
    try {
      co_await tools.engine.remove_volume(volume.name);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::no_engine) throw;
      why = e.what();
    }
    if (why.empty() && taken_over.contains(volume.name))
      co_await forget_adopted(tools, step.stack(), &world::StackState::adopted_volumes, volume.name);
    if (why.empty()) continue;
    const auto users = co_await users_of_volume(tools.engine, volume.name);
    outcome.warnings.push_back("volume '" + volume.name +
                               "' stays: " + (users.empty() ? why : users + " has it"));
  }
  co_return outcome;
}

}  // namespace stackd::steps
