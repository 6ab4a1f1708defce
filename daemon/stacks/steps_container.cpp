// Containers: found again by name and by the label of the operation that made them; start and stop are the
// engine's own idempotent calls. (semantics.md C4.2, C8, X8, E5)
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/docker/in_flight.hpp"
#include "daemon/spec/identity.hpp"
#include "daemon/stacks/build_hooks.hpp"
#include "daemon/stacks/changes.hpp"
#include "daemon/stacks/container_request.hpp"
#include "daemon/stacks/images.hpp"
#include "daemon/stacks/labels.hpp"
#include "daemon/stacks/plan.hpp"
#include "daemon/stacks/pre_run.hpp"
#include "daemon/stacks/pre_run_starts.hpp"
#include "daemon/stacks/secret_files.hpp"
#include "daemon/stacks/steps.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

using docker::ContainerDetails;
using nlohmann::json;
using util::Error;
using util::ErrorKind;

std::string label_in(const ContainerDetails& container, const char* key) {
  const auto found = container.labels.find(key);
  return found == container.labels.end() ? std::string() : found->second;
}

// Volumes that have no name of ours (C8.4: a recreated container keeps its anonymous volumes).
std::vector<std::string> anonymous_volumes(const ContainerDetails& old, const spec::Service& service) {
  std::vector<std::string> kept;
  for (const auto& mount : old.mounts) {
    const bool anonymous = mount.type == "volume" && mount.name.size() == 64 &&
                           mount.name.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!anonymous) continue;
    bool named_now = false;
    for (const auto& wanted : service.container->mounts)
      if (wanted.target == mount.destination && !wanted.source.empty()) named_now = true;
    if (!named_now) kept.push_back(mount.name + ":" + mount.destination);
  }
  return kept;
}

awaitable<void> call_and_go_on(Services& services, StepContext context, Model model, spec::Hook hook,
                               HookCall call, std::vector<std::string>& warnings) {
  try {
    call = co_await where_it_runs(services, model, hook, call);
    const auto done = co_await call_hook(services, context, model, hook, call);
    warnings.insert(warnings.end(), done.warnings.begin(), done.warnings.end());
    if (done.record) co_await services.journal.commit(done.record);
  } catch (const Error& e) {
    warnings.push_back(e.what());
  }
}

// The hooks of a running container that has to stop, and the stop. What fails is told: it stops all the same.
awaitable<std::vector<std::string>> stop_with_hooks(Services& services, StepContext context, Model model,
                                                    const spec::Service& service, ContainerDetails old,
                                                    std::string reason) {
  std::vector<std::string> warnings;
  HookCall call;
  call.reason = reason;
  call.down = true;
  if (old.running) {
    // Once for all replicas, whose containers may be replaced at the same time: their runs have one id.
    NameLock first(services.before_downs);
    co_await first.take(context.operation.id + " " + service.name);
    for (const auto* hook : service.hooks_of(spec::Phase::before_down)) {
      call.run_id = context.operation.id + "-" + service.name + ".before_down" + std::to_string(hook->index);
      co_await call_and_go_on(services, context, model, *hook, call, warnings);
    }
  }
  call.container = old.id;
  call.container_name = old.name;
  if (old.running && !old.paused)
    for (const auto* hook : service.hooks_of(spec::Phase::pre_stop)) {
      call.run_id = context.operation.id + "-" + std::to_string(context.step.ordinal) + ".pre_stop" +
                    std::to_string(hook->index);
      co_await call_and_go_on(services, context, model, *hook, call, warnings);
    }
  auto write = [id = old.id](store::Database& db) { store::Starts::set_state(db, id, "", "stopped"); };
  co_await services.journal.run(write);
  const std::optional<int> default_grace;
  co_await services.engine.stop_container(old.id, default_grace);
  co_return warnings;
}

// Networks beyond the first, and files that are not on disk. Safe to repeat: what is connected is left alone.
awaitable<void> complete(Services& services, Model model, const spec::Service& service,
                         ContainerRequest request, std::string id, bool resumed) {
  if (!request.more_networks.empty()) {
    std::map<std::string, std::string> connected;
    if (resumed)
      if (const auto there = co_await services.engine.inspect_container(id)) connected = there->networks;
    for (const auto& [network, endpoint] : request.more_networks)
      if (!connected.contains(network)) {
        const json body{{"Container", id}, {"EndpointConfig", endpoint}};
        co_await services.engine.connect_network(network, body);
      }
  }
  const auto files = secret_files(*model.spec, *model.facts, service);
  if (!files.empty()) co_await services.engine.put_archive(id, "/", files);
}

