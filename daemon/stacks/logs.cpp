// Service logs of a stack: which there are; logs/service_logs.hpp reads them.
#include "daemon/logs/service_logs.hpp"

#include <algorithm>

#include "daemon/plan/plan.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/translate/labels.hpp"

namespace stackd::stacks {
namespace {

namespace label = translate::label;
using translate::label_of;

awaitable<logs::Sources> sources_of(Parts& parts, model::Stack stack, std::vector<std::string> services) {
  const auto wanted = [&](const std::string& name) {
    return services.empty() || std::find(services.begin(), services.end(), name) != services.end();
  };
  std::vector<docker::ContainerSummary> containers;
  if (plan::needs_engine(*stack.spec)) {
    const docker::Filters filters{{"label", std::string(label::k_stack) + "=" + stack.id}};
    containers = co_await parts.engine.list_containers(filters);
    std::erase_if(containers, [](const auto& each) {
      return translate::is_kept(each.id, each.name) || label_of(each, label::k_oneoff) == "True";
    });
  }
  logs::Sources sources;
  for (const auto& service : stack.spec->services) {
    if (!wanted(service.name)) continue;
    if (!service.container)
      sources.processes.push_back({service.name, parts.paths.service_log(stack.id, service.name)});
    for (const auto& container : containers)
      if (service.container && label_of(container, label::k_service) == service.name &&
          label_of(container, label::k_hook).empty())
        sources.containers.push_back(
            {service.name, translate::number_of(container.labels), container.id, service.container->tty});
  }
  co_return sources;
}

}  // namespace

awaitable<void> Manager::logs(std::string name, proto::LogsRequest request, LogSink sink) {
  const auto row = co_await find_stack(parts_, name);
  const auto stack = co_await parts_.models.fresh(row.id);
  for (const auto& service : request.services) check_service(stack, service);
  const auto sources = co_await sources_of(parts_, stack, request.services);
  const auto secrets = resolve::secret_values(*stack.spec, *stack.facts);
  const logs::Readers readers{parts_.engine, parts_.files};
  co_await logs::read_logs(readers, sources, request, secrets, sink);
}

}  // namespace stackd::stacks
