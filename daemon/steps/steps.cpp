#include "daemon/steps/steps.hpp"

#include "daemon/resolve/environment.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
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

template <class Kind>
void add(operations::Runner& runner, Tools& tools, Function<Kind> function) {
  auto run = [&tools, function](operations::StepContext context) {
    auto stack = context.operation.stack_id;
    Step<Kind> step{std::move(context), {}};
    step.params = model::decoded<Kind>(step.context.params, "params of a step");
    return masked(tools, std::move(stack), function(tools, std::move(step)));
  };
  runner.add_kind(Kind::k_kind, {std::move(run), Kind::k_interruptible});
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
  add_all(runner, tools, table, plan_up, plan_down, plan_recover, plan_rollback, env_from, image, derive,
          network, volume, remove_networks, remove_volumes, remove_images, create, start, stop, remove,
          pre_run, start_process, stop_process, ready, ready_process, completed, settle, hook, end_hook,
          finish_up, finish_down);
}

}  // namespace stackd::steps