json created(const std::string& id, const std::string& name, bool made, bool was_running,
             const std::string& state) {
  return {{"id", id}, {"name", name}, {"created", made}, {"was_running", was_running}, {"state", state}};
}

// Which start of the container this operation answers for (X30). Its process, k_ended when that has ended
// already.
awaitable<int> record_start(Services& services, StepContext context, std::string id) {
  const auto there = co_await services.engine.inspect_container(id);
  if (!there) co_return 0;
  store::StartRow row{context.operation.stack_id,
                      context.step.service,
                      context.params.value("number", 1),
                      id,
                      there->started_at,
                      "running"};
  auto write = [row](store::Database& db) { store::Starts::put(db, row); };
  co_await services.journal.run(write);
  co_return there->running ? there->pid : k_ended;
}

// What this very step made before the daemon died, whatever it is called by now.
awaitable<std::string> made_before(Services& services, StepContext context, int number) {
  const docker::Engine::Filters filters{
      {"label", std::string(label::k_operation) + "=" + context.operation.id},
      {"label", std::string(label::k_service) + "=" + context.step.service},
      {"label", std::string(label::k_number) + "=" + std::to_string(number)}};
  const auto found = co_await services.engine.list_containers(filters);
  if (found.empty()) co_return "";
  const auto there = co_await docker::when_usable(services.engine, found.front().id);
  co_return there ? there->id : "";
}

// X8: a dependency that was made anew in this operation takes those along that restart with it.
bool restarts_with_dependency(const StepContext& context, const spec::Service& service) {
  return std::any_of(service.depends_on.begin(), service.depends_on.end(), [&](const auto& entry) {
    return entry.second.restart &&
           context.result_of("create " + replica(entry.first, 1)).value("created", false);
  });
}

awaitable<std::string> create(Services& services, StepContext context, ContainerRequest request,
                              std::string name) {
  std::optional<Error> refused;
  std::string id;
  try {
    id = co_await docker::create_or_find(services.engine, name, request.body, request.platform);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::conflict) throw e.wrap("service '" + context.step.service + "'");
    refused = e;
  }
  if (!refused) co_return id;
  throw Error(ErrorKind::failed, "cannot create container '" + name + "' for service '" +
                                     context.step.service +
                                     "': a container of that name is there already and is not this stack's; "
                                     "remove or rename it");
}

}  // namespace

awaitable<std::map<std::string, std::string>> containers_by_service(Services& services,
                                                                    std::string stack_id) {
  std::map<std::string, std::string> ids;
  const docker::Engine::Filters filters{{"label", std::string(label::k_stack) + "=" + stack_id},
                                        {"label", std::string(label::k_number) + "=1"}};
  const auto all = co_await services.engine.list_containers(filters);
  for (const auto& container : all) ids[container.labels.at(label::k_service)] = container.id;
  co_return ids;
}

