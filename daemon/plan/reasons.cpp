#include "daemon/plan/reasons.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/model/json.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/translate/definitions.hpp"

namespace stackd::plan {
namespace {

using model::Service;
using nlohmann::json;
using What = Verdict::What;

// As the file has it: a container's keys are the service's own, and what it mounts are its volumes.
json as_written(json document) {
  for (const char* part : {"container", "process"})
    if (const auto found = document.find(part); found != document.end()) {
      const json inner = *found;
      document.erase(part);
      document.update(inner);
    }
  if (const auto mounts = document.find("mounts"); mounts != document.end()) {
    document["volumes"] = *mounts;
    document.erase("mounts");
  }
  if (const auto hooks = document.find("hooks"); hooks != document.end()) {
    json named = json::object();
    for (const auto& hook : *hooks)
      named[hook.value("phase", "") + "[" + std::to_string(hook.value("index", 0)) + "]"] = hook;
    document.erase("hooks");
    document.update(named);
  }
  return document;
}

std::string state_text(const std::string& state) {
  return state == "exited" ? "it has exited" : "it is " + state;
}

}  // namespace

std::string changed_text(const std::vector<Change>& changes) {
  return changes.empty() ? "its definition is another one" : keys_of(changes) + " changed";
}

// Only when the former spec is what the thing was made from can its values be told.
std::vector<Change> Reasons::changes_of(const Service& service, const std::string& definition) const {
  const auto* former = before_ ? before_->spec->find_known(service.name) : nullptr;
  if (!former || former->container.has_value() != service.container.has_value()) return {};
  if (!service.container) {
    if (translate::process_definition(*before_, *former) != definition) return {};
    return differences(translate::process_document(*before_, *former),
                       translate::process_document(now_, service));
  }
  const auto first = first_containers(seen_);
  if (translate::container_definition(*before_, *former, first) != definition) return {};
  return differences(as_written(resolve::config_of(*before_->spec, *before_->facts, *former)),
                     as_written(resolve::config_of(*now_.spec, *now_.facts, service)));
}

std::vector<Change> Reasons::of_network(const std::string& key) const {
  const auto made = seen_.networks.find(key);
  if (!before_ || made == seen_.networks.end()) return {};
  const auto former = before_->spec->networks.find(key);
  if (former == before_->spec->networks.end() ||
      translate::definition_of(former->second) != made->second.definition)
    return {};
  return differences(model::to_json(former->second), model::to_json(now_.spec->networks.at(key)));
}

// X36: an entry that is to run before the service starts.
std::string Reasons::why_due(const Service& service) const {
  for (const auto& one : seen_.hooks)
    if (one.service == service.name && !one.due.empty() &&
        model::row_of(one.phase).direction == model::Direction::up && !model::row_of(one.phase).after_start)
      return model::to_string(one.phase) + "[" + std::to_string(one.index) + "] is to run: " + one.due;
  return "";
}

std::string Reasons::why_recreated(const Service& service) const {
  for (const auto& [key, attachment] : service.container->networks)
    if (choice_.changed_networks.contains(key)) return "network " + key + " is made anew";
  for (const auto& name : translate::services_referred_to(*service.container))
    if (choice_.fresh.contains(name)) return "it lives in the namespace of " + name + ", which is made anew";
  const auto due = why_due(service);
  return due.empty() ? "it is not on a network that it should be on" : due;
}

std::string Reasons::why_stopped(const Service& service) const {
  for (const auto& [name, dependency] : service.depends_on)
    if (dependency.restart && (choice_.fresh.contains(name) || choice_.stop_first.contains(name)))
      return "it restarts with " + name;
  return "it restarts with what it depends on";
}

Verdict Reasons::of_replica(const Service& service, int number) const {
  const auto& there = seen_.of(service.name);
  const auto found = there.find(number);
  if (found == there.end())
    return {What::create, there.empty() ? "it is not there" : "there are fewer than its scale says", {}};
  const auto& container = found->second;
  if (container.foreign) return {What::recreate, "Docker Compose has made it; it is taken over", {}};
  if (choice_.force_recreate) return {What::recreate, "--force-recreate", {}};
  if (choice_.recreate.contains(service.name)) return {What::recreate, why_recreated(service), {}};
  if (container.state == "dead") return {What::recreate, "it is dead", {}};
  if (container.state == "created") return {What::recreate, "it has never started", {}};
  if (container.definition != translate::container_definition(now_, service, first_containers(seen_))) {
    auto changes = changes_of(service, container.definition);
    auto reason = changed_text(changes);
    return {What::recreate, std::move(reason), std::move(changes)};
  }
  const auto* image = made_from(now_, service, seen_);
  if (!image) return {What::recreate, "its image is not here, and is made or pulled first", {}};
  if (container.image_id != image->id) return {What::recreate, "its image is another one now", {}};
  if (choice_.rebuild && choice_.fresh.contains(service.name))
    return {What::recreate, "--rebuild makes its image anew", {}};
  if (choice_.stop_first.contains(service.name)) return {What::restart, why_stopped(service), {}};
  if (!container.runs()) return {What::start, state_text(container.state), {}};
  return {};
}

Verdict Reasons::of_process(const Service& service) const {
  const auto found = seen_.processes.find(service.name);
  const bool there = found != seen_.processes.end() && found->second.alive;
  if (!choice_.fresh.contains(service.name)) return {};
  if (found == seen_.processes.end()) return {What::start, "it does not run", {}};
  if (choice_.force_recreate) return {there ? What::restart : What::start, "--force-recreate", {}};
  if (choice_.stop_first.contains(service.name)) return {What::restart, why_stopped(service), {}};
  if (found->second.definition != translate::process_definition(now_, service)) {
    auto changes = changes_of(service, found->second.definition);
    auto reason = changed_text(changes);
    return {there ? What::restart : What::start, std::move(reason), std::move(changes)};
  }
  if (!there) return {What::start, "it does not run", {}};
  const auto due = why_due(service);
  return {What::restart, due.empty() ? "it is made anew" : due, {}};
}

}  // namespace stackd::plan
