#include "daemon/steps/steps.hpp"

#include "daemon/resolve/environment.hpp"
#include "daemon/steps/common/engine_wait.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {

// plan_steps.cpp: look, decide, and emit the steps that follow
awaitable<Outcome> plan_up(Tools& tools, Step<plan::PlanUp> step);
awaitable<Outcome> plan_down(Tools& tools, Step<plan::PlanDown> step);
awaitable<Outcome> plan_recover(Tools& tools, Step<plan::PlanRecover> step);
awaitable<Outcome> plan_hooks(Tools& tools, Step<plan::PlanHooks> step);
awaitable<Outcome> plan_rollback(Tools& tools, Step<plan::PlanRollback> step);
awaitable<Outcome> plan_images(Tools& tools, Step<plan::PlanImages> step);
// env_from_step.cpp
awaitable<Outcome> env_from(Tools& tools, Step<plan::EnvFrom> step);
// image_steps.cpp, derive_step.cpp
awaitable<Outcome> image(Tools& tools, Step<plan::Image> step);
awaitable<Outcome> push(Tools& tools, Step<plan::Push> step);
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
// ready_step.cpp, ready_process_step.cpp, completed_step.cpp, settle_step.cpp
awaitable<Outcome> ready(Tools& tools, Step<plan::Ready> step);
awaitable<Outcome> ready_process(Tools& tools, Step<plan::ReadyProcess> step);
awaitable<Outcome> completed(Tools& tools, Step<plan::Completed> step);
awaitable<Outcome> settle(Tools& tools, Step<plan::Settle> step);
awaitable<Outcome> settle_watch(Tools& tools, Step<plan::Settle> step);
// hook_steps.cpp
awaitable<Outcome> hook(Tools& tools, Step<plan::Hook> step);
awaitable<Outcome> end_hook(Tools& tools, Step<plan::EndHook> step);
// finish_steps.cpp, put_back_steps.cpp
awaitable<Outcome> finish_up(Tools& tools, Step<plan::FinishUp> step);
awaitable<Outcome> put_back(Tools& tools, Step<plan::PutBack> step);
awaitable<Outcome> put_back_done(Tools& tools, Step<plan::PutBackDone> step);
awaitable<Outcome> finish_down(Tools& tools, Step<plan::FinishDown> step);

namespace {

template <class Kind>
using Function = awaitable<Outcome> (*)(Tools&, Step<Kind>);

awaitable<std::vector<std::string>> secrets_of(Tools& tools, std::string stack) {
  const auto model = co_await tools.models.fresh(stack);
  co_return resolve::secret_values(*model.spec, *model.facts);
}

// What a step says goes into the journal and to whoever asks: the last lines of a service's log, say.
awaitable<Outcome> masked(Tools& tools, std::string stack, awaitable<Outcome> work) {
  std::optional<util::Error> failed;
  Outcome outcome;
  try {
    outcome = co_await std::move(work);
  } catch (const util::Error& error) {
    failed = error;
  }
  if (!failed && outcome.warnings.empty() && outcome.reason.empty()) co_return outcome;
  const auto secrets = co_await secrets_of(tools, stack);
  if (failed) {
    auto details = failed->details();
    for (auto& line : details) line = resolve::mask(line, secrets);
    throw util::Error(failed->kind(), resolve::mask(failed->what(), secrets), details);
  }
  for (auto& warning : outcome.warnings) warning = resolve::mask(warning, secrets);
  outcome.reason = resolve::mask(outcome.reason, secrets);
  co_return outcome;
}

// Again and again while the engine is lost in the middle of it, as the next daemon would (rule 2 of the
// runner).
template <class Kind>
awaitable<Outcome> run(Tools& tools, Function<Kind> function, Step<Kind> step) {
  for (;;) {
    std::optional<util::Error> lost;
    try {
      auto work = function(tools, step);
      co_return co_await masked(tools, step.stack(), std::move(work));
    } catch (const util::Error& error) {
      if (error.kind() != util::ErrorKind::no_engine) throw;
      lost = error;
    }
    co_await wait_for_engine(tools, step.context, *lost);
    step.context.resumed = true;
  }
}

template <class Kind>
Step<Kind> step_of(operations::StepContext context) {
  Step<Kind> step{std::move(context), {}};
  step.params = model::decoded<Kind>(step.context.params, "params of a step");
  return step;
}

template <class Kind>
void add(operations::Runner& runner, Tools& tools, Function<Kind> function) {
  operations::StepKind kind;
  kind.run = [&tools, function](operations::StepContext context) {
    return run(tools, function, step_of<Kind>(std::move(context)));
  };
  kind.interruptible = Kind::k_interruptible;
  if constexpr (std::is_same_v<Kind, plan::Settle>)
    kind.watch = [&tools](operations::StepContext context) {
      return run(tools, settle_watch, step_of<plan::Settle>(std::move(context)));
    };
  runner.add_kind(Kind::k_kind, std::move(kind));
}

// One function for each kind, in the order of the table.
template <class... Kinds>
void add_all(operations::Runner& runner, Tools& tools, const std::tuple<Kinds...>*,
             Function<Kinds>... functions) {
  (add<Kinds>(runner, tools, functions), ...);
}

}  // namespace

void add_step_kinds(operations::Runner& runner, Tools& tools) {
  constexpr const plan::AllKinds* table = nullptr;
  add_all(runner, tools, table, plan_up, plan_down, plan_recover, plan_hooks, plan_rollback, plan_images,
          env_from, image, push, derive, network, volume, remove_networks, remove_volumes, remove_images,
          create, start, stop, remove, pre_run, start_process, stop_process, ready, ready_process, completed,
          settle, hook, end_hook, finish_up, put_back, put_back_done, finish_down);
}

}  // namespace stackd::steps
