// An operation that loses its engine in the middle waits for it and goes on; it does not fail with half of
// its work done and no engine to take that away.
#pragma once

#include "daemon/operations/runner.hpp"
#include "daemon/steps/common/tools.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {

// Until the engine answers and all was listed, at most Tools::engine_patience. What an up has started and the
// engine has lost is started again then, in the order of the stack, as the engine's own restart policy would;
// the hooks that come after a start are then owed, and the keeper sees to them (X30). A plan that begins
// while the engine has long been away is not worth the wait. Throws `lost` when it stays away; cancellable.
awaitable<void> wait_for_engine(Tools& tools, operations::StepContext context, util::Error lost);

// The work, given up with Error(no_engine) when the engine goes away meanwhile: for what waits for a
// container and asks the engine nothing, or has its answer from the container's end, which nobody tells then.
awaitable<void> while_engine_is_there(Tools& tools, awaitable<void> work);

}  // namespace stackd::steps
