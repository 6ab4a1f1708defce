// One service in its long forms. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/compose/canonical.hpp"

namespace stackd::compose {

// Of a service as json_of reads it: short forms become long, a list that is a set has each value once,
// defaults are there, paths absolute, what Compose implies is written.
void lengthen_service(nlohmann::json& service, const ModelRequest& request);

// The same before interpolation: what a variable hides stays as it is written.
void lengthen_written(nlohmann::json& service, const ModelRequest& request);

// "127.0.0.1:8000-8002:80-82/udp" as ports in the long form, in Compose's order; null when it is none.
nlohmann::json long_ports(const std::string& text);

// "./data:/data:ro" as a mount in the long form, its source as written; null when it is none.
nlohmann::json long_mount(const std::string& text);

}  // namespace stackd::compose
