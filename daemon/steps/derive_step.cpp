// Build hooks. A derived image is found again by its tag, which names all that went into it, and by the label
// of the operation that built it; a layer that was made before is the builder's to find.
#include <algorithm>

#include "daemon/hooks/build_run.hpp"
#include "daemon/hooks/previous.hpp"
#include "daemon/steps/common/builds.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/translate/build_hooks.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
namespace {

using util::Error;
using util::ErrorKind;

int retries_of(const std::vector<translate::BuildHook>& hooks) {
  int most = 0;
  for (const auto& hook : hooks) most = std::max(most, hook.hook->retries);
  return most;
}

plan::Image::Result result_of(const docker::ImageDetails& image, const std::string& tag) {
  return {.image = translate::facts_of(image), .tag = tag};
}

}  // namespace

awaitable<void> end_derive(Tools& tools, model::Stack stack, std::string operation,
                           const store::StepRow& row) {
  int tries = 1;
  for (const auto& hook : stack.service(row.service).hooks)
    if (model::row_of(hook.phase).place == model::HookPlace::build) tries = std::max(tries, hook.retries + 1);
  for (int attempt = 1; attempt <= tries; ++attempt)
    co_await hooks::end_build_run(tools.hook_tools, stack.id, operation, row.ordinal, attempt);
}

awaitable<Outcome> derive(Tools& tools, Step<plan::Derive> step) {
  const auto stack = co_await tools.models.fresh(step.stack());
  const auto& service = stack.service(step.service());
  const auto base = step.result_of<plan::Image>(step.params.image_step);
  const auto previous = co_await hooks::previous_state(tools.journal, step.operation());
  const auto hooks = translate::build_hooks(*stack.spec, *stack.facts, service, previous);
  if (hooks.empty()) co_return with(base);  // `if` holds for none
  const auto tag = translate::derived_tag(service, hooks, base.image);
  async::NameLock lock(tools.deriving);  // services, and stacks, that share hooks and base build once
  co_await lock.take(tag);
  auto there = co_await tools.engine.inspect_image(tag);
  const bool made_now =
      there && translate::label_of(there->labels, translate::label::k_operation) == step.operation().id;
  const bool build = !there || (step.params.rebuild && !made_now);
  const hooks::BuildOwner owner{step.operation(), step.context.step.ordinal, step.service(), stack};
  hooks::Derived derived{.tag = tag, .base = base.image, .no_cache = step.params.rebuild};
  derived.buildkit = co_await tools.builds.has_buildkit(stack.facts->caller);
  std::vector<std::string> warnings;
  auto delay = hooks.front().hook->retry_delay;
  for (int attempt = 1;; ++attempt, delay *= 2) {
    hooks::BuildRun run(tools.hook_tools, owner, attempt);
    co_await run.prepare(hooks);
    if (!build) {
      if (made_now && step.resumed())
        co_await run.close_made();
      else
        co_await run.skip_all("unchanged: image " + tag + " has it");
      break;
    }
    std::optional<Error> failure;
    try {
      co_await run.run(derived);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::failed || attempt > retries_of(hooks)) throw;
      failure = e;
    }
    if (!failure) {
      warnings = run.warnings();
      there = co_await tools.engine.inspect_image(tag);
      break;
    }
    co_await async::sleep_for(delay);
  }
  if (!there) throw Error(ErrorKind::failed, "image '" + tag + "' is not there after it was built");
  auto outcome = with(result_of(*there, tag));
  outcome.warnings = std::move(warnings);
  co_return outcome;
}

}  // namespace stackd::steps
