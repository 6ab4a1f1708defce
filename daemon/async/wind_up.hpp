// wind_up(): the end of an owner whose tasks may take a while, but not for ever.
#pragma once

#include <chrono>

#include "daemon/async/task_group.hpp"

namespace stackd::async {

// Until no task is left. After `limit` they are cancelled. As join(), not to be skipped.
awaitable<void> wind_up(TaskGroup& tasks, std::chrono::milliseconds limit);

}  // namespace stackd::async
