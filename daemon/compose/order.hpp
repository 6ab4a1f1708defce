// A canonical model in the order in which Docker Compose prints it. Pure.
#pragma once

#include <nlohmann/json.hpp>

namespace stackd::compose {

// As `docker compose config --format json` has it: the top level by name, the rest by the order of the
// tables in keys.hpp; what is in no table comes last, by name.
nlohmann::ordered_json in_order(const nlohmann::json& model);

// As `docker compose config` has it: services first, and what JSON shows empty for want of a value is left
// out. `model` may hold keys that begin with x-, anywhere.
nlohmann::ordered_json in_yaml_order(const nlohmann::json& model);

// As its YAML has a model that is not interpolated, and every mapping of names: sorted as people count, v2
// before v10, and what is no letter before letters.
nlohmann::ordered_json in_name_order(const nlohmann::json& value);

}  // namespace stackd::compose
