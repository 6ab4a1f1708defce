// Ends an exec that the daemon itself began and gave up, a probe's that was out of time: the engine leaves
// such a one running in the container, for good if it hangs.
#pragma once

#include <chrono>
#include <string>

#include "daemon/async/asio.hpp"

namespace stackd::process {

struct HungExec {
  std::string engine_host, api_version;  // as in RunRequest
  std::string container;                 // its whole id
  int pid = 0;                           // of the exec's process, as the engine says it
  std::string mark;                      // "STACKD_RUN=…" in its environment, as a run's
};

// TERM to its tree, `grace`, KILL, as a run's (shim/container_tree.hpp), and until it has gone. Returns as
// well when nothing of it can be seen from this machine, or it cannot be ended. Cancellable.
awaitable<void> end_exec(HungExec exec, std::chrono::milliseconds grace);

}  // namespace stackd::process
