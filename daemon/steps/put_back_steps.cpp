// X34, the end of a roll-back: what this up took out of service is put back. Names and restart policies
// first, since all of it is stopped; then spec, facts and ports in one commit; then what ran is started in
// the order of its dependencies. Every part may be done again: the rows stay until all of it is done.
#include <algorithm>
#include <functional>

#include "daemon/plan/order.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/steps/common/look.hpp"
#include "daemon/steps/common/save_log.hpp"
#include "daemon/steps/common/set_aside.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/world/stack_state.hpp"

namespace stackd::steps {
namespace {

using util::Error;
using util::ErrorKind;

struct Rows {
  bool former = false;
  std::vector<store::KeptRow> kept;
  std::set<std::string> keys;
};

awaitable<Rows> rows_of(Tools& tools, std::string stack, std::string operation) {
  auto query = [stack, operation](store::Database& db) {
    Rows rows{store::Former::exists(db, stack), store::Kept::of_stack(db, stack), {}};
    for (const auto& step : store::Steps::of_operation(db, operation)) rows.keys.insert(step.key);
    return rows;
  };
  return tools.journal.run(query);
}

// The ports that the stack had; "" or why it cannot have them.
awaitable<std::string> put_back_ports(Tools& tools, std::string stack) {
  std::string why;
  auto write = [stack](store::Database& db) { store::Former::restore_ports(db, stack); };
  try {
    co_await tools.journal.commit(write);
  } catch (const Error& e) {
    why = e.what();
  }
  co_return why;
}

// Containers of Docker Compose that an adoption had replaced: no graph of ours knows them (X37). Started in
// the order of their services.
awaitable<std::vector<std::string>> start_strangers(Tools& tools, const model::Spec& spec,
                                                    std::vector<store::KeptRow> rows) {
  std::vector<std::string> warnings;
  const auto after = plan::comes_after(spec);
  const std::function<std::size_t(const std::string&)> depth =
      [&](const std::string& service) -> std::size_t {
    std::size_t most = 0;
    if (const auto needs = after.find(service); needs != after.end())
      for (const auto& need : needs->second) most = std::max(most, depth(need) + 1);
    return most;
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const auto& a, const auto& b) { return depth(a.service) < depth(b.service); });
  for (const auto& row : rows) {
    const auto there = co_await tools.engine.inspect_container(row.container);
    if (!there || there->running || !translate::label_of(there->labels, translate::label::k_stack).empty())
      continue;
    try {
      co_await tools.engine.start_container(row.container);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::no_engine) throw;
      warnings.push_back("cannot start container '" + row.name + "' again: " + e.what());
    }
  }
  co_return warnings;
}

// A stack that was not up has adopted nothing, once that is put back.
void forget_adoption(store::Database& db, const std::string& stack) {
  auto state = world::state_of(db, stack);
  if (state.up) return;
  state.adopted_networks.clear();
  state.adopted_volumes.clear();
  world::set_state(db, stack, state);
}

}  // namespace

awaitable<Outcome> put_back(Tools& tools, Step<plan::PutBack> step) {
  const auto rows = co_await rows_of(tools, step.stack(), step.operation().id);
  Outcome outcome;
  if (!rows.former) co_return outcome;
  std::set<std::string> ran, names;
  for (const auto& row : rows.kept) {
    // What an up with --keep left in the place of what was up goes, when a later one was given up.
    if (!row.container.empty() && !names.insert(row.name).second) {
      co_await save_and_remove(tools, step.stack(), row.container, true, false);
      continue;
    }
    if (row.state == "running" || row.state == "paused" || row.state == "restarting") ran.insert(row.service);
    if (row.container.empty()) continue;
    try {
      co_await put_back_one(tools, row);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::no_engine) throw;
      outcome.warnings.push_back("cannot put back container '" + row.name + "': " + e.what());
    }
  }
  auto restore = [stack = step.stack(), operation = step.operation().id](store::Database& db) {
    store::Former::restore(db, stack, operation);
    forget_adoption(db, stack);
  };
  co_await tools.journal.commit(restore);
  if (const auto why = co_await put_back_ports(tools, step.stack()); !why.empty())
    outcome.warnings.push_back("cannot give the stack the ports back that it had: " + why);
  tools.models.forget(step.stack());
  const auto stack = co_await tools.models.fresh(step.stack());
  std::vector<store::KeptRow> running;
  for (const auto& row : rows.kept)
    if (!row.container.empty() && row.state != "exited" && row.state != "created") running.push_back(row);
  const auto refused = co_await start_strangers(tools, *stack.spec, std::move(running));
  outcome.warnings.insert(outcome.warnings.end(), refused.begin(), refused.end());
  const auto seen = co_await look(tools, stack);
  outcome.then = plan::plan_put_back(stack, seen, ran, rows.keys).steps;
  co_return outcome;
}

awaitable<Outcome> put_back_done(Tools& tools, Step<plan::PutBackDone> step) {
  Outcome outcome;
  const auto rows = co_await rows_of(tools, step.stack(), step.operation().id);
  for (const auto& row : rows.kept) {
    if (row.state != "paused" || row.container.empty()) continue;
    const auto there = co_await tools.engine.inspect_container(row.container);
    if (there && there->running && !there->paused) co_await tools.engine.pause_container(row.container);
  }
  outcome.record = [stack = step.stack()](store::Database& db) { store::Former::forget(db, stack); };
  co_return outcome;
}

}  // namespace stackd::steps
