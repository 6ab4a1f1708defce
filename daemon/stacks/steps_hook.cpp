// Hooks: the run's id is made of the operation and the step, so a step that is run again finds its own
// record.
#include <algorithm>

#include "daemon/hooks/policy.hpp"
#include "daemon/stacks/changes.hpp"
#include "daemon/stacks/endings.hpp"
#include "daemon/stacks/hook_container.hpp"
#include "daemon/stacks/labels.hpp"
#include "daemon/stacks/steps.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;
using util::Error;
using util::ErrorKind;

const spec::Hook& find_hook(const Model& model, const std::string& service, const std::string& phase,
                            int index) {
  std::vector<const std::vector<spec::Hook>*> places;
  if (service.empty()) places.push_back(&model.spec->hooks);
  for (const auto* one : {model.spec->find(service), model.spec->find_gone(service)})
    if (one) places.push_back(&one->hooks);
  for (const auto* hooks : places)
    for (const auto& hook : *hooks)
      if (spec::to_string(hook.phase) == phase && hook.index == index) return hook;
  throw Error(ErrorKind::internal,
              "stack '" + model.id + "' has no hook " + phase + "[" + std::to_string(index) + "]");
}

// What STACKD_CONTEXT holds. Ports and containers are there by service, and once more by themselves.
json context_of(const Model& model, const Monitor& monitor, const json& previous) {
  json services = json::object(), ports = json::object(), containers = json::object();
  for (const auto& service : model.spec->services) {
    services[service.name] = {
        {"kind", spec::to_string(service.kind)}, {"ports", json::object()}, {"containers", json::array()}};
    if (const auto found = model.facts->ports.find(service.name); found != model.facts->ports.end())
      services[service.name]["ports"] = ports[service.name] = found->second;
  }
  for (const auto& [id, state] : monitor.of_stack(model.id)) {
    if (!model.spec->find(state.service)) continue;
    const json container{{"id", id}, {"name", state.name}, {"state", state.state}, {"health", state.health}};
    services[state.service]["containers"].push_back(container);
    containers[state.service].push_back(container);
  }
  return {{"stack",
           {{"id", model.id},
            {"name", model.spec->name},
            {"directory", model.spec->directory},
            {"profile", model.spec->profile}}},
          {"services", std::move(services)},
          {"ports", std::move(ports)},
          {"containers", std::move(containers)},
          {"previous", previous}};
}

// By this operation, or by the engine behind its back.
bool was_started(const StepContext& context) {
  const auto& keys = context.params.at("started_by");
  return std::any_of(keys.begin(), keys.end(), [&](const json& key) {
    const auto result = context.result_of(key.get<std::string>());
    return result.value("started", false) || result.value("restarted", false);
  });
}

// X1, of a service's host hook: it is owed until it succeeds.
awaitable<bool> has_failed(Services& services, std::string stack, spec::Hook hook) {
  auto query = [stack, hook](store::Database& db) {
    const auto phase = spec::to_string(hook.phase);
    return store::HookRuns::last(db, stack, hook.service, phase, hook.index, "");
  };
  const auto last = co_await services.journal.run(query);
  co_return last && last->state == "failed";
}

// The stack's operation before this one: {operation, kind, state, error?}; null for the first.
awaitable<json> previous_result(Services& services, store::OperationRow operation) {
  auto query = [operation](store::Database& db) {
    return store::Operations::of_stack(db, operation.stack_id, 50);
  };
  const auto rows = co_await services.journal.run(query);
  for (const auto& row : rows) {
    if (row.id == operation.id || row.state == "running" || row.kind == "recover") continue;
    json result{{"operation", row.id}, {"kind", row.kind}, {"state", row.state}};
    if (!row.error.empty()) result["error"] = json::parse(row.error).value("message", "");
    co_return result;
  }
  co_return json();
}

awaitable<bool> network_is_there(Services& services, Model model) {
  const auto network = model.spec->networks.find("default");
  if (network == model.spec->networks.end()) co_return false;
  const auto found = co_await services.engine.inspect_network(network->second.name);
  co_return found.has_value();
}

