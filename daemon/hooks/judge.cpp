#include "daemon/hooks/judge.hpp"

#include "daemon/hooks/inputs.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/translate/labels.hpp"
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
  if (!last) co_return Judgement{"", false, "it has not succeeded as it is now"};
  const auto definition = definition_of(job);
  if (last->definition == definition)
    co_return Judgement{"run: changed, and nothing has changed since it succeeded, " + since(*last), true,
                        ""};
  co_return Judgement{"", false, changed_inputs(last->definition, definition)};
}

// X36: the label that stackd gave it, else the engine's own word.
awaitable<std::string> making_of(docker::Engine& engine, model::Stack stack, std::string key) {
  const auto volume = stack.spec->volumes.find(key);
  const auto name = volume == stack.spec->volumes.end() ? key : volume->second.name;
  const auto there = co_await engine.inspect_volume(name);
  if (!there) co_return "";
  const auto making = translate::label_of(there->labels, translate::label::k_making);
  co_return making.empty() ? there->created_at : making;
}

awaitable<Judgement> judge_once(journal::Journal& journal, HookJob job) {
  const auto& hook = job.hook;
  auto query = [stack = job.about.stack_id, service = hook.service, phase = model::to_string(hook.phase),
                definition = definition_of(job)](store::Database& db) {
    return store::HookRuns::success_of(db, stack, service, phase, definition);
  };
  const auto done = co_await journal.run(query);
  const auto& volume = hook.once_volume;
  if (done && volume.empty())
    co_return Judgement{"run: once, and it has run in this stack's directory, " + since(*done), true, ""};
  if (done)
    co_return Judgement{"once: volume:" + volume + ", and it has run since that was made, " + since(*done),
                        true, ""};
  if (volume.empty())
    co_return Judgement{"", false, "run: once, and it has not run in this stack's directory"};
  co_return Judgement{"", false, "it has not run since volume " + volume + " was made"};
}

}  // namespace

bool has_state(const model::Hook& hook) {
  return hook.run == RunPolicy::changed || !hook.once_volume.empty();
}

std::string definition_of(const HookJob& job) {
  const auto identity = resolve::identity_of(job.hook);
  return has_state(job.hook) ? identity + "/" + job.inputs : identity;
}

awaitable<std::string> state_for(Tools& tools, model::Stack stack, model::Hook hook, std::string image) {
  if (!hook.once_volume.empty()) co_return co_await making_of(tools.engine, stack, hook.once_volume);
  if (hook.run != RunPolicy::changed) co_return "";
  auto work = [hook, directory = stack.spec->directory, image] {
    return state_of_inputs(hook, directory, image);
  };
  co_return co_await tools.user_files.run(work);
}

awaitable<Judgement> judge(journal::Journal& journal, HookJob job) {
  resolve::Variables environment;
  if (!job.hook.if_env.empty()) environment = resolve::hook_environment(*job.spec, *job.facts, job.hook);
  auto why = resolve::condition_not_met(job.hook, job.about.profile, environment, job.about.previous);
  if (!why.empty()) co_return Judgement{std::move(why), false, ""};
  if (job.hook.run == RunPolicy::changed) co_return co_await judge_changed(journal, std::move(job));
  if (job.hook.run == RunPolicy::once) co_return co_await judge_once(journal, std::move(job));
  co_return Judgement{};
}

}  // namespace stackd::hooks
