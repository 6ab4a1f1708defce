#include "daemon/stacks/observe.hpp"

#include <algorithm>

#include "daemon/stacks/labels.hpp"

namespace stackd::stacks {

std::string label_of(const docker::ContainerSummary& container, const char* label) {
  const auto found = container.labels.find(label);
  return found == container.labels.end() ? std::string() : found->second;
}

bool needs_engine(const spec::Spec& spec) {
  const auto in_container = [](const spec::Hook& hook) { return !hook.run_in_image.empty(); };
  const auto needs = [&](const spec::Service& service) {
    return service.kind == spec::ServiceKind::container ||
           std::any_of(service.hooks.begin(), service.hooks.end(), in_container);
  };
  return std::any_of(spec.services.begin(), spec.services.end(), needs) ||
         std::any_of(spec.gone.begin(), spec.gone.end(), needs) ||
         std::any_of(spec.hooks.begin(), spec.hooks.end(), in_container);
}

awaitable<Observed> observe(Services& services, std::string stack_id, bool engine) {
  Observed seen;
  if (engine) {
    const docker::Engine::Filters filters{{"label", std::string(label::k_stack) + "=" + stack_id}};
    auto containers = co_await services.engine.list_containers(filters);
    for (auto& container : containers) {
      if (!label_of(container, label::k_hook).empty()) {
        seen.hook_containers.push_back(std::move(container));
        continue;
      }
      if (label_of(container, label::k_service).empty()) {
        // Its image is this stack's, with the image's labels. One of a build that was cut short is ours to
        // remove; one that somebody made from the finished image is not.
        if (container.state != "running" && label_of(container, label::k_operation).empty())
          seen.hook_containers.push_back(std::move(container));
        continue;
      }
      const auto number = std::atoi(label_of(container, label::k_number).c_str());
      seen.containers[label_of(container, label::k_service)].emplace(number ? number : 1,
                                                                     std::move(container));
    }
    seen.engine_asked = true;
  }
  auto query = [stack_id](store::Database& db) { return store::Processes::of_stack(db, stack_id); };
  auto rows = co_await services.journal.run(query);
  for (auto& row : rows) {
    if (services.runs.state(row.run_directory) == process::RunState::running)
      seen.running_processes.insert(row.service);
    seen.processes[row.service] = std::move(row);
  }
  co_return seen;
}

}  // namespace stackd::stacks
