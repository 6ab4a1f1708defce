#include "daemon/translate/hook_container.hpp"

#include "daemon/resolve/environment.hpp"
#include "daemon/translate/container_request.hpp"
#include "daemon/translate/labels.hpp"

namespace stackd::translate {
namespace {

using nlohmann::json;

// Service environment (of a stack's hook what the file gives to all), then the hook's, in that order: the
// later wins (C4.5). The first is resolved already, and what it got from elsewhere stays as it is (X16).
json environment_of(const HookContainerInputs& in) {
  auto environment = json::array();
  const auto variables = in.service && in.service->container
                             ? resolve::container_environment(in.spec, in.facts, *in.service)
                             : resolve::file_environment(in.spec, in.facts);
  for (const auto* each : {&in.variables, &variables})
    for (const auto& [name, value] : *each) environment.push_back(name + "=" + value);
  for (const auto& [name, value] : in.hook.env)
    environment.push_back(
        value ? name + "=" + resolve::resolved(*value, resolve::Strictness::value, in.spec, in.facts) : name);
  return environment;
}

}  // namespace

HookContainer hook_container(const HookContainerInputs& in) {
  HookContainer request;
  const auto* container = in.service && in.service->container ? &*in.service->container : nullptr;
  const auto& image = !in.hook.run_in_image.empty() ? in.hook.run_in_image : in.hook.image;
  const bool own_image = !image.empty() && (!container || image != container->image);
  json host{{"VolumesFrom", json::array()}};
  auto& body = request.body;
  body["Image"] = image.empty() ? in.service_image : image;
  if (!in.hook.argv.empty()) body["Cmd"] = in.hook.argv;
  if (!in.hook.shell.empty()) {
    body["Entrypoint"] = json::array({"/bin/sh", "-c"});
    body["Cmd"] = json::array({in.hook.shell});
  }
  // X2: with the service's own image, the service's user and directory are the defaults.
  const auto user = in.hook.user.empty() && container && !own_image ? container->user : in.hook.user;
  const auto directory =
      in.hook.cwd.empty() && container && !own_image ? container->working_dir : in.hook.cwd;
  if (!user.empty()) body["User"] = user;
  if (!directory.empty()) body["WorkingDir"] = directory;
  if (in.hook.privileged) host["Privileged"] = true;
  body["Labels"] = {{label::k_project, in.spec.name},    {label::k_service, in.hook.service},
                    {label::k_version, STACKD_VERSION},  {label::k_hook, model::to_string(in.hook.phase)},
                    {label::k_stack, in.facts.stack_id}, {label::k_operation, in.operation}};
  body["Healthcheck"] = {{"Test", json::array({"NONE"})}};
  if (!in.service_container.empty()) host["VolumesFrom"].push_back(in.service_container);
  if (container) {
    // Exactly the service's networks, its name among the aliases (C4.5).
    RequestInputs like{in.spec, in.facts, *in.service};
    like.container_of = in.container_of;
    auto service = container_request(like);
    if (service.body.contains("NetworkingConfig"))
      body["NetworkingConfig"] = service.body["NetworkingConfig"];
    if (service.body["HostConfig"].contains("NetworkMode"))
      host["NetworkMode"] = service.body["HostConfig"]["NetworkMode"];
    if (service.body["HostConfig"].contains("ExtraHosts"))
      host["ExtraHosts"] = service.body["HostConfig"]["ExtraHosts"];
    if (service.body.contains("MacAddress")) body["MacAddress"] = service.body["MacAddress"];
    request.more_networks = service.more_networks;
    request.platform = container->platform;
  } else if (const auto network = in.spec.networks.find("default");
             network != in.spec.networks.end() && in.network_is_there) {
    host["NetworkMode"] = network->second.name;
  }
  body["HostConfig"] = std::move(host);
  resolve_all(body, resolve::Strictness::shell, in.spec, in.facts);
  body["Env"] = environment_of(in);
  return request;
}

}  // namespace stackd::translate
