// What each step kind does. Every function is safe to run again (rule 2 of operations/runner.hpp); its file
// says how it finds out what was done before. `add_step_kinds` is the table.
#pragma once

#include "daemon/operations/runner.hpp"
#include "daemon/stacks/services.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {

using operations::Outcome;
using operations::StepContext;

void add_step_kinds(operations::Runner& runner, Services& services);
// What becomes of the stack when operations start, end and fail.
operations::Policy operation_policy();

// plan (steps_plan.cpp): look, decide, and emit the steps that follow
awaitable<Outcome> plan_up_step(Services& services, StepContext context);
awaitable<Outcome> plan_down_step(Services& services, StepContext context);  // down and stop
awaitable<Outcome> plan_rollback_step(Services& services, StepContext context);
awaitable<Outcome> plan_recover_step(Services& services, StepContext context);
// env_from (steps_env.cpp)
awaitable<Outcome> env_from_step(Services& services, StepContext context);
bool has_env_from(const Model& model);
// What an earlier up has got of commands that the file does not have any more.
awaitable<void> forget_env_from(Services& services, Model model);
// Of a step that was cancelled: its command has nobody any more who waits for it.
awaitable<void> end_env_from(Services& services, Model model, std::string operation, int ordinal);
// containers (steps_container.cpp)
awaitable<Outcome> create_step(Services& services, StepContext context);
awaitable<Outcome> start_step(Services& services, StepContext context);
awaitable<Outcome> stop_step(Services& services, StepContext context);
awaitable<Outcome> remove_step(Services& services, StepContext context);
// readiness (steps_ready.cpp)
awaitable<Outcome> ready_step(Services& services, StepContext context);
awaitable<Outcome> ready_process_step(Services& services, StepContext context);
awaitable<Outcome> completed_step(Services& services, StepContext context);
awaitable<Outcome> settle_step(Services& services, StepContext context);
// images, networks, volumes (steps_shared.cpp)
awaitable<Outcome> image_step(Services& services, StepContext context);
awaitable<Outcome> network_step(Services& services, StepContext context);
awaitable<Outcome> volume_step(Services& services, StepContext context);
awaitable<Outcome> remove_networks_step(Services& services, StepContext context);
awaitable<Outcome> remove_volumes_step(Services& services, StepContext context);
awaitable<Outcome> remove_images_step(Services& services, StepContext context);
// Moat's hooks (steps_build.cpp, steps_pre_run.cpp)
awaitable<Outcome> derive_step(Services& services, StepContext context);
awaitable<Outcome> pre_run_step(Services& services, StepContext context);
// hooks (steps_hook.cpp)
awaitable<Outcome> hook_step(Services& services, StepContext context);
awaitable<Outcome> end_hook_step(Services& services, StepContext context);
// processes (steps_process.cpp)
awaitable<Outcome> start_process_step(Services& services, StepContext context);
awaitable<Outcome> stop_process_step(Services& services, StepContext context);
// ends (steps_finish.cpp)
awaitable<Outcome> finish_up_step(Services& services, StepContext context);
awaitable<Outcome> finish_down_step(Services& services, StepContext context);

// ---- shared by the step files

// Runs one hook for a step and turns its result into the step's: throws when the entry's policy says fail.
struct HookCall {
  std::string run_id;  // default: the step's own
  std::string container, container_name, reason;
  bool down = false;
  bool only_unless_succeeded = false;
  std::string skip;     // a reason not to run it at all
  std::string failure;  // why it cannot be run
};
awaitable<Outcome> call_hook(Services& services, StepContext context, Model model, spec::Hook hook,
                             HookCall call);
// The same call, in a running container of the service that the entry's run_in names. When there is none, a
// down hook is skipped, and another fails.
awaitable<HookCall> where_it_runs(Services& services, Model model, spec::Hook hook, HookCall call);

// State of the stack's operation before this one; "" when there is none.
awaitable<std::string> previous_state(Services& services, store::OperationRow operation);
util::Error no_shell(const spec::Spec& spec, const spec::Service& service);
// Throws when the services' images that are there already have no /bin/sh and one of Moat's hooks needs it.
awaitable<void> check_shells(Services& services, StepContext context, Model model,
                             std::map<std::string, std::string> images);  // service -> image id
// What a container with pre_run hooks needs before it is created, and before each start.
std::filesystem::path pre_run_directory(const Services& services, const std::string& stack,
                                        const std::string& container);
std::filesystem::path make_pre_run_directory(const Services& services, const std::string& stack,
                                             const std::string& container);
// The first entry that is to run; nothing when none is.
awaitable<const spec::Hook*> write_pre_run(Services& services, StepContext context, Model model,
                                           const spec::Service& service, std::string container,
                                           std::string token);
// Definition of a process service: hash of command, directory and environment.
std::string process_definition(const Model& model, const spec::Service& service);
// service -> id of its first container.
awaitable<std::map<std::string, std::string>> containers_by_service(Services& services, std::string stack_id);
constexpr int k_ended = -1;  // in place of a process that a start had
// Small facts of a stack that need no column: {"up": bool, "started_at": ms, "touched": bool}.
nlohmann::json extra_of(store::Database& db, const std::string& stack_id);

}  // namespace stackd::stacks
