// Records of hooks that no hooks::HookRunner runs: those of builds and of pre_run.
#pragma once

#include <optional>
#include <string>

#include "daemon/stacks/services.hpp"

namespace stackd::stacks {

struct RunEnd {
  std::string state;  // succeeded, failed, skipped, cancelled
  std::string out, err;
  std::optional<int> exit_code;
  std::string reason;  // "" keeps why it ran
};

// Not written yet.
store::HookRunRow hook_row(const Services& services, const store::OperationRow& operation, int step,
                           const spec::Hook& hook, const std::string& id);
awaitable<std::optional<store::HookRunRow>> known_run(Services& services, std::string id);
awaitable<void> begin_run(Services& services, store::HookRunRow row);
// Returns the row as it was written. What it printed is masked; its log is the caller's.
awaitable<store::HookRunRow> end_run(Services& services, Model model, store::HookRunRow row, RunEnd end);
awaitable<void> skip_run(Services& services, store::HookRunRow row, std::string why);

}  // namespace stackd::stacks
