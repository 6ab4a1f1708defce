// Spec as JSON and back: how it is stored and hashed. Fields at their default are left out, so that a new
// field with a default changes no hash.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/model/spec.hpp"

namespace stackd::model {

nlohmann::json to_json(const Spec& spec);
Spec spec_from_json(const nlohmann::json& value);
nlohmann::json to_json(const Service& service);
nlohmann::json to_json(const Hook& hook);
nlohmann::json to_json(const Network& network);

}  // namespace stackd::model
