// pre_run: the step follows what the container does by itself (hooks/pre_run.hpp).
#include <filesystem>

#include "daemon/async/deadline.hpp"
#include "daemon/hooks/hook_records.hpp"
#include "daemon/hooks/pre_run.hpp"
#include "daemon/hooks/pre_run_files.hpp"
#include "daemon/hooks/previous.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
namespace {

using util::Error;
using util::ErrorKind;
namespace fs = std::filesystem;

constexpr std::chrono::seconds k_end_limit{5};

// M4.5: its shell has said how the hook ended, and ends with that status itself. Whoever hears of the failure
// finds the container ended.
awaitable<void> let_it_end(Tools& tools, std::string container) {
  try {
    auto ended = tools.engine.wait_container(container);
    co_await async::within(k_end_limit, "end of container " + container.substr(0, 12), std::move(ended));
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::timed_out && e.kind() != ErrorKind::not_found) throw;
  }
}

// It was left out when the start was prepared: that is recorded, once.
awaitable<Outcome> record_as_skipped(Tools& tools, const Step<plan::PreRun>& step, model::Stack stack,
                                     model::Hook hook, hooks::PreRunStart start, fs::path directory) {
  const auto previous = co_await hooks::previous_state(tools.journal, step.operation());
  auto look = [directory, hook](async::FileWorker&) { return hooks::pre_run_inputs(directory, hook); };
  const auto inputs = co_await tools.files.run(look);
  const auto job = hooks::pre_run_job(stack, hook, step.operation(), previous, inputs);
  const auto why = co_await tools.hooks.reason_to_skip(job);
  const auto row = hooks::hook_row(tools.hook_tools, step.operation(), start.step, hook,
                                   start.token + ".0.pre_run" + std::to_string(hook.index) + "-1");
  const auto known = co_await hooks::known_run(tools.hook_tools, row.id);
  if (!known) co_await hooks::skip_run(tools.hook_tools, row, why);
  co_return skipped(why);
}

}  // namespace

awaitable<Outcome> pre_run(Tools& tools, Step<plan::PreRun> step) {
  const auto stack = co_await tools.models.fresh(step.stack());
  const auto index = step.params.index;
  const auto made = step.result_of<plan::Create>(step.params.create_step);
  const auto started = step.result_of<plan::Start>(step.params.start_step);
  // `restarted`: by the engine; this operation answers for it.
  if (!started.started && !started.restarted) co_return skipped("the service was running already");
  const auto hooks_of = stack.service(step.service()).hooks_of(model::Phase::pre_run);
  const auto& hook = *hooks_of.at(static_cast<std::size_t>(index));
  const auto directory = hooks::pre_run_directory(tools.paths, stack.id, made.name);
  hooks::PreRunStart start{.operation = step.operation(),
                           .step = step.context.step.ordinal,
                           .container = made.id,
                           .name = made.name,
                           .token = started.token,
                           .reason = step.params.reason,
                           .at = started.at,
                           .command = made.command};
  auto look = [directory](async::FileWorker&) { return hooks::prepared_start(directory); };
  const auto prepared = co_await tools.files.run(look);
  if (started.restarted) {
    start.token = prepared.token;
    start.number =
        co_await hooks::newest_start(tools.hook_tools, start.container, directory / "run", start.token);
  }
  if (!prepared.hooks.contains(index))
    co_return co_await record_as_skipped(tools, step, stack, hook, start, directory);
  const auto row = co_await hooks::follow_pre_run(tools.hook_tools, stack, hook, start);
  auto outcome = with(plan::PreRun::Result{row.id, row.state});
  if (row.state == "succeeded") co_return outcome;
  const auto policy = resolve::on_failure_of(hook);
  if (policy == model::OnFailure::warn) outcome.warnings.push_back(row.reason);
  if (policy != model::OnFailure::fail) co_return outcome;
  co_await let_it_end(tools, start.container);
  throw Error(ErrorKind::failed, row.reason, {"hook: " + row.command, "log: " + row.log});
}

}  // namespace stackd::steps
