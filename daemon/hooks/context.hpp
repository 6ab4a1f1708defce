// What STACKD_CONTEXT holds: services, ports, containers, the previous result. Pure.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/model/stack.hpp"
#include "daemon/world/monitor.hpp"

namespace stackd::hooks {

// `containers`: by id. Ports and containers are there by service, and once more by themselves.
nlohmann::json context_of(const model::Stack& stack,
                          const std::map<std::string, world::ContainerState>& containers,
                          const nlohmann::json& previous);

}  // namespace stackd::hooks
