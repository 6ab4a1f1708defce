// Plans as steps: they look at what is there, have it decided (plan/plan.hpp), and emit the steps that do it,
// in the commit of their own end. Run again after a crash they look again; nothing of theirs needs to be
// found.
#include "daemon/plan/plan.hpp"

#include <algorithm>

#include "daemon/plan/due.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/steps/common/builds.hpp"
#include "daemon/steps/common/host_ports.hpp"
#include "daemon/steps/common/look.hpp"
#include "daemon/steps/common/post_mortem.hpp"
#include "daemon/steps/common/shells.hpp"
#include "daemon/steps/env_from.hpp"
#include "daemon/steps/foresee.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
namespace {

constexpr int k_looked_back = 200;  // operations

// The commands of env_from come before everything else: the plan itself looks at what they say.
std::vector<operations::StepPlan> env_from_first() {
  const std::string key = "env_from";
  return {plan::step(key, "", plan::EnvFrom{}),
          plan::step("plan with env_from", "", plan::PlanUp{.env_from = key}, {key})};
}

plan::Request request_of(const operations::StepContext& context) {
  return {context.operation.id, plan::kind_from(context.operation.kind),
          plan::wish_from(context.operation.request)};
}

Outcome outcome_of(plan::Plan plan) {
  Outcome outcome;
  outcome.then = std::move(plan.steps);
  outcome.warnings = std::move(plan.warnings);
  return outcome;
}

struct OperationRows {
  std::vector<store::StepRow> steps;
  std::vector<store::HookRunRow> hooks;
};

awaitable<OperationRows> rows_of(Tools& tools, std::string operation) {
  auto query = [operation](store::Database& db) {
    return OperationRows{store::Steps::of_operation(db, operation),
                         store::HookRuns::of_operation(db, operation)};
  };
  return tools.journal.run(query);
}

plan::Deeds deeds_of(const OperationRows& rows) {
  plan::Deeds deeds;
  for (const auto& step : rows.steps) {
    deeds.keys.insert(step.key);
    if (step.kind == plan::FinishUp::k_kind && step.state == "done") deeds.finished = true;
    if (step.kind != plan::Start::k_kind) continue;
    const auto result =
        model::decoded<plan::Start::Result>(nlohmann::json::parse(step.result), "result of a step");
    if (result.started) deeds.started.insert(result.id);
  }
  for (const auto& hook : rows.hooks) {
    if (hook.state == "running") deeds.running_hooks.push_back(hook.id);
    if (hook.state == "failed" && hook.phase == model::to_string(model::Phase::pre_start))
      deeds.failed_before_start.insert(hook.service);
  }
  return deeds;
}

// The ups that failed since the stack was up last, the newest first.
awaitable<std::vector<std::string>> failed_ups(Tools& tools, std::string stack) {
  auto query = [stack](store::Database& db) {
    std::vector<std::string> ids;
    for (const auto& row : store::Operations::of_stack(db, stack, k_looked_back)) {
      if (row.kind != plan::to_string(plan::Kind::up)) continue;
      if (row.state == "succeeded") break;
      if (row.state != "running") ids.push_back(row.id);
    }
    return ids;
  };
  return tools.journal.run(query);
}

// X34, `rollback`: what those ups left is taken away as if each of them had done it itself.
awaitable<Outcome> plan_rollback_by_hand(Tools& tools, Step<plan::PlanRollback> step) {
  const auto stack = co_await tools.models.get(step.stack());
  auto seen = co_await look(tools, stack);
  if (!seen.former)
    throw util::Error(util::ErrorKind::not_found, "stack '" + stack.id +
                                                      "' has nothing to go back to: nothing is kept of what "
                                                      "was up before");
  const auto ups = co_await failed_ups(tools, step.stack());
  plan::Deeds all;
  for (const auto& up : ups) {
    const auto rows = co_await rows_of(tools, up);
    const auto deeds = deeds_of(rows);
    all.started.insert(deeds.started.begin(), deeds.started.end());
  }
  const auto own = co_await rows_of(tools, step.operation().id);
  all.keys = deeds_of(own).keys;
  auto request = request_of(step.context);
  const auto is_theirs = [&](const std::string& operation) {
    return std::find(ups.begin(), ups.end(), operation) != ups.end();
  };
  if (!ups.empty()) request.operation = ups.front();
  for (auto& [service, containers] : seen.containers)
    for (auto& [number, container] : containers)
      if (is_theirs(container.operation)) container.operation = request.operation;
  for (auto& [service, process] : seen.processes)
    if (is_theirs(process.operation)) process.operation = request.operation;
  co_return outcome_of(plan::plan_rollback(stack, request, seen, all));
}

}  // namespace

