// Containers: found again by name and by the label of the operation that made them. A replacement is made
// beside the old container, which is stopped and set aside only when that has worked; then it takes over the
// name (semantics.md C8.4, X8, X34, E5).
#include <algorithm>

#include "daemon/docker/in_flight.hpp"
#include "daemon/hooks/call.hpp"
#include "daemon/hooks/pre_run.hpp"
#include "daemon/resolve/hook_names.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/steps/common/holders.hpp"
#include "daemon/steps/common/save_log.hpp"
#include "daemon/steps/common/secret_files.hpp"
#include "daemon/steps/common/set_aside.hpp"
#include "daemon/steps/common/shells.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/translate/container_request.hpp"
#include "daemon/translate/definitions.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/translate/pre_run.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
namespace {

namespace label = translate::label;
using docker::ContainerDetails;
using nlohmann::json;
using translate::label_of;
using util::Error;
using util::ErrorKind;

// Volumes that have no name of ours (C8.4: a recreated container keeps its anonymous volumes).
std::vector<std::string> anonymous_volumes(const ContainerDetails& old, const model::Service& service) {
  std::vector<std::string> kept;
  for (const auto& mount : old.mounts) {
    const bool anonymous = mount.type == "volume" && mount.name.size() == 64 &&
                           mount.name.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!anonymous) continue;
    const auto& wanted = service.container->mounts;
    const bool named_now = std::any_of(wanted.begin(), wanted.end(), [&](const auto& one) {
      return one.target == mount.destination && !one.source.empty();
    });
    if (!named_now) kept.push_back(mount.name + ":" + mount.destination);
  }
  return kept;
}

awaitable<void> call_and_go_on(Tools& tools, hooks::Call call, std::vector<std::string>& warnings) {
  try {
    call = co_await hooks::placed(tools.hook_tools, call);
    const auto called = co_await hooks::run(tools.hook_tools, tools.hooks, call);
    if (!called.result.ok) warnings.push_back(called.result.message);
    if (called.result.record) co_await tools.journal.commit(called.result.record);
  } catch (const Error& e) {
    warnings.push_back(e.what());
  }
}

// The hooks of a running container that has to stop, and the stop. What fails is told: it stops all the same.
awaitable<std::vector<std::string>> stop_with_hooks(Tools& tools, const Step<plan::Create>& step,
                                                    model::Stack stack, ContainerDetails old,
                                                    std::string reason) {
  const auto& service = stack.service(step.service());
  std::vector<std::string> warnings;
  hooks::Call call;
  call.operation = step.operation();
  call.step = step.context.step.ordinal;
  call.stack = stack;
  call.reason = reason;
  const auto leave_out = step.wish().skip_hooks;
  if (old.running) {
    // Once for all replicas, whose containers may be replaced at the same time: their runs have one id.
    async::NameLock first(tools.before_downs);
    co_await first.take(call.operation.id + " " + service.name);
    for (const auto* hook : service.hooks_of(model::Phase::before_down)) {
      call.hook = *hook;
      call.skip = resolve::is_meant(leave_out, *hook) ? "--skip-hooks" : "";
      call.run_id = call.operation.id + "-" + service.name + ".before_down" + std::to_string(hook->index);
      co_await call_and_go_on(tools, call, warnings);
    }
  }
  call.container = old.id;
  call.container_name = old.name;
  if (old.running && !old.paused)
    for (const auto* hook : service.hooks_of(model::Phase::pre_stop)) {
      call.hook = *hook;
      call.skip = resolve::is_meant(leave_out, *hook) ? "--skip-hooks" : "";
      call.run_id = step.name() + ".pre_stop" + std::to_string(hook->index);
      co_await call_and_go_on(tools, call, warnings);
    }
  auto write = [id = old.id](store::Database& db) { store::Starts::set_state(db, id, "", "stopped"); };
  co_await tools.journal.run(write);
  co_await tools.engine.stop_container(old.id, step.params.timeout);
  co_return warnings;
}

// Networks beyond the first, and files that are not on disk. Safe to repeat: what is connected is left alone.
awaitable<void> complete(Tools& tools, model::Stack stack, std::string service,
                         translate::ContainerRequest request, std::string id, bool resumed) {
  if (!request.more_networks.empty()) {
    std::map<std::string, std::string> connected;
    if (resumed)
      if (const auto there = co_await tools.engine.inspect_container(id)) connected = there->networks;
    for (const auto& [network, endpoint] : request.more_networks)
      if (!connected.contains(network)) {
        const json body{{"Container", id}, {"EndpointConfig", endpoint}};
        co_await tools.engine.connect_network(network, body);
      }
  }
  const auto files = secret_files(*stack.spec, *stack.facts, stack.service(service));
  if (!files.empty()) co_await tools.engine.put_archive(id, "/", files);
}

// What this very step made before the daemon died, whatever it is called by now.
awaitable<std::string> made_before(Tools& tools, const Step<plan::Create>& step) {
  const docker::Filters filters{
      {"label", std::string(label::k_operation) + "=" + step.operation().id},
      {"label", std::string(label::k_service) + "=" + step.service()},
      {"label", std::string(label::k_number) + "=" + std::to_string(step.params.number)}};
  const auto found = co_await tools.engine.list_containers(filters);
  if (found.empty()) co_return "";
  const auto there = co_await docker::when_usable(tools.engine, found.front().id);
  co_return there ? there->id : "";
}