// C1.5: the reference of what a container runs; "" without one.
awaitable<std::string> image_in(Services& services, std::string container) {
  if (container.empty()) co_return "";
  const auto there = co_await services.engine.inspect_container(container);
  if (!there) throw Error(ErrorKind::failed, "container " + container.substr(0, 12) + " is gone");
  co_return there->image;
}

// C1.6: a hook's own image is pulled when it is not there. Its digest, or why there is none.
struct HookImage {
  std::string id, failure;
};
awaitable<HookImage> ensure_image(Services& services, spec::Hook hook, hooks::ContainerHook container) {
  const auto reference = container.body.value("Image", "");
  auto there = co_await services.engine.inspect_image(reference);
  HookImage image;
  try {
    const docker::LineSink quiet = [](const std::string&) {};
    if (!there) co_await services.engine.pull_image(reference, container.platform, quiet);
    if (!there) there = co_await services.engine.inspect_image(reference);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::no_engine) throw;
    image.failure = hooks::label_of(hook) + ": " + error.what();
  }
  if (there) image.id = there->id;
  co_return image;
}

// A hook in a container that has ended says nothing of why it did.
awaitable<void> add_death(Services& services, std::string container, std::vector<std::string>& details) {
  const auto there = co_await services.engine.inspect_container(container);
  if (!there || there->running) co_return;
  const auto lines = co_await last_container_lines(services, container);
  details.push_back("container " + there->name + " exited (" + std::to_string(there->exit_code) + ")" +
                    (lines.empty() ? "" : ": " + lines));
}

}  // namespace

awaitable<std::string> previous_state(Services& services, store::OperationRow operation) {
  const auto previous = co_await previous_result(services, std::move(operation));
  co_return previous.is_object() ? previous.value("state", "") : std::string();
}

awaitable<Outcome> call_hook(Services& services, StepContext context, Model model, spec::Hook hook,
                             HookCall call) {
  hooks::HookJob job;
  job.spec = model.spec;
  job.facts = model.facts;
  job.run_id =
      call.run_id.empty() ? context.operation.id + "-" + std::to_string(context.step.ordinal) : call.run_id;
  job.step = context.step.ordinal;
  job.container = call.container;
  job.container_name = call.container_name;
  job.down = call.down;
  job.only_unless_succeeded = call.only_unless_succeeded;
  job.skip = call.skip;
  job.failure = call.failure;
  auto& about = job.about;
  about.stack = model.spec->name;
  about.stack_id = model.id;
  about.operation = context.operation.id;
  about.operation_kind = context.operation.kind;
  about.reason = call.reason;
  about.profile = model.spec->profile;
  const auto previous = co_await previous_result(services, context.operation);
  if (previous.is_object()) about.previous = previous.value("state", "");
  if (hooks::place_of(hook) == hooks::Place::host)
    about.context = context_of(model, services.monitor, previous);
  std::string image;  // its digest, of a hook in a container
  job.hook = hook;
  if (hooks::place_of(hook) == hooks::Place::container) {
    const bool network = co_await network_is_there(services, model);
    const auto service_image = co_await image_in(services, call.container);
    HookContainerInputs inputs{*model.spec,
                               *model.facts,
                               hook,
                               model.spec->find_known(hook.service),
                               call.container,
                               service_image,
                               context.operation.id,
                               hooks::variables_of(job),
                               network};
    if (inputs.service && inputs.service->container && refers_to_services(*inputs.service->container))
      inputs.container_of = co_await containers_by_service(services, model.id);
    job.own_container = hook_container(inputs);
    if (job.skip.empty()) {
      const auto found = co_await ensure_image(services, hook, *job.own_container);
      image = found.id;
      job.failure = found.failure;
    }
    // X3: a record for each entry and service container; stop and start of the same container does not run it
    // again.
    if (hook.phase == spec::Phase::pre_start) job.only_unless_succeeded = true;
  }
  if (hooks::place_of(hook) == hooks::Place::exec && hook.run == spec::RunPolicy::changed) {
    const auto there = co_await services.engine.inspect_container(call.container);
    if (there) image = there->image_id;
  }
  if (hook.run == spec::RunPolicy::changed) {
    auto work = [hook, directory = model.spec->directory, image](FileWorker&) {
      return hooks::state_of_inputs(hook, directory, image);
    };
    job.inputs = co_await services.files.run(work);
  }

  auto done = co_await services.hooks.run(std::move(job));
  Outcome outcome;
  outcome.record = std::move(done.record);
  outcome.result = {{"run", done.row.id}, {"state", done.row.state}};
  if (done.row.state == "skipped") {
    outcome.skipped = true;
    outcome.reason = done.row.reason;
  }
  if (done.warn) outcome.warnings.push_back(done.message);
  if (done.ok || done.warn) co_return outcome;
  std::vector<std::string> details{"log: " + done.row.log};
  if (hook.phase == spec::Phase::post_start) co_await add_death(services, call.container, details);
  throw Error(ErrorKind::failed, done.message, details);
}