awaitable<Outcome> plan_up(Tools& tools, Step<plan::PlanUp> step) {
  auto request = request_of(step.context);
  request.again = step.params.again;
  co_await settle_ports(tools, step.stack(), request.wish);
  const auto stack = co_await tools.models.fresh(step.stack());
  // start and restart go on with what the up has got (L5.9).
  if (request.kind == plan::Kind::up && step.params.env_from.empty()) {
    if (has_env_from(stack)) {
      Outcome first;
      first.then = env_from_first();
      co_return first;
    }
    co_await forget_env_from(tools, stack);
  }
  auto seen = co_await look(tools, stack);
  if (request.kind == plan::Kind::up) co_await look_for_strangers(tools, stack, request.wish.adopt, seen);
  const auto services = plan::selected_by(*stack.spec, request);
  co_await look_for_up(tools, stack, step.operation(), services, seen);
  const auto& prepare = request.wish.prepare;
  const std::set<std::string> prepared(prepare.begin(), prepare.end());
  co_await look_for_one_off(tools, stack, prepared, seen);
  plan::heed_wish(stack, request.wish, seen);
  auto plan = plan::plan_up(stack, request, seen);
  co_await check_shells(tools, step.operation().id, stack, plan.shells_needed);
  co_return outcome_of_up(stack.id, std::move(plan));
}

awaitable<Outcome> plan_down(Tools& tools, Step<plan::PlanDown> step) {
  const auto request = request_of(step.context);
  const auto stack = co_await tools.models.get(step.stack());
  auto seen = co_await look(tools, stack);
  if (request.wish.remove_orphans) co_await look_for_strangers(tools, stack, false, seen);
  co_return outcome_of(plan::plan_down(stack, request, seen));
}

awaitable<Outcome> plan_recover(Tools& tools, Step<plan::PlanRecover> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto seen = co_await look(tools, stack);
  co_return outcome_of(plan::plan_recover(stack, request_of(step.context), seen));
}

awaitable<Outcome> plan_images(Tools& tools, Step<plan::PlanImages> step) {
  const auto stack = co_await tools.models.fresh(step.stack());
  co_return outcome_of(plan::plan_images(*stack.spec, request_of(step.context)));
}

awaitable<Outcome> plan_hooks(Tools& tools, Step<plan::PlanHooks> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto seen = co_await look(tools, stack);
  co_return outcome_of(plan::plan_hooks(stack, request_of(step.context), seen));
}

awaitable<Outcome> plan_rollback(Tools& tools, Step<plan::PlanRollback> step) {
  if (step.params.by_hand) co_return co_await plan_rollback_by_hand(tools, step);
  const auto stack = co_await tools.models.get(step.stack());
  const auto rows = co_await rows_of(tools, step.operation().id);
  Outcome outcome;
  if (!step.operation().cancel_requested) {
    auto explaining = post_mortem(tools, stack, step.operation(), rows.steps, rows.hooks);
    outcome.explained = co_await std::move(explaining);
  }
  for (const auto& each : rows.steps) {
    if (each.kind == plan::EnvFrom::k_kind)
      co_await end_env_from(tools, stack, step.operation().id, each.ordinal);
    if (each.kind == plan::Image::k_kind && each.state == "cancelled")
      co_await end_build(tools, step.stack(), step.operation().id, each.ordinal);
    if (each.kind == plan::Derive::k_kind && each.state == "cancelled")
      co_await end_derive(tools, stack, step.operation().id, each);
  }
  const auto deeds = deeds_of(rows);
  if (step.params.only_hooks) {
    outcome.then = plan::end_hooks(deeds.running_hooks);
    co_return outcome;
  }
  const auto seen = co_await look(tools, stack);
  auto planned = outcome_of(plan::plan_rollback(stack, request_of(step.context), seen, deeds));
  planned.explained = std::move(outcome.explained);
  co_return planned;
}

}  // namespace stackd::steps
