#include "daemon/plan/order.hpp"

#include <functional>

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

}  // namespace

Order comes_after(const model::Spec& spec) {
  const auto edges = declared(spec);
  auto order = edges;
  for (const auto& process : spec.services) {
    if (process.kind == model::ServiceKind::container || process.depends_on_given) continue;
    for (const auto& container : spec.services) {
      if (container.kind != model::ServiceKind::container) continue;
      std::set<std::string> below;
      reach(edges, container.name, below);
      if (!below.contains(process.name)) order[process.name].insert(container.name);
    }
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
  Edges reversed;
  for (const auto& service : spec.services)
    for (const auto& [name, dependency] : service.depends_on)
      if (dependency.restart) reversed[name].insert(service.name);
  std::set<std::string> chosen;
  for (const auto& name : named) reach(reversed, name, chosen);
  return chosen;
}

std::set<std::string> with_dependents(const model::Spec& spec, const std::vector<std::string>& named) {
  if (named.empty()) return selection(spec, named, false);
  Edges reversed;
  for (const auto& [service, needs] : declared(spec))
    for (const auto& need : needs) reversed[need].insert(service);
  std::set<std::string> chosen;
  for (const auto& name : named) reach(reversed, name, chosen);
  return chosen;
}

}  // namespace stackd::plan
