#include "daemon/stacks/starts.hpp"

namespace stackd::stacks {

bool has_hooks_after_start(const spec::Service& service) {
  for (const auto phase : {spec::Phase::pre_run, spec::Phase::post_start, spec::Phase::after_ready})
    if (!service.hooks_of(phase).empty()) return true;
  return false;
}

awaitable<std::string> unanswered_start(Services& services, store::StartRow row) {
  const auto there = co_await services.engine.inspect_container(row.container);
  if (!there || !there->running || there->restarting || there->started_at == row.started_at) co_return "";
  co_return there->started_at;
}

awaitable<std::map<std::string, std::set<int>>> restarted_replicas(Services& services, Model model,
                                                                   std::set<std::string> selected) {
  std::map<std::string, std::set<int>> restarted;
  auto query = [id = model.id](store::Database& db) { return store::Starts::of_stack(db, id); };
  const auto rows = co_await services.journal.run(query);
  for (const auto& row : rows) {
    const auto* service = model.spec->find(row.service);
    if (!service || row.container.empty() || !selected.contains(row.service) ||
        !has_hooks_after_start(*service))
      continue;
    const auto started_at = co_await unanswered_start(services, row);
    if (!started_at.empty()) restarted[row.service].insert(row.number);
  }
  co_return restarted;
}

}  // namespace stackd::stacks
