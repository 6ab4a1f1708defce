// The last steps: what the stack has become, and what nobody needs any more.
#include <set>

#include "daemon/logs/run_log.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/store/kept.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/world/stack_state.hpp"

namespace stackd::steps {
namespace {

// Directories of runs that have ended and that no row points to, and logs of operations that were forgotten.
awaitable<void> sweep_runs(Tools& tools, std::string stack_id, std::string operation) {
  struct Rows {
    std::vector<store::ProcessRow> processes;
    std::set<std::string> operations;
  };
  auto query = [stack_id](store::Database& db) {
    return Rows{store::Processes::of_stack(db, stack_id), store::Operations::ids_of_stack(db, stack_id)};
  };
  const auto rows = co_await tools.journal.run(query);
  std::set<std::string> kept;
  for (const auto& row : rows.processes) kept.insert(row.run_directory);
  const auto directory = tools.paths.runs(stack_id);
  const auto stack = tools.paths.stack(stack_id);
  auto work = [directory, kept, operation, stack, operations = rows.operations](async::FileWorker&) {
    logs::sweep_run_logs(stack, operations);
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
      const auto name = entry.path().filename().string();
      // What env_from printed is in the facts now, and may be secret.
      const bool printed = name.find(".env") != std::string::npos;
      // A run that is just being taken has the operation's name in another's place (shim/run_directory.cpp).
      const bool own = name.find(operation) != name.npos;
      if (!kept.contains(entry.path().string()) && (printed || !own))
        std::filesystem::remove_all(entry.path(), ignored);
    }
  };
  co_await tools.files.run(work);
}

}  // namespace

awaitable<Outcome> finish_up(Tools& tools, Step<plan::FinishUp> step) {
  Outcome outcome;
  if (step.params.only_made) {
    outcome.record = [id = step.stack()](store::Database& db) { store::Former::forget(db, id); };
    co_return outcome;
  }
  if (!step.params.recover) {
    // X34: from this commit on there is no way back, and what was kept goes all at once.
    auto query = [id = step.stack()](store::Database& db) { return store::Kept::of_stack(db, id); };
    const auto kept = co_await tools.journal.run(query);
    const bool up = step.kind() == plan::Kind::up;
    for (const auto& row : kept)
      if (up && row.aside && !row.container.empty())
        outcome.then.push_back(plan::step("remove " + translate::kept_name(row.container, row.name),
                                          row.service, plan::Remove{row.container, row.name, false, true}, {},
                                          true));
    outcome.record = [id = step.stack(), up](store::Database& db) {
      auto state = world::state_of(db, id);
      state.up = true;
      state.started_at = util::now_ms();
      world::set_state(db, id, state);
      if (up) store::Former::forget(db, id);
    };
  }
  co_await sweep_runs(tools, step.stack(), step.operation().id);
  co_return outcome;
}

awaitable<Outcome> finish_down(Tools& tools, Step<plan::FinishDown> step) {
  auto write = [id = step.stack(), params = step.params](store::Database& db) {
    const auto state = world::state_of(db, id);
    if (params.forget && params.forget_of.empty()) store::HookRuns::forget(db, id, "", "");
    for (const auto& service : params.forget_of) store::HookRuns::forget(db, id, service, "");
    if (params.whole || (params.rollback && !state.up)) store::Ports::release(db, id);
    if (!params.whole) return;
    store::Starts::remove(db, id);
    store::Former::forget(db, id);
    // What is adopted and was left (volumes, a network in use) is still this stack's to take away.
    world::StackState next;
    next.adopted_networks = state.adopted_networks;
    next.adopted_volumes = state.adopted_volumes;
    world::set_state(db, id, next);
  };
  co_await tools.journal.commit(write);
  if (step.params.whole) co_await sweep_runs(tools, step.stack(), step.operation().id);
  co_return Outcome{};
}

}  // namespace stackd::steps
