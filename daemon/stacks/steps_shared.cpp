// Images, networks and volumes: what several services share. Found again by reference, or by name and label
// (E4).
#include <algorithm>

#include "daemon/docker/context.hpp"
#include "daemon/spec/identity.hpp"
#include "daemon/spec/references.hpp"
#include "daemon/stacks/changes.hpp"
#include "daemon/stacks/container_request.hpp"
#include "daemon/stacks/hook_images.hpp"
#include "daemon/stacks/images.hpp"
#include "daemon/stacks/labels.hpp"
#include "daemon/stacks/steps.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;
using util::Error;
using util::ErrorKind;

docker::LineSink progress(Services& services, const StepContext& context) {
  return [&services, stack = context.operation.stack_id, operation = context.operation.id,
          service = context.step.service](const std::string& line) {
    services.journal.note(stack, operation, "progress",
                          {{"service", service}, {"text", util::valid_utf8(line)}});
  };
}

// An image that somebody removes, be it another checkout's `down --rmi local`, takes layers with it that this
// build may have found in the cache a moment before. The next try makes them anew.
constexpr int k_build_tries = 3;
bool lost_a_layer(const Error& error) {
  const std::string_view text = error.what();
  return text.find("failed to get digest") != text.npos || text.find("unknown parent image ID") != text.npos;
}

awaitable<void> build(Services& services, StepContext context, Model model, const spec::Service& service,
                      std::string image) {
  const auto& wish = *service.container->build;
  const auto resolve = [&](const std::string& text) {
    return spec::resolve(text, spec::Strictness::shell, *model.spec, *model.facts);
  };
  docker::BuildOptions options;
  options.target = wish.target;
  options.network = wish.network;
  options.platform = service.container->platform;
  options.tags = wish.tags;
  options.tags.insert(options.tags.begin(), image);
  options.cache_from = wish.cache_from;
  options.extra_hosts = wish.extra_hosts;
  for (const auto& [name, value] : wish.args) {
    if (value) {
      options.args[name] = resolve(*value);
    } else if (const auto caller = model.facts->caller.find(name); caller != model.facts->caller.end()) {
      options.args[name] = caller->second;  // a bare name takes the caller's value, as Compose does
    }
  }
  options.labels = wish.labels;
  options.labels[label::k_project] = model.spec->name;
  options.labels[label::k_service] = service.name;
  options.labels[label::k_stack] = model.id;
  options.no_cache = wish.no_cache || context.params.value("rebuild", false);
  options.pull = wish.pull;
  for (int left = k_build_tries;; --left) {
    docker::ContextOptions from{wish.context, wish.dockerfile, wish.dockerfile_inline};
    auto packed = docker::open_context(services.executor, from);
    options.dockerfile = packed.dockerfile;
    try {
      co_await services.engine.build_image(packed.source, options, progress(services, context));
      co_return;
    } catch (const Error& e) {
      if (left == 1 || !lost_a_layer(e)) throw e.wrap("service '" + service.name + "'");
    }
  }
}

// The network of this stack with that name; the engine may know several of one name (E4), so the label
// decides.
awaitable<std::optional<docker::NetworkDetails>> find_network(Services& services, std::string name,
                                                              std::string stack) {
  const docker::Engine::Filters filters{{"name", name}};
  const auto all = co_await services.engine.list_networks(filters);
  std::optional<docker::NetworkDetails> strange;
  for (const auto& network : all) {
    if (network.name != name) continue;
    const auto owner = network.labels.find(label::k_stack);
    if (owner != network.labels.end() && owner->second == stack) co_return network;
    strange = network;
  }
  co_return strange;
}

// C8.7. One without the label is left alone, and so is somebody else's.
bool is_outdated(const docker::NetworkDetails& there, const spec::Network& wanted, const std::string& stack) {
  const auto owner = there.labels.find(label::k_stack);
  const auto made_from = there.labels.find(label::k_definition);
  return owner != there.labels.end() && owner->second == stack && made_from != there.labels.end() &&
         made_from->second != definition_of(wanted);
}

// Its containers are stopped; they are made anew for the next one.
awaitable<void> remove_network(Services& services, docker::NetworkDetails network) {
  const docker::Engine::Filters filters{{"network", network.id}, {"label", label::k_stack}};
  const auto attached = co_await services.engine.list_containers(filters);
  for (const auto& container : attached)
    co_await services.engine.disconnect_network(network.id, container.id);
  co_await services.engine.remove_network(network.id);
}

// Of two networks of this stack with one name, the one that nothing uses; empty when there is but one.
awaitable<std::string> newest_of_two(Services& services, std::string name, std::string stack) {
  const docker::Engine::Filters filters{{"name", name}, {"label", std::string(label::k_stack) + "=" + stack}};
  std::string extra;
  for (int look = 0; look < 10 && extra.empty(); ++look) {
    const auto all = co_await services.engine.list_networks(filters);
    std::vector<std::string> same;
    for (const auto& network : all)
      if (network.name == name) same.push_back(network.id);
    if (same.size() > 1)
      extra = same.back();
    else
      co_await async::sleep_for(std::chrono::milliseconds(100));  // it may still be on its way
  }
  co_return extra;
}

}  // namespace

