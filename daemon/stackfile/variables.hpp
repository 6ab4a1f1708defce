// Which variables compose files name, with what they say of each. Pure.
#pragma once

#include <vector>

#include "daemon/stackfile/load.hpp"
#include "daemon/yaml/yaml.hpp"

namespace stackd::stackfile {

// Of a tree that is not interpolated: by name, each once as its last place has it. The ones that stand in
// another one's default are there too. References of stackd's (`${services.db.host_port}`) are none.
std::vector<Variable> variables_in(const yaml::Value& tree);

}  // namespace stackd::stackfile
