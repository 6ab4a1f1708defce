#include "daemon/keeper/pre_run_starts.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "daemon/hooks/pre_run.hpp"
#include "daemon/hooks/pre_run_files.hpp"
#include "daemon/process/file_watch.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/translate/pre_run.hpp"
#include "daemon/util/error.hpp"

namespace stackd::keeper {
namespace {

using util::Error;
using util::ErrorKind;

}  // namespace

PreRunStarts::PreRunStarts(Tools& tools) : tools_(tools), tasks_(tools.executor) {}

awaitable<void> PreRunStarts::run() {
  auto looking = look_at_starts();
  co_await tasks_.during(std::move(looking));
}

awaitable<void> PreRunStarts::look_at_starts() {
  std::map<std::string, int> starts;  // as far as they were looked at
  for (;;) {
    // Copied: looking may suspend, and the monitor goes on.
    const auto containers = tools_.monitor.all();
    for (const auto& [id, state] : containers) {
      const auto known = starts.find(id);
      if (known != starts.end() && known->second == state.starts) continue;
      starts[id] = state.starts;
      look(id, state);
    }
    std::erase_if(starts, [&](const auto& entry) { return !containers.contains(entry.first); });
    co_await tools_.monitor.changed().wait();
  }
}

void PreRunStarts::look(const std::string& id, const world::ContainerState& state) {
  if (!busy_.insert(id).second) return;
  tasks_.spawn("pre_run of " + state.name, [this, id, state] { return record(id, state); });
}

// Every start beyond the operation's own that has no record yet. The shell of a container that has just been
// started has not written its line, so a while is given it, counted from the last start that was heard of:
// one that comes while this runs is not looked at by anybody else.
awaitable<void> PreRunStarts::record(std::string id, world::ContainerState state) {
  struct Free {
    std::set<std::string>& busy;
    const std::string& id;
    ~Free() { busy.erase(id); }
  } free{busy_, id};
  const auto directory = hooks::pre_run_directory(tools_.hook_tools.paths, state.stack, state.name);
  const auto heard_of = [&] {
    const auto now = tools_.monitor.find(id);
    return now ? now->starts : 0;
  };
  std::string why;
  try {
    const auto model = co_await tools_.models.fresh(state.stack);
    const auto* service = model.spec->find(state.service);
    if (!service || !translate::has_pre_run(*service)) co_return;
    const auto hooks = service->hooks_of(model::Phase::pre_run);
    auto look = [directory](async::FileWorker&) { return hooks::prepared_start(directory); };
    auto prepared = co_await tools_.hook_tools.files.run(look);
    if (prepared.token.empty()) co_return;
    process::FileWatch changes(tools_.executor, directory / "run");
    std::string token;
    int starts = heard_of(), number = 1;
    for (;; prepared = co_await tools_.hook_tools.files.run(look)) {
      hooks::PreRunStart start;
      start.token = prepared.token;
      if (std::exchange(token, start.token) != start.token) number = 1;
      if (prepared.starts <= number) {
        if (co_await changes.changed_within(hooks::k_first_line)) continue;
        if (std::exchange(starts, heard_of()) == starts) break;
        continue;
      }
      start.operation.id = start.token.substr(0, start.token.rfind('-'));
      start.operation.stack_id = state.stack;
      start.operation.kind = "recover";
      start.container = id;
      start.name = state.name;
      start.number = number++;
      for (const auto* hook : hooks) {
        if (!prepared.hooks.contains(hook->index)) continue;
        const auto row = co_await hooks::follow_pre_run(tools_.hook_tools, model, *hook, start);
        if (row.state == "failed" && resolve::on_failure_of(*hook) == model::OnFailure::fail) break;
      }
    }
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::not_found) why = e.what();  // another daemon's stack, or it is gone
  }
  if (!why.empty()) spdlog::warn("pre_run of container {} is not recorded: {}", state.name, why);
}

}  // namespace stackd::keeper
