// X28: what was started must still be there at the end, or have ended well. What has not ends the up when it
// dies, not when everything else is ready.
#include <algorithm>

#include "daemon/async/signal.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/logs/container_tail.hpp"
#include "daemon/process/restart_policy.hpp"
#include "daemon/steps/common/endings.hpp"
#include "daemon/steps/common/process_run.hpp"
#include "daemon/steps/common/waiting.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"

namespace stackd::steps {
namespace {

using std::chrono::milliseconds;
using util::Error;
using util::ErrorKind;

constexpr milliseconds k_engine_tells{2000};

// A recovery is one start of a process that has a `restart`; what becomes of it then is the keeper's.
bool is_keepers(const model::Service& service, const store::OperationRow& operation) {
  return plan::kind_from(operation.kind) == plan::Kind::recover && !service.process->restart.empty();
}

// L2.2: a process that has died with an error since it was ready.
awaitable<void> check_process(Tools& tools, model::Stack stack, std::string name,
                              store::OperationRow operation) {
  const auto& service = stack.service(name);
  auto query = [id = stack.id, name](store::Database& db) { return store::Processes::get(db, id, name); };
  const auto row = co_await tools.journal.run(query);
  if (!row || service.kind != model::ServiceKind::process || is_keepers(service, operation)) co_return;
  const auto look = co_await tools.runs.look(row->run_directory);
  // One that its `restart` starts again is the keeper's from now on.
  if (look.exit && !look.exit->ok() &&
      !process::restart_pause(service.process->restart, row->streak, *look.exit)) {
    const auto failure = co_await process_failure(tools, service, *row, exit_words(*look.exit));
    throw failure;
  }
}

struct Started {
  std::string service, id;
  std::optional<int> pid;  // of its first process, or plan::k_ended
};

bool is_alive(int pid) {
  const auto stat = util::read_file_if_there("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat ? stat->rfind(") ") : std::string::npos;
  return name_end != std::string::npos && stat->substr(name_end + 2, 1) != "Z";
}

// The engine tells of an end as late as it is busy; that the process is gone is seen at once, where the
// engine's processes can be seen from here.
awaitable<bool> has_ended(Tools& tools, Started container) {
  const auto dead = [&] {
    const auto state = tools.monitor.find(container.id);
    return state && state->dead();
  };
  if (dead()) co_return true;
  if (!container.pid || !tools.sees_engine_processes.value_or(true)) co_return false;
  if (*container.pid != plan::k_ended && is_alive(*container.pid)) {
    tools.sees_engine_processes = true;
    co_return false;
  }
  const auto until = std::chrono::steady_clock::now() + k_engine_tells;
  for (auto left = k_engine_tells; !dead() && left.count() > 0;
       left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now()))
    co_await tools.monitor.changed().wait_for(left);
  if (!tools.sees_engine_processes) tools.sees_engine_processes = dead();
  co_return dead();
}

// An end that is none of its own doing, or that its service allows. One that its policy starts again is not
// dead until its tries are used up.
awaitable<void> check_end(Tools& tools, model::Container container, Started started) {
  const bool restarts = !container.restart.empty() && container.restart != "no";
  const bool over = co_await ended_for_good(tools, started.id);
  if (!over) co_return;
  const auto state = tools.monitor.find(started.id);
  const int code = state ? state->exit_code.value_or(0) : 0;
  const bool checked = container.healthcheck && !container.healthcheck->disabled();
  if (code == 0 && (restarts || !checked)) co_return;
  const auto lines = co_await logs::last_container_lines(tools.engine, started.id);
  throw Error(ErrorKind::failed, "service '" + started.service + "' exited with status " +
                                     std::to_string(code) + (lines.empty() ? "" : ": " + lines));
}

awaitable<void> check_container(Tools& tools, model::Stack stack, Started started) {
  const auto container = *stack.service(started.service).container;
  const bool ended = co_await has_ended(tools, started);
  if (ended) co_await check_end(tools, container, started);
}

// What has answered has been there for long enough.
bool is_probed(const model::Service& service) {
  const auto& check = service.container->healthcheck;
  return (service.ready_when && service.ready_when->any()) ||
         (check && !check->disabled() && !check->test.empty());
}

Started started_by(const Step<plan::Settle>& step, const plan::Settle::Container& container) {
  const auto made = step.result_of<plan::Create>(container.create_step);
  return {container.service, made.id, step.result_of<plan::Start>(container.start_step).pid};
}

// ---- while others are still being started

using Failed = std::shared_ptr<std::exception_ptr>;

// Until it has died; what it died of goes to `failed`.
awaitable<void> watch_container(Tools& tools, model::Container container, Started started, Failed failed) {
  try {
    for (;;) {
      const auto state = tools.monitor.find(started.id);
      if (state && state->dead()) co_await check_end(tools, container, started);
      co_await tools.monitor.changed().wait();
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
    *failed = std::current_exception();
  }
  tools.monitor.changed().notify();
}

awaitable<void> watch_process(Tools& tools, model::Service service, std::string operation, std::string stack,
                              Failed failed) {
  auto row = co_await process_row(tools, stack, service.name);
  if (!row || row->operation_id != operation) co_return;
  const auto look = co_await tools.runs.look(row->run_directory);
  if (look.state == process::RunState::absent) co_await begin_named(tools, *row);
  auto exit = co_await tools.runs.wait(row->run_directory);
  // What starts again is not dead until its tries are used up.
  for (;;) {
    const auto next = co_await start_again(tools, *row, exit);
    if (!next) break;
    row = next;
    exit = co_await tools.runs.wait(row->run_directory);
  }
  if (exit.ok()) co_return;
  const auto failure = co_await process_failure(tools, service, *row, exit_words(exit));
  *failed = std::make_exception_ptr(failure);
  tools.monitor.changed().notify();
}

// How soon it is seen that a service has become ready, after which its death is nobody else's to tell.
constexpr milliseconds k_look{50};

awaitable<void> watch_all(Tools& tools, Step<plan::Settle> step, async::TaskGroup& watching) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto failed = std::make_shared<std::exception_ptr>();
  auto containers = step.params.containers;
  auto processes = step.params.processes;
  for (;;) {
    const auto take_container = [&](const plan::Settle::Container& container) {
      if (!step.context.ended("ready " + container.service)) return false;
      watching.spawn(
          "watch of " + container.service,
          [&tools, failed, own = *stack.service(container.service).container,
           started = started_by(step, container)] { return watch_container(tools, own, started, failed); });
      return true;
    };
    const auto take_process = [&](const std::string& name) {
      if (!step.context.ended("ready " + name)) return false;
      const auto& service = stack.service(name);
      if (service.kind == model::ServiceKind::process && !is_keepers(service, step.operation()))
        watching.spawn("watch of " + name,
                       [&tools, failed, service, operation = step.operation().id, id = stack.id] {
                         return watch_process(tools, service, operation, id, failed);
                       });
      return true;
    };
    containers.erase(std::remove_if(containers.begin(), containers.end(), take_container), containers.end());
    processes.erase(std::remove_if(processes.begin(), processes.end(), take_process), processes.end());
    if (*failed) std::rethrow_exception(*failed);
    if (tools.monitor.went_away() && !step.params.containers.empty())
      throw Error(ErrorKind::no_engine, "the engine at " + tools.engine.host() + " went away");
    if (containers.empty() && processes.empty())
      co_await tools.monitor.changed().wait();
    else
      co_await tools.monitor.changed().wait_for(k_look);
  }
}

}  // namespace

awaitable<Outcome> settle_watch(Tools& tools, Step<plan::Settle> step) {
  async::TaskGroup watching(tools.executor);
  auto all = watch_all(tools, std::move(step), watching);
  co_await watching.during(std::move(all));
  co_return Outcome{};
}

awaitable<Outcome> settle(Tools& tools, Step<plan::Settle> step) {
  const auto stack = co_await tools.models.get(step.stack());
  for (const auto& name : step.params.processes) co_await check_process(tools, stack, name, step.operation());
  std::vector<Started> containers;
  util::TimeMs until = 0;
  milliseconds longest{0};
  for (const auto& container : step.params.containers) {
    const auto& service = stack.service(container.service);
    if (!is_probed(service)) {
      const auto at = step.result_of<plan::Start>(container.start_step).at;
      until = std::max(until, at + settle_of(service).count());
      longest = std::max(longest, settle_of(service));
    }
    containers.push_back(started_by(step, container));
  }
  const auto wait = milliseconds(until - util::now_ms());
  if (wait.count() > 0) co_await async::sleep_for(std::min(wait, longest));  // a clock may be set
  for (const auto& started : containers) co_await check_container(tools, stack, started);
  co_return Outcome{};
}

}  // namespace stackd::steps