// X8: a dependency that was made anew in this operation takes those along that restart with it.
bool restarts_with_dependency(const Step<plan::Create>& step) {
  const auto& keys = step.params.restarts_with;
  return std::any_of(keys.begin(), keys.end(),
                     [&](const auto& key) { return step.result_of<plan::Create>(key).created; });
}

awaitable<std::string> create_container(Tools& tools, model::Stack stack, std::string service,
                                        translate::ContainerRequest request, std::string name) {
  std::optional<Error> refused;
  std::string id;
  try {
    id = co_await docker::create_or_find(tools.engine, name, request.body, request.platform);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::conflict) throw e.wrap("service '" + service + "'");
    refused = e;
  }
  if (!refused) co_return id;
  const auto holder = co_await holder_of_name(tools.engine, stack, name);
  throw Error(ErrorKind::failed, "cannot create container '" + name + "' for service '" + service +
                                     "': the name is taken; " + (holder.empty() ? refused->what() : holder));
}

awaitable<void> check_shell(Tools& tools, model::Stack stack, std::string service, std::string image,
                            std::string container) {
  if (!tools.shells.contains(image)) {
    const bool shell = co_await tools.engine.has_path(container, "/bin/sh");
    tools.shells[image] = shell;
  }
  if (!tools.shells[image]) throw no_shell(*stack.spec, stack.service(service));
}

// The container that has its place is what the files say: it is left, and stopped only when it restarts with
// another.
awaitable<Outcome> leave(Tools& tools, const Step<plan::Create>& step, model::Stack stack,
                         ContainerDetails old, plan::Create::Result result) {
  std::vector<std::string> warnings;
  if (step.params.puts_back) co_await reconnect(tools, step.stack(), old);
  if (old.running && restarts_with_dependency(step)) {
    if (step.params.keeps) co_await note_kept(tools, step.stack(), step.service(), old, false);
    warnings = co_await stop_with_hooks(tools, step, stack, old, "dependency-restart");
    old.running = false;
    old.state = "exited";
  }
  result.id = old.id;
  result.was_running = old.running;
  result.state = old.state;
  result.restarted = old.running && step.params.restarted;
  auto outcome = with(result);
  outcome.warnings = std::move(warnings);
  co_return outcome;
}

bool is_current(const Step<plan::Create>& step, const ContainerDetails& there,
                const translate::RequestInputs& inputs) {
  if (step.params.force || there.state == "dead" ||
      there.state == "created")  // one that never started may be of networks that are gone
    return false;
  return step.params.as_is ||
         (label_of(there.labels, label::k_hash) == inputs.config_hash && there.image_id == inputs.image_id);
}

}  // namespace

awaitable<Outcome> create(Tools& tools, Step<plan::Create> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto& service = stack.service(step.service());
  const auto image = step.result_of<plan::Image>(step.params.image_step);
  translate::RequestInputs inputs{*stack.spec, *stack.facts, service};
  inputs.number = step.params.number;
  // With build hooks: the derived image.
  inputs.image = image.tag.empty() ? translate::image_of(*stack.spec, service) : image.tag;
  inputs.image_id = image.image.id;
  inputs.operation = step.operation().id;
  if (!translate::services_referred_to(*service.container).empty())
    inputs.container_of = co_await hooks::containers_by_service(tools.engine, stack.id);
  inputs.config_hash = translate::container_definition(stack, service, inputs.container_of);

  const bool pre_run = translate::has_pre_run(service);
  plan::Create::Result result;
  result.name = resolve::container_name(*stack.spec, service, inputs.number);
  if (pre_run) result.command = translate::command_of(service, image.image);
  std::string made;
  if (step.resumed()) made = co_await made_before(tools, step);
  std::optional<ContainerDetails> old;
  if (!step.params.existing.empty()) old = co_await tools.engine.inspect_container(step.params.existing);
  if (old && made.empty() && is_current(step, *old, inputs))
    co_return co_await leave(tools, step, stack, *old, result);
  if (old && !step.params.renew) inputs.kept_volumes = anonymous_volumes(*old, service);
  auto request = translate::container_request(inputs);
  if (made.empty()) {
    if (pre_run) {
      auto make = [paths = tools.paths, id = stack.id, name = result.name](async::FileWorker&) {
        return hooks::make_pre_run_directory(paths, id, name);
      };
      const auto directory = co_await tools.files.run(make);
      translate::add_pre_run(request.body, service, image.image, directory.string());
    }
    const auto beside = old ? step.operation().id + "_" + result.name : result.name;
    made = co_await create_container(tools, stack, service.name, request, beside);
  }
  if (pre_run) co_await check_shell(tools, stack, service.name, inputs.image_id, made);
  co_await complete(tools, stack, service.name, request, made, step.resumed());
  std::vector<std::string> warnings;
  if (old) {
    if (step.params.keeps) co_await note_kept(tools, step.stack(), step.service(), *old, true);
    warnings = co_await stop_with_hooks(tools, step, stack, *old, "recreate");
    if (step.params.keeps)
      co_await set_aside(tools, *old);
    else
      co_await save_and_remove(tools, step.stack(), old->id, true, false);
  }
  const auto now = co_await tools.engine.inspect_container(made);
  if (now && now->name != result.name) co_await tools.engine.rename_container(made, result.name);
  result.id = made;
  result.created = true;
  result.replaced = old.has_value();
  result.state = "created";
  auto outcome = with(result);
  outcome.warnings = std::move(warnings);
  co_return outcome;
}

}  // namespace stackd::steps