awaitable<HookCall> where_it_runs(Services& services, Model model, spec::Hook hook, HookCall call) {
  if (hook.run_in.empty() || hook.run_in == "host") co_return call;
  const docker::Engine::Filters filters{{"label", std::string(label::k_stack) + "=" + model.id},
                                        {"label", std::string(label::k_service) + "=" + hook.run_in}};
  const auto containers = co_await services.engine.list_containers(filters);
  const auto running = std::find_if(containers.begin(), containers.end(),
                                    [](const auto& container) { return container.state == "running"; });
  if (running != containers.end())
    call.container = running->id;
  else if (call.down)
    call.skip = "service '" + hook.run_in + "' is not running";
  else
    call.failure = "cannot run " + hooks::label_of(hook) + " in service '" + hook.run_in +
                   "': it is not running" +
                   (hook.phase == spec::Phase::before_up ? ", before_up comes before every service" : "");
  co_return call;
}

awaitable<Outcome> hook_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto& params = context.params;
  auto hook = find_hook(model, context.step.service, params.at("phase"), params.at("index"));
  HookCall call;
  call.reason = params.value("reason", context.operation.kind);
  call.down = params.value("down", false);
  call.container = params.value("container", "");
  call.container_name = params.value("name", "");
  if (params.contains("create")) {
    const auto made = context.result_of(params["create"].get<std::string>());
    call.container = made.value("id", "");
    call.container_name = made.value("name", "");
    // X1: only one that has not succeeded here; but all of them after a start that nobody asked us for (X30).
    call.only_unless_succeeded = made.value("was_running", false) && !made.value("restarted", false);
    if (hook.phase == spec::Phase::pre_start && made.value("was_running", false))
      call.skip = "the container is running";  // C4.2
  }
  if (params.contains("started_by") && !was_started(context)) {
    const bool failed = co_await has_failed(services, model.id, hook);
    if (!failed) {
      Outcome untouched;
      untouched.skipped = true;
      untouched.reason = "the service was running already";
      co_return untouched;
    }
  }
  if (context.result_of(params.value("ready_step", "")).value("failed", false))
    call.skip = "the service did not become ready";  // C6.6: nobody requires it
  if (hook.phase == spec::Phase::pre_stop) {
    if (params.value("warns", false) && hook.on_failure == spec::OnFailure::standard)
      hook.on_failure = spec::OnFailure::warn;
    // C5.6, X5, X6: an exec is refused in a container that does not run; that is no reason not to stop it.
    const auto there = co_await services.engine.inspect_container(call.container);
    if (!there || !there->running)
      call.skip = "the container is not running";
    else if (there->paused)
      call.skip = "the container is paused";
    if (there && there->paused) {  // X5
      auto outcome = co_await call_hook(services, context, model, std::move(hook), std::move(call));
      outcome.warnings.push_back(
          "container " + there->name +
          " is paused: it is stopped without its pre_stop hook, which cannot run in it");
      co_return outcome;
    }
  }
  call = co_await where_it_runs(services, model, hook, std::move(call));
  co_return co_await call_hook(services, context, model, std::move(hook), std::move(call));
}

awaitable<Outcome> end_hook_step(Services& services, StepContext context) {
  const auto id = context.params.at("run").get<std::string>();
  auto query = [id](store::Database& db) { return store::HookRuns::get(db, id); };
  const auto row = co_await services.journal.run(query);
  if (row && row->state == "running") co_await services.hooks.end(*row, "the operation was stopped");
  co_return Outcome{};
}

}  // namespace stackd::stacks
