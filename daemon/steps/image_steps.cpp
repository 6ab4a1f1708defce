// Images: found again by reference.
#include <algorithm>

#include "daemon/docker/context.hpp"
#include "daemon/docker/words.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/steps/hook_images.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/translate/images.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::steps {
namespace {

namespace label = translate::label;
using util::Error;
using util::ErrorKind;

docker::LineSink progress(Tools& tools, const operations::StepContext& context, const model::Stack& stack) {
  return [&tools, operation = context.operation.id, service = context.step.service, stack = stack.id,
          secrets = resolve::secret_values(*stack.spec, *stack.facts)](std::string line) -> awaitable<void> {
    tools.journal.note(stack, operation, "progress",
                       {{"service", service}, {"text", resolve::mask(util::valid_utf8(line), secrets)}});
    co_return;
  };
}

docker::BuildOptions build_options(const model::Stack& stack, const model::Service& service,
                                   const plan::Image& params) {
  const auto& wish = *service.container->build;
  docker::BuildOptions options;
  options.target = wish.target;
  options.network = wish.network;
  options.platform = service.container->platform;
  options.tags = wish.tags;
  options.tags.insert(options.tags.begin(), params.image);
  options.cache_from = wish.cache_from;
  options.extra_hosts = wish.extra_hosts;
  for (const auto& [name, value] : wish.args) {
    if (value) {
      options.args[name] = resolve::resolved(*value, resolve::Strictness::shell, *stack.spec, *stack.facts);
    } else if (const auto caller = stack.facts->caller.find(name); caller != stack.facts->caller.end()) {
      options.args[name] = caller->second;  // a bare name takes the caller's value, as Compose does
    }
  }
  options.labels = wish.labels;
  options.labels[label::k_project] = stack.spec->name;
  options.labels[label::k_service] = service.name;
  options.labels[label::k_stack] = stack.id;
  options.no_cache = wish.no_cache || params.rebuild;
  options.pull = wish.pull;
  return options;
}

// An image that somebody removes, be it another checkout's `down --rmi local`, takes layers with it that this
// build may have found in the cache a moment before. The next try makes them anew.
constexpr int k_build_tries = 3;

awaitable<void> build(Tools& tools, const Step<plan::Image>& step, model::Stack stack) {
  const auto& service = stack.service(step.service());
  const auto& wish = *service.container->build;
  auto options = build_options(stack, service, step.params);
  for (int left = k_build_tries;; --left) {
    const docker::ContextOptions from{wish.context, wish.dockerfile, wish.dockerfile_inline};
    auto open = [executor = tools.executor, from] { return docker::open_context(executor, from); };
    const auto packed = co_await tools.user_files.run(open);
    options.dockerfile = packed.dockerfile;
    try {
      co_await tools.engine.build_image(packed.source, options, progress(tools, step.context, stack));
      co_return;
    } catch (const Error& e) {
      if (left == 1 || !docker::lost_a_layer(e.what())) throw e.wrap("service '" + service.name + "'");
    }
  }
}

awaitable<void> pull(Tools& tools, const Step<plan::Image>& step, model::Stack stack, std::string platform) {
  std::optional<Error> failure;
  try {
    co_await tools.engine.pull_image(step.params.image, platform, progress(tools, step.context, stack));
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::no_engine) throw;
    failure = e.wrap("service '" + step.service() + "'");
  }
  if (failure) throw Error(ErrorKind::failed, failure->what(), failure->details());
}

}  // namespace

awaitable<Outcome> image(Tools& tools, Step<plan::Image> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto& container = *stack.service(step.service()).container;
  const auto& params = step.params;
  const auto policy = params.pull.empty() || params.pull == "policy" ? container.pull_policy : params.pull;
  // The image of a pre_start entry is pulled as the service's is (C1.6), but it is not the one that is built.
  const bool builds = container.build && !params.only_pull;
  const bool wants_build = builds && (params.build || params.rebuild || policy == "build");

  auto there = co_await tools.engine.inspect_image(params.image);
  const bool present = there && !(builds ? wants_build : policy == "always");
  if (!present && builds && params.no_build)
    throw Error(ErrorKind::failed, "image '" + params.image + "' of service '" + step.service() +
                                       "' is not there, and --no-build keeps it from being built");
  if (!present && builds) {
    co_await build(tools, step, stack);
  } else if (!present) {
    if (policy == "never")
      throw Error(ErrorKind::failed, "image '" + params.image + "' of service '" + step.service() +
                                         "' is not there, and its pull policy is never");
    co_await pull(tools, step, stack, container.platform);
  }
  if (!present) there = co_await tools.engine.inspect_image(params.image);
  if (!there) throw Error(ErrorKind::failed, "image '" + params.image + "' is not there after it was made");
  co_return with(plan::Image::Result{.image = translate::facts_of(*there), .present = present});
}

awaitable<Outcome> remove_images(Tools& tools, Step<plan::RemoveImages> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const bool all = step.params.rmi == "all";
  std::vector<std::string> wanted;
  // Images with build hooks on top were made here, whatever lies below; they go before their bases, unless
  // another stack has the same hooks on the same base.
  const auto own = co_await hook_image_tags(tools, stack);
  const auto others = co_await hook_image_tags_in_use(tools, stack.id);
  const std::set<std::string> made_by{stack.id};
  co_await remove_hook_images(tools, made_by, own, others);
  for (const auto& service : stack.spec->services) {
    if (!service.container) continue;
    // `local`: only images without a name of the user's own, which is what was built here for this stack.
    const bool local = service.container->build && service.container->image.empty();
    const auto image = translate::image_of(*stack.spec, service);
    if ((all || local) && std::find(wanted.begin(), wanted.end(), image) == wanted.end())
      wanted.push_back(image);
  }
  Outcome outcome;
  for (const auto& image : wanted) {
    std::string why;
    try {
      co_await tools.engine.remove_image(image);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::no_engine) throw;
      why = e.what();
    }
    if (!why.empty()) outcome.warnings.push_back("image '" + image + "' stays: " + why);
  }
  co_return outcome;
}

}  // namespace stackd::steps
