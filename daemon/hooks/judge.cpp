#include "daemon/hooks/judge.hpp"

#include "daemon/hooks/inputs.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/util/time.hpp"

namespace stackd::hooks {
namespace {

using model::RunPolicy;

std::string since(const store::HookRunRow& row) {
  return util::format_time(row.ended_at.value_or(row.started_at));
}

awaitable<Judgement> judge_changed(journal::Journal& journal, HookJob job) {
  const auto& hook = job.hook;
  auto query = [stack = job.about.stack_id, service = hook.service, phase = model::to_string(hook.phase),
                identity = resolve::identity_of(hook)](store::Database& db) {
    return store::HookRuns::last_success(db, stack, service, phase, identity);
  };
  const auto last = co_await journal.run(query);
  if (!last) co_return Judgement{"", "it has not succeeded as it is now"};
  const auto definition = definition_of(job);
  if (last->definition == definition)
    co_return Judgement{"run: changed, and nothing has changed since it succeeded, " + since(*last), ""};
  co_return Judgement{"", changed_inputs(last->definition, definition)};
}

awaitable<Judgement> judge_once(journal::Journal& journal, HookJob job) {
  const auto& hook = job.hook;
  auto query = [stack = job.about.stack_id, service = hook.service, phase = model::to_string(hook.phase),
                definition = definition_of(job)](store::Database& db) {
    return store::HookRuns::success_of(db, stack, service, phase, definition);
  };
  const auto done = co_await journal.run(query);
  if (done) co_return Judgement{"run: once, and it has run in this stack's directory, " + since(*done), ""};
  co_return Judgement{"", "run: once, and it has not run in this stack's directory"};
}

}  // namespace

std::string definition_of(const HookJob& job) {
  const auto identity = resolve::identity_of(job.hook);
  return job.hook.run == RunPolicy::changed ? identity + "/" + job.inputs : identity;
}

awaitable<Judgement> judge(journal::Journal& journal, HookJob job) {
  resolve::Variables environment;
  if (!job.hook.if_env.empty()) environment = resolve::hook_environment(*job.spec, *job.facts, job.hook);
  auto why = resolve::condition_not_met(job.hook, job.about.profile, environment, job.about.previous);
  if (!why.empty()) co_return Judgement{std::move(why), ""};
  if (job.hook.run == RunPolicy::changed) co_return co_await judge_changed(journal, std::move(job));
  if (job.hook.run == RunPolicy::once) co_return co_await judge_once(journal, std::move(job));
  co_return Judgement{};
}

}  // namespace stackd::hooks
