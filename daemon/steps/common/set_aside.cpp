#include "daemon/steps/common/set_aside.hpp"

#include <algorithm>

#include "daemon/steps/common/save_log.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
namespace {

using docker::ContainerDetails;
using nlohmann::json;
using util::Error;
using util::ErrorKind;

docker::Filters of_stack_named(const std::string& stack, const std::string& name) {
  return {{"label", std::string(translate::label::k_stack) + "=" + stack}, {"name", name}};
}

// The place may still be that of the wreck of an earlier up --keep; somebody else's is left.
awaitable<void> clear_place(Tools& tools, std::string stack, std::string name, std::string own) {
  const auto filters = of_stack_named(stack, name);
  const auto there = co_await tools.engine.list_containers(filters);
  for (const auto& container : there)
    if (container.id != own && container.name == name)
      co_await save_and_remove(tools, stack, container.id, true, false);
}

// By its id: the engine may know several of one name (E4). A network of somebody else goes by its name.
awaitable<std::string> network_named(Tools& tools, std::string stack, std::string name) {
  const auto filters = of_stack_named(stack, name);
  const auto there = co_await tools.engine.list_networks(filters);
  const auto own =
      std::find_if(there.begin(), there.end(), [&](const auto& network) { return network.name == name; });
  co_return own == there.end() ? name : own->id;
}

}  // namespace

awaitable<void> note_kept(Tools& tools, std::string stack, std::string service, ContainerDetails old,
                          bool aside) {
  store::KeptRow row;
  row.stack_id = stack;
  row.service = service;
  row.container = old.id;
  row.name = old.name;
  row.state = old.state;
  row.policy = old.restart_policy.empty() ? "no" : old.restart_policy;
  row.retries = old.restart_retries;
  row.endpoints = json(old.endpoints).dump();
  row.aside = aside;
  auto write = [row](store::Database& db) { store::Kept::put(db, row); };
  co_await tools.journal.run(write);
}

awaitable<void> set_aside(Tools& tools, ContainerDetails old) {
  if (translate::is_kept(old.id, old.name)) co_return;
  if (!old.restart_policy.empty() && old.restart_policy != "no") {
    const std::string never = "no";
    co_await tools.engine.set_restart_policy(old.id, never, 0);
  }
  const auto name = translate::kept_name(old.id, old.name);
  co_await tools.engine.rename_container(old.id, name);
}

awaitable<void> put_back_one(Tools& tools, store::KeptRow row) {
  const auto there = co_await tools.engine.inspect_container(row.container);
  if (!there) throw Error(ErrorKind::not_found, "somebody has removed it");
  if (there->name != row.name) {
    co_await clear_place(tools, row.stack_id, row.name, row.container);
    co_await tools.engine.rename_container(row.container, row.name);
  }
  if (there->restart_policy != row.policy)
    co_await tools.engine.set_restart_policy(row.container, row.policy, row.retries);
}

awaitable<void> reconnect(Tools& tools, std::string stack, ContainerDetails container) {
  auto query = [stack](store::Database& db) { return store::Kept::of_stack(db, stack); };
  const auto rows = co_await tools.journal.run(query);
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const auto& one) { return one.container == container.id; });
  if (row == rows.end()) co_return;
  const auto endpoints = json::parse(row->endpoints).get<std::map<std::string, std::string>>();
  for (const auto& [name, settings] : endpoints) {
    if (container.networks.contains(name)) continue;
    const auto network = co_await network_named(tools, stack, name);
    const json body{{"Container", container.id}, {"EndpointConfig", json::parse(settings)}};
    co_await tools.engine.connect_network(network, body);
  }
}

}  // namespace stackd::steps
