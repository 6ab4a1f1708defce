// stackctl's exit codes (design.md, "Client").
#pragma once

namespace stackd::proto {

enum ExitCode {
  k_done = 0,
  k_operation_failed = 1,
  k_bad_usage = 2,  // or an invalid stack file
  k_no_daemon = 3,
  k_no_engine = 4,
  k_not_found = 5,  // no such stack, service or operation
  k_conflict = 6,   // another operation runs
  k_to_do = 10,     // --dry-run and diff: there is something to do
  k_cancelled = 130,
};

}  // namespace stackd::proto
