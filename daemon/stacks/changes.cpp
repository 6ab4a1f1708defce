#include "daemon/stacks/changes.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "daemon/spec/identity.hpp"
#include "daemon/stacks/container_request.hpp"
#include "daemon/stacks/labels.hpp"
#include "daemon/util/ids.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;

// Services that `c` names as service:x, or takes volumes from.
std::vector<std::string> referred(const spec::Container& c) {
  constexpr std::string_view k_prefix = "service:";
  std::vector<std::string> names;
  for (const auto* mode : {&c.network_mode, &c.ipc, &c.pid})
    if (mode->starts_with(k_prefix)) names.push_back(mode->substr(k_prefix.size()));
  for (const auto& from : c.volumes_from)
    if (!from.starts_with("container:")) names.push_back(from.substr(0, from.find(':')));
  return names;
}

bool runs(const docker::ContainerSummary& container) {
  return container.state == "running" || container.state == "paused" || container.state == "restarting";
}

struct Networks {
  std::set<std::string> changed;  // with the label of another definition; one without it is left
  // Id and name of those that this stack made, by key: Podman's containers tell the name where an id belongs.
  std::map<std::string, std::array<std::string, 2>> made;
};

awaitable<Networks> look_at_networks(Services& services, Model model) {
  const docker::Engine::Filters filters{{"label", std::string(label::k_stack) + "=" + model.id}};
  const auto all = co_await services.engine.list_networks(filters);
  Networks seen;
  for (const auto& network : all) {
    const auto key = network.labels.find(label::k_network);
    const auto made_from = network.labels.find(label::k_definition);
    if (key == network.labels.end() || made_from == network.labels.end()) continue;
    const auto wanted = model.spec->networks.find(key->second);
    if (wanted == model.spec->networks.end() || wanted->second.external) continue;
    if (wanted->second.name != network.name) continue;
    seen.made[key->second] = {network.id, network.name};
    if (definition_of(wanted->second) != made_from->second) seen.changed.insert(key->second);
  }
  co_return seen;
}

awaitable<std::vector<std::string>> changed_volumes(Services& services, Model model) {
  const docker::Engine::Filters filters{{"label", std::string(label::k_stack) + "=" + model.id}};
  const auto all = co_await services.engine.list_volumes(filters);
  std::vector<std::string> changed;
  for (const auto& volume : all) {
    const auto key = volume.labels.find(label::k_volume);
    const auto made_from = volume.labels.find(label::k_definition);
    if (key == volume.labels.end() || made_from == volume.labels.end()) continue;
    const auto wanted = model.spec->volumes.find(key->second);
    if (wanted == model.spec->volumes.end() || wanted->second.external) continue;
    if (wanted->second.name == volume.name && definition_of(wanted->second) != made_from->second)
      changed.push_back(volume.name);
  }
  co_return changed;
}

// C8.2: it runs, and is not on a network that it should be on.
bool has_left(const docker::ContainerSummary& container, const spec::Service& service,
              const Networks& networks) {
  const auto& wanted = service.container->networks;
  return container.state == "running" && std::any_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
           const auto network = networks.made.find(entry.first);
           const auto& on = container.network_ids;
           return network != networks.made.end() &&
                  std::find_first_of(on.begin(), on.end(), network->second.begin(), network->second.end()) ==
                      on.end();
         });
}

void stop_first(const Observed& seen, const std::string& service, const std::string& reason, UpPlan& plan) {
  if (plan.stop_first.contains(service)) return;
  const auto containers = seen.containers.find(service);
  if (containers == seen.containers.end()) return;
  StopFirst stop{reason, {}};
  const auto scale = plan.scale.find(service);
  for (const auto& [number, container] : containers->second)
    if (runs(container) && (scale == plan.scale.end() || number <= scale->second))
      stop.containers.push_back(container);
  if (stop.containers.empty()) return;
  plan.stop_first[service] = std::move(stop);
  plan.fresh.insert(service);
}

bool will_be_recreated(const Model& model, const Observed& seen, const UpPlan& plan,
                       const spec::Service& service) {
  if (!service.container || !plan.fresh.contains(service.name)) return false;
  if (plan.recreate.contains(service.name)) return true;
  const auto containers = seen.containers.find(service.name);
  if (containers == seen.containers.end()) return false;
  const auto hash = container_definition(model, service, first_containers(seen));
  return plan.force_recreate ||
         std::any_of(containers->second.begin(), containers->second.end(),
                     [&](const auto& entry) { return label_of(entry.second, label::k_hash) != hash; });
}

