// A Spec as a resolved stack file: what `stackctl config` prints. Of a compose.yaml it is Compose's own
// canonical model (compose_model.hpp); of every other format a stackd.yaml that says the same: that model
// with stackd's keys around it, environment files read in, the profile chosen.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/model/spec.hpp"
#include "daemon/stackfile/yaml.hpp"

namespace stackd::stackfile {

using namespace model;

nlohmann::json stack_model(const Spec& spec);

// A tree as JSON; what stands without quotes may be a number, a bool or null.
nlohmann::json json_of(const Value& value);

}  // namespace stackd::stackfile
