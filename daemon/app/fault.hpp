// For crash tests: STACKD_CRASH_AT="before:N" or "after:N" ends the process, as kill -9 would, at its Nth
// commit.
#pragma once

#include "daemon/store/database.hpp"

namespace stackd::app {

// Does nothing without the variable. Throws invalid_request when it makes no sense.
void arm_fault(store::Database& db);

}  // namespace stackd::app
