#include "daemon/hooks/context.hpp"

namespace stackd::hooks {

using nlohmann::json;

json context_of(const model::Stack& stack, const std::map<std::string, world::ContainerState>& states,
                const json& previous) {
  json services = json::object(), ports = json::object(), containers = json::object();
  for (const auto& service : stack.spec->services) {
    services[service.name] = {
        {"kind", model::to_string(service.kind)}, {"ports", json::object()}, {"containers", json::array()}};
    if (const auto found = stack.facts->ports.find(service.name); found != stack.facts->ports.end())
      services[service.name]["ports"] = ports[service.name] = found->second;
  }
  for (const auto& [id, state] : states) {
    if (!stack.spec->find(state.service)) continue;
    const json container{{"id", id}, {"name", state.name}, {"state", state.state}, {"health", state.health}};
    services[state.service]["containers"].push_back(container);
    containers[state.service].push_back(container);
  }
  return {{"stack",
           {{"id", stack.id},
            {"name", stack.spec->name},
            {"directory", stack.spec->directory},
            {"profile", stack.spec->profile}}},
          {"services", std::move(services)},
          {"ports", std::move(ports)},
          {"containers", std::move(containers)},
          {"previous", previous}};
}

}  // namespace stackd::hooks