// C8.4: a replacement is made beside the old container, which is stopped and removed only when that has
// worked; then it takes over the name.
awaitable<Outcome> create_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto& service = model.service(context.step.service);
  const auto image = context.result_of(context.params.at("image_step").get<std::string>());
  RequestInputs inputs{*model.spec, *model.facts, service};
  inputs.number = context.params.value("number", 1);
  inputs.image = image.value("tag", image_of(*model.spec, service));  // with build hooks: the derived image
  inputs.image_id = image.value("id", "");
  inputs.operation = context.operation.id;
  if (refers_to_services(*service.container))
    inputs.container_of = co_await containers_by_service(services, model.id);
  inputs.config_hash = container_definition(model, service, inputs.container_of);

  Outcome outcome;
  const auto name = spec::container_name(*model.spec, service, inputs.number);
  std::string made;
  if (context.resumed) made = co_await made_before(services, context, inputs.number);
  std::optional<ContainerDetails> old;
  if (const auto known = context.params.value("existing", ""); !known.empty())
    old = co_await services.engine.inspect_container(known);
  if (old && made.empty()) {
    const bool current =
        context.params.value("as_is", false) ||
        (label_in(*old, label::k_hash) == inputs.config_hash && old->image_id == inputs.image_id);
    const bool same = current && old->state != "dead" &&
                      old->state != "created";  // one that never started may be of networks that are gone
    if (same && !context.params.value("force", false)) {
      if (old->running && restarts_with_dependency(context, service)) {
        outcome.warnings =
            co_await stop_with_hooks(services, context, model, service, *old, "dependency-restart");
        old->running = false;
        old->state = "exited";
      }
      outcome.result = created(old->id, name, false, old->running, old->state);
      if (has_pre_run(service)) outcome.result["command"] = command_of(service, base_of(image));
      if (old->running && context.params.value("restarted", false)) outcome.result["restarted"] = true;
      co_return outcome;
    }
  }
  if (old) inputs.kept_volumes = anonymous_volumes(*old, service);
  auto request = container_request(inputs);
  if (made.empty()) {
    if (has_pre_run(service)) {
      const auto directory = make_pre_run_directory(services, model.id, name);
      add_pre_run(request.body, service, base_of(image), directory.string());
    }
    const auto beside = old ? old->id.substr(0, 12) + "_" + name : name;
    made = co_await create(services, context, request, beside);
  }
  if (has_pre_run(service)) {
    if (!services.shells.contains(inputs.image_id)) {
      const bool shell = co_await services.engine.has_path(made, "/bin/sh");
      services.shells[inputs.image_id] = shell;
    }
    if (!services.shells[inputs.image_id]) throw no_shell(*model.spec, service);
  }
  co_await complete(services, model, service, request, made, context.resumed);
  if (old) {
    outcome.warnings = co_await stop_with_hooks(services, context, model, service, *old, "recreate");
    co_await services.engine.remove_container(old->id, true, false);
  }
  const auto now = co_await services.engine.inspect_container(made);
  if (now && now->name != name) co_await services.engine.rename_container(made, name);
  outcome.result = created(made, name, true, false, "created");
  if (has_pre_run(service)) outcome.result["command"] = command_of(service, base_of(image));
  co_return outcome;
}

awaitable<Outcome> start_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto made = context.result_of(context.params.at("create").get<std::string>());
  const auto id = made.at("id").get<std::string>();
  Outcome outcome;
  if (made.value("restarted", false)) {
    outcome.result = {{"restarted", true}, {"id", id}};
    co_await record_start(services, context, id);
    co_return outcome;
  }
  if (made.value("was_running", false) && made.value("state", "") != "paused") {
    outcome.skipped = true;
    outcome.reason = "it is running";
    co_return outcome;
  }
  const auto token = context.operation.id + "-" + std::to_string(context.step.ordinal);
  outcome.result = {{"started", true}, {"id", id}, {"token", token}};
  const bool paused = made.value("state", "") == "paused";
  if (context.resumed && !paused) {
    const bool begun =
        co_await docker::start_landed(services.engine, id, context.step.started_at.value_or(0));
    if (begun) {
      co_await record_start(services, context, id);
      co_return outcome;
    }
  }
  if (context.resumed && paused) {
    const auto there = co_await services.engine.inspect_container(id);
    if (there && !there->paused) co_return outcome;
  }
  const auto& service = model.service(context.step.service);
  if (has_pre_run(service)) {
    const auto container = made.at("name").get<std::string>();
    const auto* first = co_await write_pre_run(services, context, model, service, container, token);
    PreRunStart start{.operation = context.operation,
                      .step = context.step.ordinal,
                      .container = id,
                      .name = container,
                      .token = token,
                      .reason = context.params.value("reason", context.operation.kind)};
    if (first) co_await announce_pre_run(services, *first, start);
  }
  try {
    if (paused)
      co_await services.engine.unpause_container(id);
    else
      co_await services.engine.start_container(id);
  } catch (const Error& e) {
    throw e.wrap("service '" + context.step.service + "'");
  }
  outcome.result["at"] = util::now_ms();
  const int pid = co_await record_start(services, context, id);
  outcome.result["pid"] = pid;
  co_return outcome;
}

awaitable<Outcome> stop_step(Services& services, StepContext context) {
  const auto id = context.params.at("id").get<std::string>();
  std::optional<int> seconds;
  if (context.params.contains("timeout")) seconds = context.params["timeout"].get<int>();
  auto write = [id](store::Database& db) { store::Starts::set_state(db, id, "", "stopped"); };
  co_await services.journal.run(write);
  try {
    co_await services.engine.stop_container(id, seconds);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::not_found) throw;  // gone is as good as stopped
  }
  co_return Outcome{};
}

awaitable<Outcome> remove_step(Services& services, StepContext context) {
  // C10, X13: anonymous volumes hold somebody's data; they go with the others, when that was asked for.
  const bool volumes = context.params.value("volumes", false);
  co_await services.engine.remove_container(context.params.at("id").get<std::string>(), true, volumes);
  co_return Outcome{};
}

}  // namespace stackd::stacks