// Until nothing new is found: each that is taken along may take others along.
void follow_dependencies(const Model& model, const Observed& seen, UpPlan& plan) {
  for (bool more = true; more;) {
    more = false;
    for (const auto& service : model.spec->services) {
      if (!plan.selected.contains(service.name) || !service.container) continue;
      const auto shared = referred(*service.container);
      for (const auto& [name, dependency] : service.depends_on) {
        const auto* other = model.spec->find(name);
        if (!other || !plan.selected.contains(name)) continue;
        const bool recreated = will_be_recreated(model, seen, plan, *other);
        const bool restarts = recreated || plan.stop_first.contains(name);
        const bool shares = std::find(shared.begin(), shared.end(), name) != shared.end();
        if (recreated && shares && seen.containers.contains(service.name) &&
            plan.recreate.insert(service.name).second)
          more = true;
        if (restarts && dependency.restart && !plan.stop_first.contains(service.name)) {
          stop_first(seen, service.name, "dependency-restart", plan);
          more = more || plan.stop_first.contains(service.name);
        }
      }
    }
  }
}

}  // namespace

std::string definition_of(const spec::Network& network) {
  auto pools = json::array();
  for (const auto& pool : network.ipam)
    pools.push_back({pool.subnet, pool.gateway, pool.ip_range, pool.aux_addresses});
  const json value{network.driver,      network.driver_opts,
                   network.labels,      network.internal,
                   network.attachable,  network.enable_ipv6.value_or(false),
                   network.ipam_driver, pools};
  return util::sha256_hex(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string definition_of(const spec::Volume& volume) {
  const json value{volume.driver, volume.driver_opts, volume.labels};
  return util::sha256_hex(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

bool refers_to_services(const spec::Container& container) {
  return !referred(container).empty();
}

std::string container_definition(const Model& model, const spec::Service& service,
                                 const std::map<std::string, std::string>& container_of) {
  auto hash = spec::config_hash(*model.spec, *model.facts, service);
  const auto names = referred(*service.container);
  if (names.empty()) return hash;
  for (const auto& name : names)
    if (const auto found = container_of.find(name); found != container_of.end()) hash += found->second;
  return util::sha256_hex(hash);
}

std::map<std::string, std::string> first_containers(const Observed& seen) {
  std::map<std::string, std::string> ids;
  for (const auto& [service, containers] : seen.containers)
    if (const auto first = containers.find(1); first != containers.end()) ids[service] = first->second.id;
  return ids;
}

awaitable<void> find_changes(Services& services, Model model, Observed seen, UpPlan& plan,
                             std::vector<std::string>& warnings) {
  if (!seen.engine_asked) co_return;
  const auto volumes = co_await changed_volumes(services, model);
  for (const auto& volume : volumes)
    warnings.push_back("volume '" + volume +
                       "' was made from another definition than the file's; it is used " +
                       "as it is, because what is in it would be lost (`down -v` removes it)");
  const auto there = co_await look_at_networks(services, model);
  plan.changed_networks = there.changed;
  for (const auto& service : model.spec->services) {
    if (!service.container || !seen.containers.contains(service.name)) continue;
    const auto& containers = seen.containers.at(service.name);
    const bool left = std::any_of(containers.begin(), containers.end(),
                                  [&](const auto& entry) { return has_left(entry.second, service, there); });
    if (left && plan.selected.contains(service.name)) {
      plan.fresh.insert(service.name);
      plan.recreate.insert(service.name);
    }
    const auto& networks = service.container->networks;
    const bool taken_along = std::any_of(networks.begin(), networks.end(), [&](const auto& entry) {
      return plan.changed_networks.contains(entry.first);
    });
    if (!taken_along) continue;
    plan.selected.insert(service.name);
    plan.fresh.insert(service.name);
    plan.recreate.insert(service.name);
    stop_first(seen, service.name, "recreate", plan);
  }
  follow_dependencies(model, seen, plan);
}

}  // namespace stackd::stacks