awaitable<Outcome> image_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto& service = model.service(context.step.service);
  const auto& container = *service.container;
  const auto image = context.params.at("image").get<std::string>();
  auto policy = context.params.value("pull", "");
  if (policy.empty() || policy == "policy") policy = container.pull_policy;
  // The image of a pre_start entry is pulled as the service's is (C1.6), but it is not the one that is built.
  const bool builds = container.build && !context.params.value("only_pull", false);
  const bool wants_build = builds && (context.params.value("build", false) ||
                                      context.params.value("rebuild", false) || policy == "build");

  Outcome outcome;
  auto there = co_await services.engine.inspect_image(image);
  if (builds && (wants_build || !there)) {
    co_await build(services, context, model, service, image);
  } else if (!builds && (policy == "always" || !there)) {
    if (policy == "never")
      throw Error(ErrorKind::failed, "image '" + image + "' of service '" + service.name +
                                         "' is not there, and its pull policy is never");
    std::optional<Error> failure;
    try {
      co_await services.engine.pull_image(image, container.platform, progress(services, context));
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::no_engine) throw;
      failure = e.wrap("service '" + service.name + "'");
    }
    if (failure) throw Error(ErrorKind::failed, failure->what(), failure->details());
  } else {
    outcome.result = describe(*there);
    outcome.result["present"] = true;
    co_return outcome;
  }
  there = co_await services.engine.inspect_image(image);
  if (!there) throw Error(ErrorKind::failed, "image '" + image + "' is not there after it was made");
  outcome.result = describe(*there);
  co_return outcome;
}

awaitable<Outcome> network_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto key = context.params.at("key").get<std::string>();
  const auto& network = model.spec->networks.at(key);
  auto there = co_await find_network(services, network.name, model.id);
  if (there && context.resumed && !network.external) {
    if (const auto extra = co_await newest_of_two(services, network.name, model.id); !extra.empty()) {
      co_await services.engine.remove_network(extra);
      there = co_await find_network(services, network.name, model.id);
    }
  }
  if (there && !network.external && is_outdated(*there, network, model.id)) {
    co_await remove_network(services, *there);
    there.reset();
  }
  Outcome outcome;
  if (!there && network.external)
    throw Error(ErrorKind::failed,
                "network '" + network.name + "' is declared external and is not there; create it first");
  if (!there) {
    const auto body = network_request(*model.spec, key, model.id, context.operation.id);
    outcome.result["id"] = co_await services.engine.create_network(body);
    outcome.result["created"] = true;
    // E4, E5: a create of a daemon that died may land beside this one. The oldest stays, and every later use
    // is by it.
    if (context.resumed) {
      if (const auto extra = co_await newest_of_two(services, network.name, model.id); !extra.empty())
        co_await services.engine.remove_network(extra);
    }
  } else {
    outcome.result["id"] = there->id;
    const auto owner = there->labels.find(label::k_stack);
    if (!network.external && (owner == there->labels.end() || owner->second != model.id))
      outcome.warnings.push_back("network '" + network.name +
                                 "' is there already and is not this stack's; it is used as it is");
  }
  co_return outcome;
}

awaitable<Outcome> volume_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto key = context.params.at("key").get<std::string>();
  const auto& volume = model.spec->volumes.at(key);
  const auto there = co_await services.engine.inspect_volume(volume.name);
  Outcome outcome;
  if (there) co_return outcome;
  if (volume.external)
    throw Error(ErrorKind::failed,
                "volume '" + volume.name + "' is declared external and is not there; create it first");
  const auto body = volume_request(*model.spec, key, model.id, context.operation.id);
  co_await services.engine.create_volume(body);
  outcome.result["created"] = true;
  co_return outcome;
}

awaitable<Outcome> remove_networks_step(Services& services, StepContext context) {
  const auto& stack = context.operation.stack_id;
  docker::Engine::Filters filters{{"label", std::string(label::k_stack) + "=" + stack}};
  if (const auto made_by = context.params.value("operation", ""); !made_by.empty())
    filters.emplace_back("label", std::string(label::k_operation) + "=" + made_by);
  const auto networks = co_await services.engine.list_networks(filters);
  Outcome outcome;
  for (const auto& network : networks) {
    std::string why;
    try {
      co_await services.engine.remove_network(network.id);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::no_engine) throw;
      why = e.what();
    }
    // C10.2: a network that someone else still uses is a warning.
    if (!why.empty()) outcome.warnings.push_back("network '" + network.name + "' stays: " + why);
  }
  co_return outcome;
}

awaitable<Outcome> remove_volumes_step(Services& services, StepContext context) {
  const docker::Engine::Filters filters{
      {"label", std::string(label::k_stack) + "=" + context.operation.stack_id}};
  const auto volumes = co_await services.engine.list_volumes(filters);
  Outcome outcome;
  for (const auto& volume : volumes) {
    std::string why;
    try {
      co_await services.engine.remove_volume(volume.name);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::no_engine) throw;
      why = e.what();
    }
    if (!why.empty()) outcome.warnings.push_back("volume '" + volume.name + "' stays: " + why);
  }
  co_return outcome;
}

awaitable<Outcome> remove_images_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const bool all = context.params.value("rmi", "") == "all";
  std::vector<std::string> wanted;
  // Images with build hooks on top were made here, whatever lies below; they go before their bases, unless
  // another stack has the same hooks on the same base.
  const auto own = co_await hook_image_tags(services, model);
  const auto others = co_await hook_image_tags_in_use(services, model.id);
  co_await remove_hook_images(services, model.id, own, others);
  for (const auto& service : model.spec->services) {
    if (!service.container) continue;
    // `local`: only images without a name of the user's own, which is what was built here for this stack.
    const bool local = service.container->build && service.container->image.empty();
    const auto image = image_of(*model.spec, service);
    if ((all || local) && std::find(wanted.begin(), wanted.end(), image) == wanted.end())
      wanted.push_back(image);
  }
  Outcome outcome;
  for (const auto& image : wanted) {
    std::string why;
    try {
      co_await services.engine.remove_image(image);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::no_engine) throw;
      why = e.what();
    }
    if (!why.empty()) outcome.warnings.push_back("image '" + image + "' stays: " + why);
  }
  co_return outcome;
}

}  // namespace stackd::stacks
