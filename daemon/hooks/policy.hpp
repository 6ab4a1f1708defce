// The rules of a hook's fields (design.md, table of hook fields), as pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "daemon/process/runs.hpp"
#include "daemon/spec/environment.hpp"
#include "daemon/spec/spec.hpp"

namespace stackd::hooks {

enum class Place { host, exec, container, build, entrypoint };
std::string to_string(Place place);

// "before_up[0]", "db pre_start[1]".
std::string label_of(const spec::Hook& hook);

// Where an entry runs: its run_in, else its phase's own place.
Place place_of(const spec::Hook& hook);

// What becomes of the operation when the entry fails, with the phase's default filled in.
spec::OnFailure on_failure_of(const spec::Hook& hook, bool down);
// None in up phases unless runtime.hook_timeout sets one; 60 s in down phases, so that teardown ends. A
// hook's own 0 is none.
std::optional<std::chrono::milliseconds> timeout_of(const spec::Hook& hook, const spec::Runtime& runtime,
                                                    bool down);

// Why `if` says no; empty when it holds. `environment` is what the hook would get.
std::string condition_not_met(const spec::Hook& hook, const std::string& profile,
                              const spec::Variables& environment, const std::string& previous_state);

// Hash of what the entry does: its text, place, environment and conditions, but not its index or its limits.
// What `run: once` and a pre_start are remembered by.
std::string identity_of(const spec::Hook& hook);
// What `run: changed` looks at beside that: hash of the files that the entry's inputs name (relative to
// `directory`; a directory stands for all below it) and of the image. Blocks.
std::string state_of_inputs(const spec::Hook& hook, const std::string& directory,
                            const std::string& image_id);

// The words for a failed run: "db hook exited with status 1: <tail>" in containers (C2.9), "before_up[0]
// exited with status 1: <tail>" on the host.
std::string failure_text(const spec::Hook& hook, Place place, const process::RunExit& exit);

}  // namespace stackd::hooks
