// What each step kind does. Every function is safe to run again (rule 2 of operations/runner.hpp); its file
// says how it finds out what was done before. `add_step_kinds` is the table.
#pragma once

#include <map>
#include <string>

#include "daemon/steps/step.hpp"
#include "daemon/steps/tools.hpp"

namespace stackd::steps {

void add_step_kinds(operations::Runner& runner, Tools& tools);
// What becomes of the stack when operations start, end and fail (policy.cpp).
operations::Policy operation_policy();

// plan_steps.cpp: look, decide, and emit the steps that follow
awaitable<Outcome> plan_up(Tools& tools, Step<plan::PlanUp> step);
awaitable<Outcome> plan_down(Tools& tools, Step<plan::PlanDown> step);
awaitable<Outcome> plan_recover(Tools& tools, Step<plan::PlanRecover> step);
awaitable<Outcome> plan_rollback(Tools& tools, Step<plan::PlanRollback> step);
// env_from_step.cpp
awaitable<Outcome> env_from(Tools& tools, Step<plan::EnvFrom> step);
// image_steps.cpp, derive_step.cpp
awaitable<Outcome> image(Tools& tools, Step<plan::Image> step);
awaitable<Outcome> derive(Tools& tools, Step<plan::Derive> step);
awaitable<Outcome> remove_images(Tools& tools, Step<plan::RemoveImages> step);
// network_steps.cpp
awaitable<Outcome> network(Tools& tools, Step<plan::Network> step);
awaitable<Outcome> volume(Tools& tools, Step<plan::Volume> step);
awaitable<Outcome> remove_networks(Tools& tools, Step<plan::RemoveNetworks> step);
awaitable<Outcome> remove_volumes(Tools& tools, Step<plan::RemoveVolumes> step);
// create_step.cpp, container_steps.cpp
awaitable<Outcome> create(Tools& tools, Step<plan::Create> step);
awaitable<Outcome> start(Tools& tools, Step<plan::Start> step);
awaitable<Outcome> stop(Tools& tools, Step<plan::Stop> step);
awaitable<Outcome> remove(Tools& tools, Step<plan::Remove> step);
// pre_run_step.cpp
awaitable<Outcome> pre_run(Tools& tools, Step<plan::PreRun> step);
// process_steps.cpp
awaitable<Outcome> start_process(Tools& tools, Step<plan::StartProcess> step);
awaitable<Outcome> stop_process(Tools& tools, Step<plan::StopProcess> step);
// ready_steps.cpp, settle_step.cpp
awaitable<Outcome> ready(Tools& tools, Step<plan::Ready> step);
awaitable<Outcome> ready_process(Tools& tools, Step<plan::ReadyProcess> step);
awaitable<Outcome> completed(Tools& tools, Step<plan::Completed> step);
awaitable<Outcome> settle(Tools& tools, Step<plan::Settle> step);
// hook_steps.cpp
awaitable<Outcome> hook(Tools& tools, Step<plan::Hook> step);
awaitable<Outcome> end_hook(Tools& tools, Step<plan::EndHook> step);
// finish_steps.cpp
awaitable<Outcome> finish_up(Tools& tools, Step<plan::FinishUp> step);
awaitable<Outcome> finish_down(Tools& tools, Step<plan::FinishDown> step);

}  // namespace stackd::steps
