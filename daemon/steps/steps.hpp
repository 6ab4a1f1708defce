// What each step kind does. Every function is safe to run again (rule 2 of operations/runner.hpp); its file
// says how it finds out what was done before. `add_step_kinds` is the table.
#pragma once

#include <map>
#include <string>

#include "daemon/steps/common/step.hpp"
#include "daemon/steps/common/tools.hpp"

namespace stackd::steps {

void add_step_kinds(operations::Runner& runner, Tools& tools);
// What becomes of the stack when operations start, end and fail (policy.cpp).
operations::Policy operation_policy();

}  // namespace stackd::steps
