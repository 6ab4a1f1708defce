#include "daemon/plan/snapshot.hpp"

namespace stackd::plan {

const std::map<int, Container>& Snapshot::of(const std::string& service) const {
  static const std::map<int, Container> k_none;
  const auto found = containers.find(service);
  return found == containers.end() ? k_none : found->second;
}

std::map<std::string, std::string> first_containers(const Snapshot& seen) {
  std::map<std::string, std::string> ids;
  for (const auto& [service, containers] : seen.containers)
    if (const auto first = containers.find(1); first != containers.end()) ids[service] = first->second.id;
  return ids;
}

}  // namespace stackd::plan
