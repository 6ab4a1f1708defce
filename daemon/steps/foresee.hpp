// What an up will find, before it is written: so that one that has nothing to do costs one commit.
#pragma once

#include <optional>

#include "daemon/plan/plan.hpp"
#include "daemon/steps/common/look.hpp"

namespace stackd::steps {

// What its first step comes to, by these lists, when everything is as it should be and no hook is due.
// Nothing when there is something to do, or when that cannot be told without doing something: the step looks
// itself then.
awaitable<std::optional<operations::Outcome>> foresee_up(Tools& tools, model::Stack stack,
                                                         store::OperationRow operation, Lists lists);

// The end of the step that made the plan.
operations::Outcome outcome_of_up(const std::string& stack, plan::Plan plan);

}  // namespace stackd::steps
