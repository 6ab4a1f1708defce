// Service logs of a stack: which there are, now and later; logs/service_logs.hpp reads them.
#include <algorithm>

#include "daemon/logs/saved_log.hpp"
#include "daemon/logs/service_logs.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/translate/labels.hpp"

namespace stackd::stacks {
namespace {

namespace label = translate::label;
using translate::label_of;

bool is_in(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What is asked for; a service that the file has no more is so as long as something of it is kept.
awaitable<std::vector<std::string>> services_of(Parts& parts, model::Stack stack,
                                                std::vector<std::string> named) {
  std::vector<std::string> all = named;
  if (named.empty())
    for (const auto& service : stack.spec->services) all.push_back(service.name);
  for (const auto& name : named) {
    if (stack.spec->find(name)) continue;
    auto look = [name, directory = parts.paths.stack(stack.id),
                 log = parts.paths.service_log(stack.id, name)](async::FileWorker&) {
      std::error_code ignored;
      return !logs::saved_logs(directory, name).empty() || std::filesystem::exists(log, ignored);
    };
    const bool kept = name.find('/') == std::string::npos && co_await parts.files.run(look);
    if (!kept) check_service(stack, name);
  }
  co_return all;
}

// Processes, and where everything is.
logs::Sources without_containers(Parts& parts, const model::Stack& stack, std::vector<std::string> services) {
  logs::Sources sources;
  sources.stack = parts.paths.stack(stack.id);
  for (const auto& name : services) {
    const auto* service = stack.spec->find(name);
    if (!service || !service->container)
      sources.processes.push_back({name, parts.paths.service_log(stack.id, name)});
  }
  sources.services = std::move(services);
  return sources;
}

// As the engine lists them.
awaitable<logs::Sources> sources_of(Parts& parts, model::Stack stack, std::vector<std::string> services) {
  auto sources = without_containers(parts, stack, std::move(services));
  if (!plan::needs_engine(*stack.spec)) co_return sources;
  const docker::Filters filters{{"label", std::string(label::k_stack) + "=" + stack.id}};
  const auto containers = co_await parts.engine.list_containers(filters);
  for (const auto& container : containers) {
    const auto name = label_of(container, label::k_service);
    const auto* service = stack.spec->find(name);
    if (!service || !service->container || !is_in(sources.services, name)) continue;
    if (!label_of(container, label::k_hook).empty()) continue;
    if (translate::is_kept(container.id, container.name) || label_of(container, label::k_oneoff) == "True")
      continue;
    logs::ContainerSource source;
    source.service = name;
    source.number = translate::number_of(container.labels);
    source.id = container.id;
    source.tty = service->container->tty;
    sources.containers.push_back(std::move(source));
  }
  co_return sources;
}

bool is_at_rest(const std::string& status) {
  return status == "down" || status == "stopped" || status == "exited" || status == "completed" ||
         status == "failed";
}

// As the picture has them.
awaitable<logs::Sources> sources_now(Parts& parts, std::string id, std::vector<std::string> named) {
  const auto now = co_await parts.picture.of(id);
  const auto& stack = now->model;
  std::vector<std::string> services = named;
  if (named.empty())
    for (const auto& service : stack.spec->services) services.push_back(service.name);
  auto sources = without_containers(parts, stack, std::move(services));
  sources.over = !now->engine_away && (!now->operation || now->operation->state != "running");
  for (const auto& service : now->services)
    if (is_in(sources.services, service.name)) sources.over = sources.over && is_at_rest(service.status);
  std::vector<std::string> dead;
  for (const auto& [container, state] : parts.monitor.of_stack(id)) {
    const auto* service = stack.spec->find(state.service);
    if (!service || !service->container || !state.hook.empty() || !is_in(sources.services, state.service))
      continue;
    logs::ContainerSource source;
    source.service = state.service;
    source.number = state.number;
    source.id = container;
    source.tty = service->container->tty;
    source.running = state.state == "running" && parts.monitor.connected();
    source.run = std::to_string(state.starts) + " " + std::to_string(state.started_at);
    if (state.dead()) dead.push_back(container);
    sources.containers.push_back(std::move(source));
  }
  // The engine itself says whether it is about to start one again.
  for (const auto& container : dead) {
    if (!sources.over) break;
    const auto there = co_await parts.engine.inspect_container(container);
    if (there && (there->running || there->restarting)) sources.over = false;
  }
  co_return sources;
}

awaitable<void> until_touched(Parts& parts, std::string id) {
  while (parts.picture.is_current(id)) co_await parts.picture.changed().wait();
}

}  // namespace

awaitable<void> Manager::logs(std::string name, proto::LogsRequest request, LogSink sink) {
  const auto row = co_await find_stack(parts_, name);
  const auto stack = co_await parts_.models.fresh(row.id);
  auto services = co_await services_of(parts_, stack, request.services);
  const auto sources = co_await sources_of(parts_, stack, std::move(services));
  const auto secrets = resolve::secret_values(*stack.spec, *stack.facts);
  const logs::Readers readers{parts_.engine, parts_.files};
  logs::Following following;
  following.look = [this, id = row.id, named = request.services] { return sources_now(parts_, id, named); };
  following.changed = [this, id = row.id] { return until_touched(parts_, id); };
  co_await logs::read_logs(readers, sources, request, secrets, following, sink);
}

}  // namespace stackd::stacks
