#include "daemon/steps/common/holders.hpp"

#include "daemon/translate/labels.hpp"
#include "daemon/util/text.hpp"

namespace stackd::steps {
namespace {

namespace label = translate::label;
using docker::ContainerSummary;
using translate::label_of;

// "container 'shop-db-1' of stack 'shop-1f2e3d4c'"
std::string called(const ContainerSummary& container) {
  auto text = "container '" + container.name + "'";
  const auto stack = label_of(container, label::k_stack), project = label_of(container, label::k_project);
  if (!stack.empty()) return text + " of stack '" + stack + "'";
  if (!project.empty()) return text + " of project '" + project + "'";
  return text;
}

std::string way_out(const ContainerSummary& container, const model::Stack& stack) {
  const auto owner = label_of(container, label::k_stack), project = label_of(container, label::k_project);
  const auto service = label_of(container, label::k_service);
  const auto directory = label_of(container, label::k_working_dir);
  if (owner == stack.id && !stack.spec->find(service))
    return ", of service '" + service +
           "', which the stack file does not have (any more); `stackctl up --remove-orphans` takes it away";
  if (owner == stack.id) return ", of service '" + service + "'; stop that, or choose another one";
  if (!owner.empty()) return "; take that down (`stackctl -p " + owner + " down`), or choose another one";
  if (!project.empty())
    return (directory.empty() ? "" : ", of " + directory) + "; take that down (`docker compose -p " +
           project + " down`), or choose another one";
  return ", which is no stack's; remove or rename it, or choose another one";
}

awaitable<std::string> users(docker::Engine& engine, docker::Filters filters) {
  const auto containers = co_await engine.list_containers(std::move(filters));
  std::vector<std::string> names;
  for (const auto& container : containers) names.push_back(called(container));
  co_return util::join(names, ", ");
}

}  // namespace

awaitable<std::string> holder_of_name(docker::Engine& engine, model::Stack stack, std::string name) {
  const docker::Filters filters{{"name", name}};
  const auto containers = co_await engine.list_containers(filters);
  for (const auto& container : containers)
    if (container.name == name) co_return called(container) + " has it" + way_out(container, stack);
  co_return "";
}

awaitable<std::string> holder_of_port(docker::Engine& engine, model::Stack stack, int port) {
  const docker::Filters filters{{"publish", std::to_string(port)}};
  const auto containers = co_await engine.list_containers(filters);
  for (const auto& container : containers)
    if (container.state == "running" || container.state == "paused")
      co_return called(container) + " has it" + way_out(container, stack);
  co_return "";
}

awaitable<std::string> users_of_network(docker::Engine& engine, std::string id) {
  const docker::Filters filters{{"network", id}};
  return users(engine, filters);
}
awaitable<std::string> users_of_volume(docker::Engine& engine, std::string name) {
  const docker::Filters filters{{"volume", name}};
  return users(engine, filters);
}

}  // namespace stackd::steps
