#include "daemon/plan/order.hpp"

namespace stackd::plan {
namespace {

using Edges = std::map<std::string, std::set<std::string>>;

void reach(const Edges& edges, const std::string& from, std::set<std::string>& seen) {
  if (!seen.insert(from).second) return;
  if (const auto found = edges.find(from); found != edges.end())
    for (const auto& next : found->second) reach(edges, next, seen);
}

Edges declared(const model::Spec& spec) {
  Edges edges;
  for (const auto& service : spec.services) {
    auto& needs = edges[service.name];
    for (const auto& [name, dependency] : service.depends_on)
      if (spec.find(name)) needs.insert(name);
  }
  return edges;
}

Edges reversed(const Edges& edges) {
  Edges out;
  for (const auto& [service, needs] : edges)
    for (const auto& need : needs) out[need].insert(service);
  return out;
}

}  // namespace

Order comes_after(const model::Spec& spec) {
  auto order = declared(spec);
  for (const auto& process : spec.services) {
    if (process.kind == model::ServiceKind::container || process.depends_on_given) continue;
    // Also by what an earlier process of the file waits for: two that have a container each that depends on
    // them would wait for each other.
    std::set<std::string> behind;
    reach(reversed(order), process.name, behind);
    for (const auto& container : spec.services)
      if (container.kind == model::ServiceKind::container && !behind.contains(container.name))
        order[process.name].insert(container.name);
  }
  return order;
}

std::set<std::string> selection(const model::Spec& spec, const std::vector<std::string>& named,
                                bool dependencies) {
  std::set<std::string> chosen;
  if (named.empty())
    for (const auto& service : spec.services) chosen.insert(service.name);
  const auto edges = declared(spec);
  for (const auto& name : named) {
    if (dependencies)
      reach(edges, name, chosen);
    else
      chosen.insert(name);
  }
  return chosen;
}

std::set<std::string> with_restarting(const model::Spec& spec, const std::vector<std::string>& named) {
  Edges dependents;
  for (const auto& service : spec.services)
    for (const auto& [name, dependency] : service.depends_on)
      if (dependency.restart) dependents[name].insert(service.name);
  std::set<std::string> chosen;
  for (const auto& name : named) reach(dependents, name, chosen);
  return chosen;
}

std::set<std::string> with_dependents(const model::Spec& spec, const std::vector<std::string>& named) {
  if (named.empty()) return selection(spec, named, false);
  const auto dependents = reversed(declared(spec));
  std::set<std::string> chosen;
  for (const auto& name : named) reach(dependents, name, chosen);
  return chosen;
}

}  // namespace stackd::plan
