#include "daemon/world/starts.hpp"

#include <algorithm>

namespace stackd::world {

bool has_hooks_after_start(const model::Service& service) {
  return std::any_of(service.hooks.begin(), service.hooks.end(),
                     [](const model::Hook& hook) { return model::row_of(hook.phase).after_start; });
}

awaitable<std::string> unanswered_start(docker::Engine& engine, const Monitor& monitor, store::StartRow row) {
  if (const auto known = monitor.find(row.container); known && monitor.connected()) {
    if (known->state != "running") co_return "";
    if (!known->start.empty()) co_return known->start == row.started_at ? "" : known->start;
  }
  const auto there = co_await engine.inspect_container(row.container);
  if (!there || !there->running || there->restarting || there->started_at == row.started_at) co_return "";
  co_return there->started_at;
}

awaitable<std::map<std::string, std::set<int>>> restarted_replicas(journal::Journal& journal,
                                                                   docker::Engine& engine,
                                                                   const Monitor& monitor, model::Stack stack,
                                                                   std::set<std::string> selected) {
  std::map<std::string, std::set<int>> restarted;
  auto query = [id = stack.id](store::Database& db) { return store::Starts::of_stack(db, id); };
  const auto rows = co_await journal.run(query);
  for (const auto& row : rows) {
    const auto* service = stack.spec->find(row.service);
    if (!service || row.container.empty() || !selected.contains(row.service) ||
        !has_hooks_after_start(*service))
      continue;
    const auto started_at = co_await unanswered_start(engine, monitor, row);
    if (!started_at.empty()) restarted[row.service].insert(row.number);
  }
  co_return restarted;
}

}  // namespace stackd::world
