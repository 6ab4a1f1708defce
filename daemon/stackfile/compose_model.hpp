// A Spec as Compose's own canonical model: what `docker compose config --format json` prints for the same
// files. Short forms are long, paths absolute, variables filled in, `$` doubled, x-* keys kept. What stackd
// adds is not in it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/model/spec.hpp"

namespace stackd::stackfile {

using namespace model;

// Pure. Container services only: Compose has no others.
nlohmann::json compose_model(const Spec& spec);
// Of a compose.yaml the same with its `models`, which Compose has in its YAML alone.
nlohmann::json compose_model_with_models(const Spec& spec);

}  // namespace stackd::stackfile
