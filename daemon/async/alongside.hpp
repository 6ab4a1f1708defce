// alongside(): one coroutine with a helper beside it (a stream and the watch on its client, events and their
// heartbeat).
#pragma once

#include "daemon/async/asio.hpp"

namespace stackd::async {

// Runs both. The helper is cancelled when the task has ended; the task is cancelled when the helper has ended
// first, which is the one case that returns false. Throws what the task threw, unless it was cancelled that
// way; an exception of the helper only ends the helper. Both have ended when this returns.
awaitable<bool> alongside(awaitable<void> task, awaitable<void> helper);

}  // namespace stackd::async
