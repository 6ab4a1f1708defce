// Hooks: the run's id is made of the operation and the step, so a step that is run again finds its own
// record.
#include <algorithm>

#include "daemon/hooks/call.hpp"
#include "daemon/resolve/hook_names.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
namespace {

using util::Error;
using util::ErrorKind;

// A service that is another kind now has two lists. Where there is one, either word finds it.
const model::Hook& find_hook(const model::Stack& stack, const std::string& service, model::Phase phase,
                             int index, bool gone) {
  std::vector<const std::vector<model::Hook>*> places;
  if (service.empty()) places.push_back(&stack.spec->hooks);
  for (const auto* one : {stack.spec->find(service), stack.spec->find_gone(service)})
    if (one) places.push_back(&one->hooks);
  if (gone) std::reverse(places.begin(), places.end());
  for (const auto* hooks : places)
    for (const auto& hook : *hooks)
      if (hook.phase == phase && hook.index == index) return hook;
  throw Error(ErrorKind::internal, "stack '" + stack.id + "' has no hook " + model::to_string(phase) + "[" +
                                       std::to_string(index) + "]");
}

// X36: whatever else there is to do.
bool is_due(const plan::Hook& params) {
  return std::find(params.due.begin(), params.due.end(), params.index) != params.due.end();
}

// By this operation, or by the engine behind its back. Of containers and processes: both say it by one word.
bool was_started(const Step<plan::Hook>& step) {
  const auto& keys = step.params.started_by;
  return keys.empty() || is_due(step.params) || std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
           const auto result = step.result_of<plan::Start>(key);
           return result.started || result.restarted;
         });
}

// X1, of a service's host hook: it is owed until it succeeds.
awaitable<bool> has_failed(Tools& tools, std::string stack, model::Hook hook) {
  auto query = [stack, hook](store::Database& db) {
    return store::HookRuns::last(db, stack, hook.service, model::to_string(hook.phase), hook.index, "");
  };
  const auto last = co_await tools.journal.run(query);
  co_return last && last->state == "failed";
}

// C4.2: why a pre_start does not run; "" when it may. What is of the service waits for all its replicas, what
// is of each replica for that one.
std::string gate_of(const Step<plan::Hook>& step, const model::Hook& hook, const plan::Create::Result& made) {
  if (made.was_running) return "the container is running";
  const auto& gate = step.params.gate;
  const bool others = !hook.per_replica && std::any_of(gate.begin(), gate.end(), [&](const auto& key) {
    return step.result_of<plan::Create>(key).was_running;
  });
  return others ? "another replica is running" : "";
}

// C5.6, X5, X6: an exec is refused in a container that does not run; that is no reason not to stop it. Fills
// `skip`, and returns a warning.
awaitable<std::string> look_at_stopping(Tools& tools, hooks::Call& call) {
  const auto there = co_await tools.engine.inspect_container(call.container);
  if (!there || !there->running) {
    call.skip = "the container is not running";
  } else if (there->paused) {
    call.skip = "the container is paused";
    co_return "container " + there->name +
        " is paused: it is stopped without its pre_stop hook, which cannot run in it";
  }
  co_return "";
}

// A result that its policy calls a failure ends the step.
Outcome outcome_of(hooks::Called called) {
  const auto& row = called.result.row;
  if (!called.result.ok && !called.result.warn)
    throw Error(ErrorKind::failed, called.result.message, called.details);
  auto outcome = with(plan::Hook::Result{row.id, row.state});
  outcome.record = std::move(called.result.record);
  if (row.state == "skipped") {
    outcome.skipped = true;
    outcome.reason = row.reason;
  }
  if (called.result.warn) outcome.warnings.push_back(called.result.message);
  return outcome;
}

}  // namespace

awaitable<Outcome> hook(Tools& tools, Step<plan::Hook> step) {
  const auto& params = step.params;
  hooks::Call call;
  call.operation = step.operation();
  call.step = step.context.step.ordinal;
  call.stack = co_await tools.models.get(step.stack());
  call.hook = find_hook(call.stack, step.service(), params.phase, params.index, params.gone);
  call.run_id = step.name();
  call.reason = params.reason;
  call.container = params.container;
  call.container_name = params.name;
  if (!params.create_step.empty()) {
    const auto made = step.result_of<plan::Create>(params.create_step);
    call.container = made.id;
    call.container_name = made.name;
    // X1: only one that has not succeeded here; but all of them after a start that nobody asked us for (X30).
    call.only_unless_succeeded = made.was_running && !made.restarted && !is_due(params);
    if (call.hook.phase == model::Phase::pre_start) call.skip = gate_of(step, call.hook, made);
  }
  if (!was_started(step)) {
    const bool failed = co_await has_failed(tools, call.stack.id, call.hook);
    if (!failed) co_return skipped("the service was running already");
  }
  if (!params.ready_step.empty() && step.result_of<plan::Ready>(params.ready_step).failed)
    call.skip = "the service did not become ready";  // C6.6: nobody requires it
  std::string warning;
  if (call.hook.phase == model::Phase::pre_stop) {
    if (params.warns && call.hook.on_failure == model::OnFailure::standard)
      call.hook.on_failure = model::OnFailure::warn;
    warning = co_await look_at_stopping(tools, call);
  }
  if (call.skip.empty() && resolve::is_meant(step.wish().skip_hooks, call.hook)) call.skip = "--skip-hooks";
  call.by_hand = params.by_hand;
  if (call.skip.empty()) call = co_await hooks::placed(tools.hook_tools, call);
  auto called = co_await hooks::run(tools.hook_tools, tools.hooks, call);
  auto outcome = outcome_of(std::move(called));
  if (!warning.empty()) outcome.warnings.push_back(warning);
  co_return outcome;
}

awaitable<Outcome> end_hook(Tools& tools, Step<plan::EndHook> step) {
  auto query = [id = step.params.run](store::Database& db) { return store::HookRuns::get(db, id); };
  const auto row = co_await tools.journal.run(query);
  if (row && row->state == "running") co_await tools.hooks.end(*row, "the operation was stopped");
  co_return Outcome{};
}

}  // namespace stackd::steps
