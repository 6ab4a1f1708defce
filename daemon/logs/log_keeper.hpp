// LogKeeper: keeps the logs of process services within bounds (process/log_rotation.hpp). A process writes
// its log itself and tells nobody, so the sizes are looked at now and then.
#pragma once

#include <cstdint>

#include "daemon/async/file_thread.hpp"
#include "daemon/journal/journal.hpp"

namespace stackd::logs {

struct LogLimits {
  std::uint64_t size = 10'000'000;  // of a log before it is rotated
  int kept = 3;                     // old ones
};

// Runs until it is cancelled.
awaitable<void> keep_logs(journal::Journal& journal, async::FileThread& files, LogLimits limits);

}  // namespace stackd::logs
