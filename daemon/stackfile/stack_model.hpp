// A Spec as a resolved stack file: what `stackctl config` prints. Of a compose.yaml it is Compose's own
// canonical model (compose_model.hpp); of every other format a stackd.yaml that says the same: that model
// with stackd's keys around it, environment files read in, the profile chosen.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/model/spec.hpp"

namespace stackd::stackfile {

using namespace model;

nlohmann::json stack_model(const Spec& spec);
// Of a compose.yaml its keys that begin with x- below the top, by JSON pointer. Compose has them in its YAML
// and not in its JSON.
nlohmann::json nested_extensions(const Spec& spec);
// Of a compose.yaml its model as a text of JSON in the order in which Compose prints it; `yaml`: what its
// YAML is made of, with those keys.
std::string printed_model(const Spec& spec, bool yaml);

}  // namespace stackd::stackfile
