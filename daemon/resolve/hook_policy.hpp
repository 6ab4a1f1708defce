// The rules of a hook's fields (design.md, table of hook fields), the phase's defaults filled in. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "daemon/model/spec.hpp"
#include "daemon/resolve/environment.hpp"

namespace stackd::resolve {

// "before_up[0]", "db pre_start[1]".
std::string label_of(const Hook& hook);

// Where an entry runs: its run_in, else its phase's own place.
HookPlace place_of(const Hook& hook);

// What becomes of the operation when the entry fails.
OnFailure on_failure_of(const Hook& hook);
bool is_down(const Hook& hook);
// None in up phases unless runtime.hook_timeout sets one; 60 s in down phases, so that teardown ends. A
// hook's own 0 is none.
std::optional<std::chrono::milliseconds> timeout_of(const Hook& hook, const Runtime& runtime);

// Why `if` says no; empty when it holds. `environment` is what the hook would get.
std::string condition_not_met(const Hook& hook, const std::string& profile, const Variables& environment,
                              const std::string& previous_state);

// Hash of what the entry does: its text, place, environment and conditions, but not its index or its limits.
// What `run: once` and a pre_start are remembered by.
std::string identity_of(const Hook& hook);

}  // namespace stackd::resolve
