// Images: found again by reference.
#include <algorithm>
#include <cctype>

#include "daemon/docker/context.hpp"
#include "daemon/docker/words.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/steps/common/builds.hpp"
#include "daemon/steps/common/hook_images.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/translate/build_request.hpp"
#include "daemon/translate/images.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/time.hpp"
#include "proto/time.hpp"

namespace stackd::steps {
namespace {

namespace label = translate::label;
using util::Error;
using util::ErrorKind;

std::filesystem::path build_run(const Tools& tools, const std::string& stack, const std::string& operation,
                                int ordinal) {
  return tools.paths.run(stack, operation + "-" + std::to_string(ordinal) + ".build");
}

// Beside those of hooks: it stays for as long as its operation is remembered.
std::filesystem::path build_log(const Tools& tools, const std::string& stack, const std::string& operation,
                                int ordinal) {
  return tools.paths.stack(stack) / "hook-logs" / (operation + "-" + std::to_string(ordinal) + ".build.log");
}

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
  for (const auto& [name, value] : translate::build_args(stack, wish)) options.args[name] = value;
  for (const auto& [name, value] : params.args) options.args[name] = value;
  options.labels = translate::build_labels(stack, service);
  options.no_cache = wish.no_cache || params.rebuild;
  options.pull = wish.pull || params.pull_base;
  return options;
}

// An image that somebody removes, be it another checkout's `down --rmi local`, takes layers with it that this
// build may have found in the cache a moment before. The next try makes them anew.
constexpr int k_build_tries = 3;

awaitable<void> build_classic(Tools& tools, const Step<plan::Image>& step, model::Stack stack) {
  const auto& service = stack.service(step.service());
  const auto& wish = *service.container->build;
  auto keys = translate::buildkit_keys(wish);
  if (keys.empty() && !step.params.ssh.empty()) keys.emplace_back("ssh");
  if (!keys.empty())
    throw Error(ErrorKind::unsupported,
                "cannot build image " + step.params.image + ": '" + util::join(keys, "', '") +
                    "' of its build need BuildKit, which this engine does not have or "
                    "DOCKER_BUILDKIT=0 turns off");
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
      if (left == 1 || !docker::lost_a_layer(e.what())) throw;
    }
  }
}

// Of the caller's config.json, for RUN to reach the world; for this engine's host, else for all.
std::map<std::string, std::string> proxy_args(const dotdocker::Environment& caller, const std::string& host) {
  const auto config = dotdocker::load(caller);
  auto found = config.proxies.find(host);
  if (found == config.proxies.end()) found = config.proxies.find("default");
  std::map<std::string, std::string> args;
  if (found == config.proxies.end()) return args;
  const auto& proxies = found->second;
  const auto put = [&args](std::string name, const std::string& value) {
    if (value.empty()) return;
    args[name] = value;
    for (auto& c : name) c = static_cast<char>(std::tolower(c));
    args[name] = value;
  };
  put("HTTP_PROXY", proxies.http);
  put("HTTPS_PROXY", proxies.https);
  put("FTP_PROXY", proxies.ftp);
  put("ALL_PROXY", proxies.all);
  put("NO_PROXY", proxies.none);
  return args;
}

// False when the engine has no BuildKit after all.
awaitable<bool> build_with_buildkit(Tools& tools, const Step<plan::Image>& step, model::Stack stack,
                                    std::vector<std::string>& warnings) {
  const auto& service = stack.service(step.service());
  const auto engine = co_await tools.engine.version();
  const auto limits = translate::build_limits(*service.container->build, engine.api_version);
  if (!limits.refused.empty())
    throw Error(ErrorKind::unsupported,
                "cannot build image " + step.params.image + ": '" + util::join(limits.refused, "', '") +
                    "' of its build need Docker Engine 23.0 or newer, and this is " + engine.version);
  const auto keys = translate::containerd_keys(*service.container->build, step.params.all_platforms);
  if (!keys.empty()) {
    const bool stores = co_await tools.engine.has_containerd_store();
    if (!stores)
      throw Error(ErrorKind::unsupported,
                  "cannot build image " + step.params.image + ": '" + util::join(keys, "', '") +
                      "' of its build " + (keys.size() == 1 ? "needs" : "need") +
                      " the containerd image store, which Docker Engine has from 24.0 on where it is turned "
                      "on, and this is " +
                      engine.version + " without it");
  }
  if (!limits.ignored.empty())
    warnings.push_back("service '" + service.name + "': '" + util::join(limits.ignored, "', '") +
                       "' of its build have no effect: they need Docker Engine 23.0 or newer");
  auto read = [caller = stack.facts->caller, host = tools.engine.host()] { return proxy_args(caller, host); };
  translate::BuildWish wish{.image = step.params.image,
                            .no_cache = step.params.rebuild,
                            .pull = step.params.pull_base,
                            .all_platforms = step.params.all_platforms,
                            .platform = engine.os + "/" + engine.arch,
                            .args = step.params.args,
                            .ssh = step.params.ssh};
  wish.more_args = co_await tools.user_files.run(read);
  images::Build build{.run = build_run(tools, step.stack(), step.operation().id, step.context.step.ordinal),
                      .log = build_log(tools, step.stack(), step.operation().id, step.context.step.ordinal),
                      .environment = stack.facts->caller,
                      .secrets = resolve::secret_values(*stack.spec, *stack.facts),
                      .line = progress(tools, step.context, stack)};
  build.request = translate::build_request(stack, service, wish, build.environment);
  co_return co_await tools.builds.build(std::move(build));
}

