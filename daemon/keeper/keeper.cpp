#include "daemon/keeper/keeper.hpp"

#include <spdlog/spdlog.h>

#include "daemon/plan/plan.hpp"
#include "daemon/process/restart_policy.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/world/starts.hpp"

namespace stackd::keeper {
namespace {

constexpr std::chrono::milliseconds k_after_error{
    2000};  // a stack that could not be looked at is looked at again

}  // namespace

// What one look at a stack has found; becomes the operation's request, and the rows that are written with it.
struct Keeper::Findings {
  std::map<std::string, std::string> reasons;      // by service: STACKD_REASON
  std::map<std::string, std::set<int>> restarted;  // replicas that the engine has started
  std::vector<store::StartRow> starts;
  std::vector<store::ProcessRow> processes;
};

Keeper::Keeper(Tools& tools) : tools_(tools), wake_(tools.executor), watches_(tools.executor) {}

void Keeper::look_at(const std::string& stack) {
  if (!stack.empty() && waiting_.insert(stack).second) wake_.notify();
}

void Keeper::look_again(const std::string& stack, Clock::time_point at) {
  auto [place, fresh] = due_.emplace(stack, at);
  if (!fresh) place->second = std::min(place->second, at);
}

// When the run is first seen to have ended, its own time, by the wall clock, is taken over once.
Keeper::Clock::time_point Keeper::ended_at(const store::ProcessRow& row, const process::RunExit& exit) {
  auto& [run, at] = ended_[row.stack_id + " " + row.service];
  if (run != row.run_directory) {
    run = row.run_directory;
    at = util::steady_at(exit.ended_at);
  }
  return at;
}

awaitable<void> Keeper::look_at_all() {
  auto query = [](store::Database& db) { return store::Stacks::all(db); };
  const auto rows = co_await tools_.journal.run(query);
  for (const auto& row : rows) look_at(row.id);
}

awaitable<void> Keeper::run() {
  watched_.clear();  // who watched has ended with the last run
  tools_.monitor.on_change = [this](const world::ContainerState& state) { look_at(state.stack); };
  tools_.monitor.on_engine = [this](bool connected) {
    const auto ids = tools_.monitor.ran_until_now();
    if (!connected) lost_.insert(lost_.end(), ids.begin(), ids.end());
    if (!connected) ++losses_;
    for (const auto& stack : tools_.monitor.stacks()) look_at(stack);
    wake_.notify();
  };
  tools_.runner.on_ended([this](const store::OperationRow& row) {
    note_recovery(row);
    look_at(row.stack_id);
  });
  struct Deaf {
    Tools& tools;
    ~Deaf() {
      tools.monitor.on_change = nullptr;
      tools.monitor.on_engine = nullptr;
      tools.runner.on_ended(nullptr);
    }
  } deaf{tools_};
  auto looking = look();
  co_await watches_.during(std::move(looking));
}

awaitable<void> Keeper::look() {
  co_await look_at_all();
  for (;;) {
    const bool written = co_await write_lost();
    if (!written) {
      co_await async::sleep_for(k_after_error);
      continue;
    }
    const auto now = Clock::now();
    std::erase_if(due_, [&](const auto& entry) {
      if (entry.second > now) return false;
      waiting_.insert(entry.first);
      return true;
    });
    if (!waiting_.empty()) {
      const auto stack = waiting_.extract(waiting_.begin()).value();
      co_await check(stack);
      continue;
    }
    auto next = now + std::chrono::hours(1);
    for (const auto& [stack, at] : due_) next = std::min(next, at);
    if (lost_.empty() && seen_to_.empty())
      co_await wake_.wait_for(std::chrono::ceil<std::chrono::milliseconds>(next - now));
  }
}

// What the engine lost is owed until a recovery has been at it to its end: one that failed because the engine
// was lost once more has not. One that failed by itself would fail again, and is for the user to see.
void Keeper::note_recovery(const store::OperationRow& row) {
  const auto begun = recoveries_.extract(row.id);
  if (row.kind != plan::to_string(plan::Kind::recover) || row.state == "cancelled") return;
  if (row.state != "succeeded" && (begun.empty() || begun.mapped() != losses_)) return;
  for (const auto& service : plan::wish_from(row.request).services)
    seen_to_.emplace_back(row.stack_id, service);
}

// Written before anything is concluded from it, so that the next daemon still knows.
awaitable<bool> Keeper::write_lost() {
  if (lost_.empty() && seen_to_.empty()) co_return true;
  const auto ids = std::exchange(lost_, {});
  const auto done = std::exchange(seen_to_, {});
  auto write = [ids, done](store::Database& db) {
    store::Transaction transaction(db);
    for (const auto& [stack, service] : done)
      for (const auto& row : store::Starts::of_stack(db, stack))
        if (row.service == service) store::Starts::set_state(db, row.container, "lost", "running");
    for (const auto& id : ids) store::Starts::set_state(db, id, "running", "lost");
    transaction.commit();
  };
  try {
    co_await tools_.journal.run(write);
    co_return true;
  } catch (const util::Error& e) {
    if (e.kind() == util::ErrorKind::cancelled) throw;
    spdlog::warn("what the engine has lost could not be written down: {}", e.what());
  }
  // What was lost or seen to meanwhile comes after it.
  lost_.insert(lost_.begin(), ids.begin(), ids.end());
  seen_to_.insert(seen_to_.begin(), done.begin(), done.end());
  co_return false;
}

awaitable<void> Keeper::check(std::string stack) {
  if (tools_.runner.active(stack)) co_return;  // its end will say
  struct Rows {
    std::optional<store::StackRow> stack;
    std::vector<store::ProcessRow> processes;
  };
  auto query = [stack](store::Database& db) {
    return Rows{store::Stacks::get(db, stack), store::Processes::of_stack(db, stack)};
  };
  try {
    const auto rows = co_await tools_.journal.run(query);
    if (!rows.stack) co_return;  // another daemon's
    const auto known = co_await tools_.models.get(stack);
    Findings found;
    co_await find_processes(known, rows.processes, found);
    if (tools_.monitor.connected()) co_await find_containers(known, rows.stack->status, found);
    if (!found.reasons.empty()) {
      co_await submit(stack, std::move(found));
    } else if (!found.starts.empty()) {
      auto write = [starts = found.starts](store::Database& db) {
        for (const auto& row : starts) store::Starts::put(db, row);
      };
      co_await tools_.journal.commit(write);
    }
  } catch (const std::exception& e) {
    if (async::is_cancellation(std::current_exception())) throw;
    // One that cannot be looked at keeps no other from it.
    spdlog::warn("cannot look after stack '{}': {}", stack, e.what());
    look_again(stack, Clock::now() + k_after_error);
  }
}

awaitable<void> Keeper::find_containers(model::Stack stack, std::string status, Findings& found) {
  auto query = [id = stack.id](store::Database& db) { return store::Starts::of_stack(db, id); };
  const auto rows = co_await tools_.journal.run(query);
  for (auto row : rows) {
    const auto* service = stack.spec->find(row.service);
    const auto state = tools_.monitor.find(row.container);
    if (!service || !service->container || !state) continue;
    const bool lost = row.state == "lost";
    if (lost && state->dead()) {
      if (status == "up") {
        found.reasons[row.service] = "engine-restart";
      } else {
        row.state = "running";
        found.starts.push_back(row);
      }
    } else if (state->state == "running") {
      if (lost) {
        row.state = "running";
        found.starts.push_back(row);
      }
      if (!world::has_hooks_after_start(*service)) continue;
      const auto started_at = co_await world::unanswered_start(tools_.engine, tools_.monitor, row);
      if (started_at.empty()) continue;
      row.started_at = started_at;
      row.state = "running";
      found.starts.push_back(row);
      found.restarted[row.service].insert(row.number);
      found.reasons.emplace(row.service, "container-restart");
    }
  }
}

awaitable<void> Keeper::find_processes(model::Stack stack, std::vector<store::ProcessRow> rows,
                                       Findings& found) {
  std::vector<std::filesystem::path> runs;
  for (const auto& row : rows) runs.push_back(row.run_directory);
  const auto looks = co_await tools_.runs.look_at(runs);
  for (std::size_t index = 0; index < rows.size(); ++index) {
    auto row = rows[index];
    const auto& look = looks[index];
    const auto* service = stack.spec->find(row.service);
    if (!service || service->kind != model::ServiceKind::process) continue;
    const auto& exit = look.exit;
    if (!exit) {
      if (look.running()) watch(row);
      continue;
    }
    const auto pause = process::restart_pause(service->process->restart, row.streak, *exit);
    if (!pause) continue;
    // A start that failed before there was a new run counts as an end too.
    const auto tried = tried_.find(stack.id + " " + row.service);
    auto since = ended_at(row, *exit);
    if (tried != tried_.end()) since = std::max(since, tried->second);
    if (const auto at = since + *pause; at > Clock::now()) {
      look_again(stack.id, at);
      continue;
    }
    row.streak = process::streak_before(row.streak, *exit) + 1;
    ++row.restarts;
    found.processes.push_back(row);
    found.reasons[row.service] = "process-exit";
  }
}

awaitable<void> Keeper::submit(std::string stack, Findings found) {
  plan::Wish wish;
  wish.reasons = found.reasons;
  wish.restarted = found.restarted;
  for (const auto& [service, reason] : found.reasons) wish.services.push_back(service);
  store::OperationRow operation;
  operation.id = "op-" + util::random_hex(12);
  operation.stack_id = stack;
  operation.kind = plan::to_string(plan::Kind::recover);
  operation.request = plan::to_text(wish);
  operation.created_at = util::now_ms();
  recoveries_[operation.id] = losses_;
  for (const auto& row : found.processes) tried_[stack + " " + row.service] = Clock::now();
  auto extra = [found, stack, id = operation.id, at = operation.created_at](store::Database& db) {
    for (const auto& row : found.starts) store::Starts::put(db, row);
    for (const auto& row : found.processes) store::Processes::put(db, row);
    store::Stacks::set_last_operation(db, stack, id, at);
  };
  const std::vector<operations::StepPlan> steps{plan::first_step(plan::Kind::recover)};
  // Whatever runs there now will say when it has ended.
  auto give_way = [](const store::OperationRow& running) -> operations::Decision {
    throw util::Error(util::ErrorKind::conflict, "operation " + running.id + " runs");
  };
  try {
    operations::Submission submission{operation, steps, extra, give_way};
    co_await tools_.runner.submit(std::move(submission));
  } catch (const util::Error& e) {
    recoveries_.erase(operation.id);
    if (e.kind() != util::ErrorKind::conflict) throw;
  }
}

void Keeper::watch(const store::ProcessRow& row) {
  if (!watched_.insert(row.run_directory).second) return;
  watches_.spawn("process of service " + row.service, [this, row] { return until_ended(row); });
}

// Whatever goes wrong here, the stack is looked at: else nobody would start its process again.
awaitable<void> Keeper::until_ended(store::ProcessRow row) {
  struct Forget {
    std::set<std::string>& watched;
    const std::string& run;
    ~Forget() { watched.erase(run); }
  } forget{watched_, row.run_directory};
  std::string why;
  try {
    co_await tools_.runs.wait(row.run_directory);
    tools_.picture.touch(row.stack_id);
  } catch (const util::Error& e) {
    if (e.kind() == util::ErrorKind::cancelled) throw;
    why = e.what();
  }
  if (why.empty()) {
    look_at(row.stack_id);
  } else {
    spdlog::warn("process of service '{}' of stack '{}': {}", row.service, row.stack_id, why);
    look_again(row.stack_id, Clock::now() + k_after_error);
    wake_.notify();
  }
}

}  // namespace stackd::keeper
