#include "daemon/translate/one_off.hpp"

#include <algorithm>

namespace stackd::translate {
namespace {

using nlohmann::json;

void set_variables(json& list, const std::map<std::string, std::string>& variables) {
  for (const auto& [name, value] : variables) {
    std::erase_if(list.get_ref<json::array_t&>(), [&, own = name](const json& entry) {
      const auto& text = entry.get_ref<const std::string&>();
      return text.substr(0, text.find('=')) == own;
    });
    list.push_back(name + "=" + value);
  }
}

}  // namespace

model::Service one_off_service(const model::Service& service, const Overrides& over) {
  auto copy = service;
  auto& container = *copy.container;
  container.restart.clear();
  container.tty = over.tty;
  container.stdin_open = false;  // of who is attached
  if (!over.service_ports) copy.ports.clear();
  copy.ports.insert(copy.ports.end(), over.ports.begin(), over.ports.end());
  for (const auto& mount : over.mounts) {
    std::erase_if(container.mounts, [&](const auto& one) { return one.target == mount.target; });
    container.mounts.push_back(mount);
  }
  // Whether there is one decides what becomes of the image's (translate/pre_run.hpp).
  if (over.entrypoint) container.entrypoint = over.entrypoint;
  if (over.command)
    container.command = over.command;
  else if (over.entrypoint)
    container.command = std::vector<std::string>{};
  return copy;
}

ContainerRequest one_off_request(const RequestInputs& inputs, const Overrides& over) {
  auto service = inputs.service;
  // Not looked at for references.
  if (over.command || over.entrypoint) service.container->command.reset();
  if (over.entrypoint) service.container->entrypoint.reset();
  RequestInputs plain{inputs.spec, inputs.facts, service};
  plain.image = inputs.image;
  plain.image_id = inputs.image_id;
  plain.config_hash = inputs.config_hash;
  plain.operation = inputs.operation;
  plain.container_of = inputs.container_of;
  plain.one_off = inputs.one_off;
  auto request = container_request(plain);
  auto& body = request.body;
  if (over.entrypoint) body["Entrypoint"] = *over.entrypoint;
  if (over.command || over.entrypoint) body["Cmd"] = over.command.value_or(std::vector<std::string>{});
  if (!over.user.empty()) body["User"] = over.user;
  if (!over.working_dir.empty()) body["WorkingDir"] = over.working_dir;
  set_variables(body["Env"], over.environment);
  for (const auto& [name, value] : over.labels) body["Labels"][name] = value;
  auto& host = body["HostConfig"];
  for (const auto& capability : over.cap_add) host["CapAdd"].push_back(capability);
  for (const auto& capability : over.cap_drop) host["CapDrop"].push_back(capability);
  return request;
}

}  // namespace stackd::translate
