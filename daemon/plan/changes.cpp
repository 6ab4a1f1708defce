#include "daemon/plan/changes.hpp"

#include <algorithm>

#include "daemon/translate/definitions.hpp"

namespace stackd::plan {
namespace {

void warn_of_volumes(const model::Stack& stack, const Snapshot& seen, std::vector<std::string>& warnings) {
  for (const auto& [key, made] : seen.volumes) {
    const auto wanted = stack.spec->volumes.find(key);
    if (wanted == stack.spec->volumes.end() || wanted->second.external || wanted->second.name != made.name ||
        translate::definition_of(wanted->second) == made.definition)
      continue;
    warnings.push_back("volume '" + made.name +
                       "' was made from another definition than the file's; it is used "
                       "as it is, because what is in it would be lost (`down -v` removes it)");
  }
}

// The file's own networks that this stack has made.
std::map<std::string, Made> own_networks(const model::Stack& stack, const Snapshot& seen) {
  std::map<std::string, Made> own;
  for (const auto& [key, made] : seen.networks) {
    const auto wanted = stack.spec->networks.find(key);
    if (wanted != stack.spec->networks.end() && !wanted->second.external && wanted->second.name == made.name)
      own.emplace(key, made);
  }
  return own;
}

// C8.2: it runs, and is not on a network that it should be on. Podman's containers tell a name where an id
// belongs.
bool has_left(const Container& container, const model::Service& service,
              const std::map<std::string, Made>& networks) {
  const auto& on = container.network_ids;
  const auto& wanted = service.container->networks;
  return container.runs() && std::any_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
           const auto network = networks.find(entry.first);
           return network != networks.end() &&
                  std::find(on.begin(), on.end(), network->second.id) == on.end() &&
                  std::find(on.begin(), on.end(), network->second.name) == on.end();
         });
}

void stop_first(const Snapshot& seen, const model::Service& service, const std::string& reason,
                UpChoice& choice) {
  if (choice.stop_first.contains(service.name)) return;
  StopFirst stop{reason, {}};
  if (service.container) {
    const auto scale = choice.scale.find(service.name);
    for (const auto& [number, container] : seen.of(service.name))
      if (container.alive() && (scale == choice.scale.end() || number <= scale->second))
        stop.containers.push_back(container);
  } else if (const auto process = seen.processes.find(service.name); process != seen.processes.end()) {
    stop.process = process->second.alive;
  }
  if (stop.containers.empty() && !stop.process) return;
  choice.stop_first[service.name] = std::move(stop);
  choice.replaced.erase(service.name);
  choice.fresh.insert(service.name);
}

bool will_be_recreated(const model::Stack& stack, const Snapshot& seen, const UpChoice& choice,
                       const model::Service& service) {
  if (!service.container) return choice.replaced.contains(service.name);
  if (!choice.fresh.contains(service.name)) return false;
  if (choice.recreate.contains(service.name)) return true;
  const auto& containers = seen.of(service.name);
  if (containers.empty()) return false;
  const auto hash = translate::container_definition(stack, service, first_containers(seen));
  return choice.force_recreate || std::any_of(containers.begin(), containers.end(), [&](const auto& entry) {
           return entry.second.definition != hash;
         });
}

// Until nothing new is found: each that is taken along may take others along.
void follow_dependencies(const model::Stack& stack, const Snapshot& seen, UpChoice& choice) {
  for (bool more = true; more;) {
    more = false;
    for (const auto& service : stack.spec->services) {
      if (!choice.selected.contains(service.name)) continue;
      const auto shared = service.container ? translate::services_referred_to(*service.container) : Keys{};
      for (const auto& [name, dependency] : service.depends_on) {
        const auto* other = stack.spec->find(name);
        if (!other || !choice.selected.contains(name)) continue;
        const bool recreated = will_be_recreated(stack, seen, choice, *other);
        const bool restarts = recreated || choice.stop_first.contains(name);
        const bool shares = std::find(shared.begin(), shared.end(), name) != shared.end();
        if (recreated && shares && seen.containers.contains(service.name) &&
            choice.recreate.insert(service.name).second)
          more = true;
        if (restarts && dependency.restart && !choice.stop_first.contains(service.name)) {
          stop_first(seen, service, "dependency-restart", choice);
          more = more || choice.stop_first.contains(service.name);
        }
      }
    }
  }
}

// C8.7, C8.2
void look_at_networks(const model::Stack& stack, const Snapshot& seen, UpChoice& choice) {
  const auto networks = own_networks(stack, seen);
  for (const auto& [key, made] : networks)
    if (translate::definition_of(stack.spec->networks.at(key)) != made.definition)
      choice.changed_networks.insert(key);
  for (const auto& service : stack.spec->services) {
    if (!service.container || !seen.containers.contains(service.name)) continue;
    const auto& containers = seen.of(service.name);
    const bool left = std::any_of(containers.begin(), containers.end(), [&](const auto& entry) {
      return has_left(entry.second, service, networks);
    });
    if (left && choice.selected.contains(service.name)) {
      choice.fresh.insert(service.name);
      choice.recreate.insert(service.name);
    }
    const auto& wanted = service.container->networks;
    const bool taken_along = std::any_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
      return choice.changed_networks.contains(entry.first);
    });
    if (!taken_along) continue;
    choice.selected.insert(service.name);
    choice.fresh.insert(service.name);
    choice.recreate.insert(service.name);
    stop_first(seen, service, "recreate", choice);
  }
}

}  // namespace

void find_changes(const model::Stack& stack, const Snapshot& seen, UpChoice& choice,
                  std::vector<std::string>& warnings) {
  if (seen.engine) {
    warn_of_volumes(stack, seen, warnings);
    look_at_networks(stack, seen, choice);
  }
  follow_dependencies(stack, seen, choice);
}

}  // namespace stackd::plan
