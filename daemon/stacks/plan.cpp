// What a wish would do: the operation's own look and its own plan, in words, and nothing else.
#include "daemon/plan/due.hpp"
#include "daemon/plan/explain.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/stacks/beginning.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/steps/common/host_ports.hpp"
#include "daemon/steps/common/look.hpp"
#include "daemon/steps/env_from.hpp"
#include "daemon/util/error.hpp"
#include "daemon/world/seen.hpp"

namespace stackd::stacks {
namespace {

using plan::Kind;
using util::Error;
using util::ErrorKind;

// The operation that there will not be: newer than all that there were.
store::OperationRow not_yet(const std::string& stack) {
  store::OperationRow row;
  row.stack_id = stack;
  row.created_at = util::now_ms();
  return row;
}

awaitable<void> look_for_up(Parts& parts, model::Stack stack, plan::Request request, plan::Snapshot& seen) {
  const auto services = plan::selected_by(*stack.spec, request);
  co_await steps::look_for_up(parts.steps, stack, not_yet(stack.id), services, seen);
  const auto& prepare = request.wish.prepare;
  const std::set<std::string> prepared(prepare.begin(), prepare.end());
  co_await steps::look_for_one_off(parts.steps, stack, prepared, seen);
  co_await steps::look_for_others(parts.steps, stack, seen);
  co_await steps::look_at_hooks(parts.steps, stack, model::Direction::up, steps::Entries::others, services,
                                seen);
}

// Both what the stack was made of and what it is to be: neither's secrets are shown.
proto::Plan view(const plan::Explained& told, const model::Stack& now, const model::Stack* before,
                 Kind kind) {
  auto hidden = resolve::secret_values(*now.spec, *now.facts);
  if (before) {
    const auto old = resolve::secret_values(*before->spec, *before->facts);
    hidden.insert(hidden.end(), old.begin(), old.end());
  }
  proto::Plan plan;
  plan.stack = now.id;
  plan.kind = plan::to_string(kind);
  plan.to_do = told.to_do();
  plan.steps = told.steps;
  for (const auto& warning : told.warnings) plan.warnings.push_back(resolve::mask(warning, hidden));
  for (const auto& one : told.actions) {
    proto::PlanAction action{one.what, one.subject,    one.service, resolve::mask(one.reason, hidden),
                             {},       one.takes_along};
    for (const auto& change : one.changes)
      action.changes.push_back(
          {change.key, resolve::mask(change.before, hidden), resolve::mask(change.after, hidden)});
    plan.actions.push_back(std::move(action));
  }
  return plan;
}

awaitable<proto::Plan> plan_of_up(Parts& parts, proto::UpRequest request) {
  auto loaded = co_await load_for_up(parts, request);
  const plan::Request wish{"", Kind::up, wish_of(request, loaded), false};
  if (plan::needs_engine(loaded.spec)) {
    const auto there = co_await steps::list_project(parts.steps, loaded.spec.name);
    check_foreign(there, loaded.spec, request.options.adopt);
  }
  const auto id = resolve::stack_id(loaded.spec.name, loaded.spec.directory);
  auto query = [id](store::Database& db) { return store::Stacks::get(db, id); };
  const auto row = co_await parts.journal.run(query);
  std::optional<model::Stack> before;
  if (row) before = co_await parts.models.fresh(id);
  auto stack = beginning_of(id, std::move(loaded), before, row && row->status == "down");
  stack = co_await steps::with_ports_foreseen(parts.steps, stack, wish.wish);
  auto seen = co_await steps::look(parts.steps, stack);
  co_await steps::look_for_strangers(parts.steps, stack, wish.wish.adopt, seen);
  co_await look_for_up(parts, stack, wish, seen);
  plan::heed_wish(stack, wish.wish, seen);
  auto told = plan::explain_up(stack, before, wish, seen);
  if (steps::has_env_from(stack))
    told.warnings.emplace_back(
        "the commands of env_from are not run for a plan: what they said at the last up is taken");
  co_return view(told, stack, before ? &*before : nullptr, Kind::up);
}

awaitable<proto::Plan> plan_of(Parts& parts, std::string name, Kind kind, plan::Wish wish) {
  const auto row = co_await find_stack(parts, name);
  const auto stack = co_await parts.models.fresh(row.id);
  for (const auto& service : wish.services) check_service(stack, service);
  const plan::Request request{"", kind, std::move(wish), false};
  auto seen = co_await steps::look(parts.steps, stack);
  if (request.wish.remove_orphans) co_await steps::look_for_strangers(parts.steps, stack, false, seen);
  const auto services = plan::selected_by(*stack.spec, request);
  for (const auto which : {steps::Entries::with_memory, steps::Entries::others})
    co_await steps::look_at_hooks(parts.steps, stack, model::Direction::down, which, services, seen);
  if (kind == Kind::down || kind == Kind::stop) co_await steps::look_for_made(parts.steps, stack, seen);
  if (plan::brings_up(kind)) co_await look_for_up(parts, stack, request, seen);
  plan::Explained told;
  if (kind == Kind::restart)
    told = plan::explain_restart(stack, request, seen);
  else if (kind == Kind::start)
    told = plan::explain_up(stack, stack, request, seen);
  else
    told = plan::explain_down(stack, request, seen);
  co_return view(told, stack, nullptr, kind);
}

}  // namespace

awaitable<proto::Plan> Manager::plan(proto::PlanRequest request) {
  const int wishes = request.up.has_value() + request.down.has_value() + request.stop.has_value() +
                     request.start.has_value() + request.restart.has_value();
  if (wishes != 1)
    throw Error(ErrorKind::invalid_request,
                "a plan is of one wish: give exactly one of 'up', 'down', 'stop', 'start' and 'restart'");
  if (request.up) return plan_of_up(parts_, std::move(*request.up));
  if (request.stack.empty())
    throw Error(ErrorKind::invalid_request, "field 'stack' is missing: whose plan is wanted");
  if (request.down) return plan_of(parts_, request.stack, Kind::down, wish_of(*request.down));
  if (request.stop) return plan_of(parts_, request.stack, Kind::stop, wish_of(*request.stop));
  if (request.start) return plan_of(parts_, request.stack, Kind::start, wish_of(*request.start));
  return plan_of(parts_, request.stack, Kind::restart, wish_of(*request.restart));
}

}  // namespace stackd::stacks
