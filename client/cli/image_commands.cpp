// What is about images alone: build, pull, push.
#include <memory>

#include "client/cli/builders.hpp"
#include "client/commands/commands.hpp"

namespace stackd::client {
namespace {

std::shared_ptr<ImagesArgs> of_services(CLI::App& app) {
  auto args = std::make_shared<ImagesArgs>();
  app.add_option("services", args->services, "Only these")->type_name("SERVICE");
  return args;
}

}  // namespace

Run build_build(CLI::App& app) {
  auto args = of_services(app);
  app.add_flag("--no-cache", args->no_cache, "Build every layer anew");
  app.add_flag("--pull", args->pull, "Pull what FROM names, there or not");
  app.add_option("--build-arg", args->build_args,
                 "An argument over the file's; without a value it is taken from here")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  each_time(
      app.add_option("--ssh", args->ssh, "default, or ID=PATH: an agent's socket or a key that RUN may use"))
      ->type_name("ID[=PATH]");
  app.add_flag("--push", args->push, "Push what was built and has a name of its own");
  app.add_flag("--print", args->print, "Build nothing; print the builds as a bake file");
  return [args](Context& context) { return run_images(context, "build", *args); };
}

Run build_pull(CLI::App& app) {
  auto args = of_services(app);
  app.add_option("--policy", args->policy, "When to pull: always, or only what is missing")
      ->type_name("POLICY")
      ->check(CLI::IsMember({"always", "missing"}));
  app.add_flag("--include-deps", args->include_deps, "Those of the services that these need as well");
  app.add_flag("--ignore-pull-failures", args->ignore_failures, "Go on when an image cannot be pulled");
  return [args](Context& context) { return run_images(context, "pull", *args); };
}

Run build_push(CLI::App& app) {
  auto args = of_services(app);
  app.add_flag("--ignore-push-failures", args->ignore_failures, "Go on when an image cannot be pushed");
  return [args](Context& context) { return run_images(context, "push", *args); };
}

}  // namespace stackd::client
