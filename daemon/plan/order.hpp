// Who comes after whom. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/model/spec.hpp"

namespace stackd::plan {

// service -> services that it comes after: its depends_on, and for a process without that key every container
// that does not come after it (X33). Names that the spec does not have are left out. Never a circle, when
// the depends_on are none.
using Order = std::map<std::string, std::set<std::string>>;
Order comes_after(const model::Spec& spec);

// The named services and, with `dependencies`, all that they depend on; every service when none is named.
std::set<std::string> selection(const model::Spec& spec, const std::vector<std::string>& named,
                                bool dependencies);
// The named services and those that restart with them (depends_on with restart: true).
std::set<std::string> with_restarting(const model::Spec& spec, const std::vector<std::string>& named);
// The named services and all that depend on them (C10: `down SERVICE` takes its dependents too).
std::set<std::string> with_dependents(const model::Spec& spec, const std::vector<std::string>& named);

}  // namespace stackd::plan