awaitable<void> build(Tools& tools, const Step<plan::Image>& step, model::Stack stack,
                      std::vector<std::string>& warnings) {
  std::optional<Error> failure;
  try {
    const bool buildkit = co_await tools.builds.has_buildkit(stack.facts->caller);
    bool built = false;
    if (buildkit) built = co_await build_with_buildkit(tools, step, stack, warnings);
    if (!built) co_await build_classic(tools, step, stack);
    co_return;
  } catch (const Error& e) {
    failure = e;
  }
  throw failure->wrap("service '" + step.service() + "'");
}

awaitable<void> pull(Tools& tools, const Step<plan::Image>& step, model::Stack stack, bool missing_only) {
  const images::Transfer pulled{.image = step.params.image,
                                .platform = stack.service(step.service()).container->platform,
                                .caller = stack.facts->caller,
                                .progress = progress(tools, step.context, stack),
                                .missing_only = missing_only};
  std::optional<Error> failure;
  try {
    co_await tools.transfers.pull(pulled);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::no_engine) throw;
    failure = e.wrap("service '" + step.service() + "'");
  }
  if (failure) throw Error(ErrorKind::failed, failure->what(), failure->details());
}

// Nothing when it is there; why not when that is no failure.
awaitable<std::optional<std::string>> pull_or_say(Tools& tools, const Step<plan::Image>& step,
                                                  model::Stack stack, bool missing_only) {
  std::optional<std::string> why;
  try {
    co_await pull(tools, step, stack, missing_only);
  } catch (const Error& e) {
    if (!step.params.optional || e.kind() == ErrorKind::no_engine) throw;
    why = e.what();
  }
  co_return why;
}

// An image without a time was never pulled here.
bool is_too_old(const docker::ImageDetails& image, std::chrono::milliseconds oldest) {
  const auto tagged = proto::parse_time(image.tagged_at);
  return !tagged || util::now_ms() - *tagged > oldest.count();
}

}  // namespace

awaitable<Outcome> push(Tools& tools, Step<plan::Push> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const images::Transfer pushed{.image = step.params.image,
                                .caller = stack.facts->caller,
                                .progress = progress(tools, step.context, stack)};
  std::optional<Error> failure;
  try {
    co_await tools.transfers.push(pushed);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::no_engine) throw;
    failure = e.wrap("service '" + step.service() + "'");
  }
  Outcome outcome;
  if (failure && !step.params.optional) throw Error(ErrorKind::failed, failure->what(), failure->details());
  if (failure) outcome.warnings.emplace_back(failure->what());
  co_return outcome;
}

awaitable<Outcome> image(Tools& tools, Step<plan::Image> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto& container = *stack.service(step.service()).container;
  const auto& params = step.params;
  const auto policy = params.pull.empty() || params.pull == "policy" ? container.pull_policy : params.pull;
  // The image of a pre_start entry is pulled as the service's is (C1.6), but it is not the one that is built.
  const bool builds = container.build && !params.only_pull;
  const bool wants_build = builds && (params.build || params.rebuild || policy == "build");

  std::vector<std::string> warnings;
  auto there = co_await tools.engine.inspect_image(params.image);
  const auto oldest = translate::pull_interval(policy);
  const bool wants_pull = policy == "always" || (there && oldest && is_too_old(*there, *oldest));
  const bool present = there && !(builds ? wants_build : wants_pull);
  if (!present && builds && params.no_build)
    throw Error(ErrorKind::failed, "image '" + params.image + "' of service '" + step.service() +
                                       "' is not there, and --no-build keeps it from being built");
  if (!present && builds) {
    co_await build(tools, step, stack, warnings);
  } else if (!present) {
    if (policy == "never")
      throw Error(ErrorKind::failed, "image '" + params.image + "' of service '" + step.service() +
                                         "' is not there, and its pull policy is never");
    const auto why = co_await pull_or_say(tools, step, stack, !wants_pull);
    if (why) {
      Outcome outcome;
      outcome.warnings.push_back(*why);
      co_return outcome;
    }
  }
  if (!present) there = co_await tools.engine.inspect_image(params.image);
  if (!there) throw Error(ErrorKind::failed, "image '" + params.image + "' is not there after it was made");
  auto outcome = with(plan::Image::Result{.image = translate::facts_of(*there), .present = present});
  outcome.warnings = std::move(warnings);
  co_return outcome;
}

awaitable<void> end_build(Tools& tools, std::string stack, std::string operation, int ordinal) {
  co_await tools.builds.end(build_run(tools, stack, operation, ordinal));
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
