// Records of hooks that no hooks::HookRunner runs: those of builds and of pre_run.
#pragma once

#include <optional>
#include <string>

#include "daemon/hooks/tools.hpp"
#include "daemon/model/stack.hpp"

namespace stackd::hooks {

struct RunEnd {
  std::string state;  // succeeded, failed, skipped, cancelled
  std::string out, err;
  std::optional<int> exit_code;
  std::string reason;  // "" keeps why it ran
};

// Not written yet.
store::HookRunRow hook_row(const Tools& tools, const store::OperationRow& operation, int step,
                           const model::Hook& hook, const std::string& id);
awaitable<std::optional<store::HookRunRow>> known_run(Tools& tools, std::string id);
awaitable<void> begin_run(Tools& tools, store::HookRunRow row);
// Returns the row as it was written. What it printed is masked; its log is the caller's.
awaitable<store::HookRunRow> end_run(Tools& tools, model::Stack stack, store::HookRunRow row, RunEnd end);
awaitable<void> skip_run(Tools& tools, store::HookRunRow row, std::string why);

}  // namespace stackd::hooks
