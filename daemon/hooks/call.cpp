#include "daemon/hooks/call.hpp"

#include <algorithm>

#include "daemon/hooks/context.hpp"
#include "daemon/hooks/judge.hpp"
#include "daemon/hooks/previous.hpp"
#include "daemon/logs/container_tail.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/translate/definitions.hpp"
#include "daemon/translate/hook_container.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"

namespace stackd::hooks {
namespace {

namespace label = translate::label;
using util::Error;
using util::ErrorKind;

awaitable<bool> network_is_there(docker::Engine& engine, model::Stack stack) {
  const auto network = stack.spec->networks.find("default");
  if (network == stack.spec->networks.end()) co_return false;
  const auto found = co_await engine.inspect_network(network->second.name);
  co_return found.has_value();
}

// C1.5: the reference of what a container runs; "" without one.
awaitable<std::string> image_in(docker::Engine& engine, std::string container) {
  if (container.empty()) co_return "";
  const auto there = co_await engine.inspect_container(container);
  if (!there) throw Error(ErrorKind::failed, "container " + container.substr(0, 12) + " is gone");
  co_return there->image;
}

// C1.6: a hook's own image is pulled when it is not there. Its digest, or why there is none.
struct HookImage {
  std::string id, failure;
};
awaitable<HookImage> ensure_image(Tools& tools, model::Hook hook, images::Transfer pulled) {
  auto there = co_await tools.engine.inspect_image(pulled.image);
  HookImage image;
  try {
    if (!there) co_await tools.transfers.pull(pulled);
    if (!there) there = co_await tools.engine.inspect_image(pulled.image);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::no_engine) throw;
    image.failure = resolve::label_of(hook) + ": " + error.what();
  }
  if (there) image.id = there->id;
  co_return image;
}

// A hook in a container that has ended says nothing of why it did.
awaitable<std::string> death_of(docker::Engine& engine, std::string container) {
  const auto there = co_await engine.inspect_container(container);
  if (!there || there->running) co_return "";
  const auto lines = co_await logs::last_container_lines(engine, container);
  co_return "container " + there->name + " exited (" + std::to_string(there->exit_code) + ")" +
      (lines.empty() ? "" : ": " + lines);
}

// The container that a hook of its own is; the digest of its image goes into `image`.
awaitable<void> prepare_container(Tools& tools, const Call& call, HookJob& job, std::string& image) {
  const auto& spec = *call.stack.spec;
  const bool network = co_await network_is_there(tools.engine, call.stack);
  const auto service_image = co_await image_in(tools.engine, call.container);
  translate::HookContainerInputs inputs{
      spec,           *call.stack.facts, call.hook,         spec.find_known(call.hook.service),
      call.container, service_image,     call.operation.id, variables_of(job),
      network};
  if (inputs.service && inputs.service->container &&
      !translate::services_referred_to(*inputs.service->container).empty())
    inputs.container_of = co_await containers_by_service(tools.engine, call.stack.id);
  job.own_container = translate::hook_container(inputs);
  if (job.skip.empty()) {
    const images::Transfer wanted{.image = job.own_container->body.value("Image", ""),
                                  .platform = job.own_container->platform,
                                  .caller = call.stack.facts->caller,
                                  .missing_only = true};
    const auto found = co_await ensure_image(tools, call.hook, wanted);
    image = found.id;
    job.failure = found.failure;
  }
  // X3: a record for each entry and service container; stop and start of the same container does not run it
  // again.
  if (call.hook.phase == model::Phase::pre_start && !call.by_hand) job.only_unless_succeeded = true;
}

}  // namespace

awaitable<std::map<std::string, std::string>> containers_by_service(docker::Engine& engine,
                                                                    std::string stack_id) {
  std::map<std::string, std::string> ids;
  const docker::Filters filters{{"label", std::string(label::k_stack) + "=" + stack_id},
                                {"label", std::string(label::k_number) + "=1"}};
  const auto all = co_await engine.list_containers(filters);
  for (const auto& container : all)
    if (!translate::is_kept(container.id, container.name))
      ids[translate::label_of(container, label::k_service)] = container.id;
  co_return ids;
}

awaitable<Call> placed(Tools& tools, Call call) {
  const auto& where = call.hook.run_in;
  if (where.empty() || where == "host") co_return call;
  const docker::Filters filters{{"label", std::string(label::k_stack) + "=" + call.stack.id},
                                {"label", std::string(label::k_service) + "=" + where}};
  const auto containers = co_await tools.engine.list_containers(filters);
  const auto running = std::find_if(containers.begin(), containers.end(), [](const auto& container) {
    return container.state == "running" && translate::label_of(container, label::k_oneoff) != "True";
  });
  if (running != containers.end())
    call.container = running->id;
  else if (resolve::is_down(call.hook))
    call.skip = "service '" + where + "' is not running";
  else
    call.failure =
        "cannot run " + resolve::label_of(call.hook) + " in service '" + where + "': it is not running" +
        (call.hook.phase == model::Phase::before_up ? ", before_up comes before every service" : "");
  co_return call;
}

awaitable<Called> run(Tools& tools, HookRunner& runner, Call call) {
  const auto& hook = call.hook;
  const auto place = resolve::place_of(hook);
  HookJob job;
  job.spec = call.stack.spec;
  job.facts = call.stack.facts;
  job.hook = hook;
  job.run_id = call.run_id;
  job.step = call.step;
  job.container = call.container;
  job.container_name = call.container_name;
  job.only_unless_succeeded = call.only_unless_succeeded;
  job.by_hand = call.by_hand;
  job.skip = call.skip;
  job.failure = call.failure;
  job.about = {.stack = call.stack.spec->name,
               .stack_id = call.stack.id,
               .operation = call.operation.id,
               .operation_kind = call.operation.kind,
               .reason = call.reason,
               .profile = call.stack.spec->profile};
  const auto previous = co_await previous_operation(tools.journal, call.operation);
  if (previous) job.about.previous = previous->state;
  if (place == model::HookPlace::host)
    job.about.context =
        context_of(call.stack, tools.monitor.of_stack(call.stack.id), previous_result(previous));
  std::string image;  // its digest, of a hook in a container
  if (place == model::HookPlace::container) co_await prepare_container(tools, call, job, image);
  if (hook.run == model::RunPolicy::changed && place == model::HookPlace::exec) {
    const auto there = co_await tools.engine.inspect_container(call.container);
    if (there) image = there->image_id;
  }
  job.inputs = co_await state_for(tools, call.stack, hook, image);
  Called called;
  called.result = co_await runner.run(std::move(job));
  if (called.result.ok || called.result.warn) co_return called;
  called.details = {"log: " + called.result.row.log};
  if (place == model::HookPlace::exec && !resolve::is_down(hook)) {
    const auto death = co_await death_of(tools.engine, call.container);
    if (!death.empty()) called.details.push_back(death);
  }
  co_return called;
}

}  // namespace stackd::hooks
