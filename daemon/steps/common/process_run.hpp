// Runs of a service's process. The row that points to a run is committed before the shim is asked, so a
// process is started once, whatever happens (process/runs.hpp). Control thread.
#pragma once

#include <string>

#include "daemon/model/stack.hpp"
#include "daemon/process/types.hpp"
#include "daemon/steps/common/tools.hpp"

namespace stackd::steps {

struct NewRun {
  std::string name;       // of its directory; that of the row, when the row was written already
  std::string operation;  // id
  std::string what;       // for the service's log: what it is that begins here
  int restarts = 0, streak = 0;
};
// `known`: the service's row, if it has one. `stack` was looked at right before (Models::fresh).
awaitable<void> begin_run(Tools& tools, model::Stack stack, std::string service,
                          std::optional<store::ProcessRow> known, NewRun run);

// That of the row, should it not have begun: the daemon that wrote the row died before.
awaitable<void> begin_named(Tools& tools, store::ProcessRow row);

// The service's last run, if it has had one.
awaitable<std::optional<store::ProcessRow>> process_row(Tools& tools, std::string stack, std::string service);

// A process that ends while the operation that has started it still runs is started again as its `restart`
// says; afterwards that is the keeper's. Waits until the pause before it is over. Nothing when it is not
// started again: its policy does not want it, its tries are used up, or somebody has taken it away or its
// place meanwhile. Cancelled, it leaves nothing half done.
awaitable<std::optional<store::ProcessRow>> start_again(Tools& tools, store::ProcessRow ended,
                                                        process::RunExit exit);
// Taken by whoever starts a service's process again or takes it away: "<stack> <service>".
std::string process_lock(const std::string& stack, const std::string& service);

}  // namespace stackd::steps
