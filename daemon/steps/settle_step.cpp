// X28: what was started must still be there at the end, or have ended well.
#include <algorithm>

#include "daemon/async/signal.hpp"
#include "daemon/logs/container_tail.hpp"
#include "daemon/steps/endings.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"

namespace stackd::steps {
namespace {

using std::chrono::milliseconds;
using util::Error;
using util::ErrorKind;

constexpr milliseconds k_engine_tells{2000};

// L2.2: a process that has died with an error since it was ready.
awaitable<void> check_process(Tools& tools, model::Stack stack, std::string name) {
  const auto& service = stack.service(name);
  auto query = [id = stack.id, name](store::Database& db) { return store::Processes::get(db, id, name); };
  const auto row = co_await tools.journal.run(query);
  if (!row || service.kind != model::ServiceKind::process || !service.process->restart.empty()) co_return;
  const auto look = co_await tools.runs.look(row->run_directory);
  if (look.exit && !look.exit->ok()) {
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

// An end that is none of its own doing, or that its service allows.
awaitable<void> check_container(Tools& tools, model::Stack stack, Started started) {
  const auto& container = *stack.service(started.service).container;
  if (!container.restart.empty() && container.restart != "no") co_return;
  const bool ended = co_await has_ended(tools, started);
  if (!ended) co_return;
  const auto state = tools.monitor.find(started.id);
  const int code = state ? state->exit_code.value_or(0) : 0;
  const bool checked = container.healthcheck && !container.healthcheck->disabled();
  if (code == 0 && !checked) co_return;
  const auto lines = co_await logs::last_container_lines(tools.engine, started.id);
  throw Error(ErrorKind::failed, "service '" + started.service + "' exited with status " +
                                     std::to_string(code) + (lines.empty() ? "" : ": " + lines));
}

}  // namespace

awaitable<Outcome> settle(Tools& tools, Step<plan::Settle> step) {
  const auto stack = co_await tools.models.get(step.stack());
  for (const auto& name : step.params.processes) co_await check_process(tools, stack, name);
  std::vector<Started> containers;
  util::TimeMs newest = 0;
  for (const auto& container : step.params.containers) {
    const auto made = step.result_of<plan::Create>(container.create_step);
    const auto start = step.result_of<plan::Start>(container.start_step);
    newest = std::max(newest, start.at);
    containers.push_back({container.service, made.id, start.pid});
  }
  const auto wait = milliseconds(newest + k_settle.count() - util::now_ms());
  if (wait.count() > 0) co_await async::sleep_for(std::min(wait, k_settle));
  for (const auto& started : containers) co_await check_container(tools, stack, started);
  co_return Outcome{};
}

}  // namespace stackd::steps
