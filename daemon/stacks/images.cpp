#include "daemon/stacks/images.hpp"

#include "daemon/docker/in_flight.hpp"
#include "daemon/spec/identity.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {

using nlohmann::json;

std::string image_of(const spec::Spec& spec, const spec::Service& service) {
  if (!service.container->image.empty()) return service.container->image;
  return spec::built_image_name(spec, service);
}

json describe(const docker::ImageDetails& image) {
  return {{"id", image.id},
          {"healthcheck", image.healthcheck},
          {"user", image.user},
          {"working_dir", image.working_dir},
          {"entrypoint", image.entrypoint},
          {"command", image.command},
          {"shell", image.shell}};
}

awaitable<bool> image_has(docker::Engine& engine, std::string image, std::string path, std::string name,
                          json labels) {
  const auto before = co_await engine.inspect_container(name);
  std::string id = before ? before->id : "";
  if (id.empty()) {
    // A command, because an image may have none and the engine would refuse it.
    const json body{{"Image", image}, {"Cmd", {"true"}}, {"Labels", labels}, {"NetworkDisabled", true}};
    id = co_await docker::create_or_find(engine, name, body);
  }
  const bool there = co_await engine.has_path(id, path);
  co_await engine.remove_container(id, true, true);
  co_return there;
}

}  // namespace stackd::stacks
