// A JSON document as YAML in block style, quoted as the library quotes that Docker Compose has. Keys keep the
// document's order.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace stackd::client {

std::string yaml_text(const nlohmann::ordered_json& document);

}  // namespace stackd::client
