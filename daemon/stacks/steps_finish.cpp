// The last steps: what the stack has become, and what nobody needs any more.
#include <set>

#include "daemon/hooks/run_log.hpp"
#include "daemon/stacks/steps.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;

// Directories of runs that have ended and that no row points to, and logs of operations that were forgotten.
awaitable<void> sweep_runs(Services& services, std::string stack_id, std::string operation) {
  struct Rows {
    std::vector<store::ProcessRow> processes;
    std::set<std::string> operations;
  };
  auto query = [stack_id](store::Database& db) {
    return Rows{store::Processes::of_stack(db, stack_id), store::Operations::ids_of_stack(db, stack_id)};
  };
  const auto rows = co_await services.journal.run(query);
  std::set<std::string> kept;
  for (const auto& row : rows.processes) kept.insert(row.run_directory);
  const auto directory = services.paths.runs(stack_id);
  const auto stack = services.paths.stack(stack_id);
  auto work = [directory, kept, operation, stack, operations = rows.operations](FileWorker&) {
    hooks::sweep_run_logs(stack, operations);
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
      const auto name = entry.path().filename().string();
      // What env_from printed is in the facts now, and may be secret.
      const bool printed = name.find(".env") != std::string::npos;
      if (!kept.contains(entry.path().string()) && (printed || !name.starts_with(operation)))
        std::filesystem::remove_all(entry.path(), ignored);
    }
  };
  co_await services.files.run(work);
}

}  // namespace

json extra_of(store::Database& db, const std::string& stack_id) {
  const auto row = store::Stacks::get(db, stack_id);
  return row && !row->extra.empty() ? json::parse(row->extra) : json::object();
}

awaitable<Outcome> finish_up_step(Services& services, StepContext context) {
  if (context.params.value("recover", false)) {
    co_await sweep_runs(services, context.operation.stack_id, context.operation.id);
    co_return Outcome{};
  }
  auto write = [id = context.operation.stack_id](store::Database& db) {
    auto extra = extra_of(db, id);
    extra["up"] = true;
    extra["started_at"] = util::now_ms();
    store::Stacks::set_extra(db, id, extra.dump());
  };
  co_await services.journal.commit(write);
  co_await sweep_runs(services, context.operation.stack_id, context.operation.id);
  co_return Outcome{};
}

awaitable<Outcome> finish_down_step(Services& services, StepContext context) {
  const bool whole = context.params.value("whole", false);
  const bool rollback = context.params.value("rollback", false);
  auto write = [id = context.operation.stack_id, whole, rollback](store::Database& db) {
    auto extra = extra_of(db, id);
    const bool was_up = extra.value("up", false);
    if (whole || (rollback && !was_up)) store::Ports::release(db, id);
    if (whole) {
      extra = json::object();
      store::Starts::remove(db, id);
    }
    store::Stacks::set_extra(db, id, extra.dump());
  };
  co_await services.journal.commit(write);
  if (whole) co_await sweep_runs(services, context.operation.stack_id, context.operation.id);
  co_return Outcome{};
}

}  // namespace stackd::stacks
