#include "daemon/steps/common/shells.hpp"

#include "daemon/docker/in_flight.hpp"
#include "daemon/translate/build_hooks.hpp"
#include "daemon/translate/images.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/translate/pre_run.hpp"

namespace stackd::steps {
namespace {

namespace label = translate::label;
using nlohmann::json;

constexpr const char* k_shell = "/bin/sh";

// `name` and `labels` are those of the container, so that it is found again after a crash.
awaitable<bool> image_has_shell(docker::Engine& engine, std::string image, std::string name, json labels) {
  const auto before = co_await engine.inspect_container(name);
  std::string id = before ? before->id : "";
  if (id.empty()) {
    // A command, because an image may have none and the engine would refuse it.
    const json body{{"Image", image}, {"Cmd", {"true"}}, {"Labels", labels}, {"NetworkDisabled", true}};
    id = co_await docker::create_or_find(engine, name, body);
  }
  const bool there = co_await engine.has_path(id, k_shell);
  co_await engine.remove_container(id, true, true);
  co_return there;
}

}  // namespace

util::Error no_shell(const model::Spec& spec, const model::Service& service) {
  return util::Error(util::ErrorKind::failed,
                     "service '" + service.name + "' has " +
                         (translate::has_pre_run(service) ? "pre_run" : "build") + " hooks, and its image '" +
                         translate::image_of(spec, service) +
                         "' has no /bin/sh to run them; take an image that has a shell, or take the "
                         "hooks out of the stack file");
}

awaitable<void> check_shells(Tools& tools, std::string operation, model::Stack stack,
                             std::map<std::string, std::string> images) {
  for (const auto& [name, image] : images) {
    const auto& service = stack.service(name);
    if (!tools.shells.contains(image)) {
      const auto look = "stackd-look-" + operation + "-" + image.substr(image.find(':') + 1).substr(0, 12);
      const json labels{{label::k_stack, stack.id},
                        {label::k_service, name},
                        {label::k_hook, translate::has_pre_run(service) ? "pre_run" : "build"},
                        {label::k_operation, operation}};
      const bool there = co_await image_has_shell(tools.engine, image, look, labels);
      tools.shells[image] = there;
    }
    if (!tools.shells[image]) throw no_shell(*stack.spec, service);
  }
}

}  // namespace stackd::steps
