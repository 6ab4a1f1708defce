#include "daemon/plan/snapshot.hpp"

namespace stackd::plan {

const std::map<int, Container>& Snapshot::of(const std::string& service) const {
  static const std::map<int, Container> k_none;
  const auto found = containers.find(service);
  return found == containers.end() ? k_none : found->second;
}

const HookOutlook* Snapshot::outlook(const std::string& service, model::Phase phase, int index) const {
  for (const auto& one : hooks)
    if (one.service == service && one.phase == phase && one.index == index) return &one;
  return nullptr;
}

std::map<std::string, std::string> first_containers(const Snapshot& seen) {
  std::map<std::string, std::string> ids;
  for (const auto& [service, containers] : seen.containers)
    if (const auto first = containers.find(1); first != containers.end()) ids[service] = first->second.id;
  return ids;
}

}  // namespace stackd::plan
