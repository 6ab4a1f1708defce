// Plans as steps: they look at what is there, decide, and emit the steps that do it, in the commit of their
// own end. Run again after a crash they look again; nothing of theirs needs to be found.
#include <algorithm>

#include "daemon/spec/environment.hpp"
#include "daemon/spec/identity.hpp"
#include "daemon/stacks/build_hooks.hpp"
#include "daemon/stacks/changes.hpp"
#include "daemon/stacks/images.hpp"
#include "daemon/stacks/labels.hpp"
#include "daemon/stacks/plan.hpp"
#include "daemon/stacks/ports.hpp"
#include "daemon/stacks/process_request.hpp"
#include "daemon/stacks/starts.hpp"
#include "daemon/stacks/steps.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"
#include "proto/types.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;

int scale_of(const spec::Service& service, const proto::UpOptions& options) {
  const auto wished = options.scale.find(service.name);
  return wished != options.scale.end() ? wished->second : service.container->scale;
}

// Ports into the stack's facts.
awaitable<Model> settle_ports(Services& services, StepContext context, const proto::UpOptions& options) {
  auto model = co_await services.models.get(context.operation.stack_id);
  std::map<std::string, int> scale;
  for (const auto& service : model.spec->services)
    if (service.container) scale[service.name] = scale_of(service, options);
  const PortRange range{services.facts.port_first, services.facts.port_last};
  const auto spec = model.spec;
  auto write = [spec, id = model.id, range, scale](store::Database& db) {
    return allocate_ports(db, *spec, id, range, scale);
  };
  auto ports = co_await services.journal.commit(write);
  // What a service that is gone was given is for its last hooks and its stop_cmd.
  for (const auto& gone : model.spec->gone)
    if (const auto had = model.facts->ports.find(gone.name); had != model.facts->ports.end())
      ports.insert(*had);
  if (ports == model.facts->ports) co_return model;
  auto change = [ports](spec::Facts& facts) { facts.ports = ports; };
  co_await services.models.change_facts(model.id, change);
  co_return co_await services.models.get(model.id);
}

// The commands of env_from come before everything else: the plan itself looks at what they say.
std::vector<StepPlan> env_from_first(const std::string& step) {
  return {{"env_from", "env-from", "", json::object(), {}},
          {"plan with env_from", step, "", {{"env_from", "env_from"}}, {"env_from"}}};
}

// By service: what its containers are made from, and the image below that, as far as they are there.
struct Images {
  std::map<std::string, std::optional<docker::ImageDetails>> made_from;
  std::map<std::string, std::string> below;  // ids
};

awaitable<Images> look_at_images(Services& services, StepContext context, Model model,
                                 std::set<std::string> selected) {
  Images images;
  std::map<std::string, std::optional<docker::ImageDetails>> by_reference;
  const auto previous = co_await previous_state(services, context.operation);
  for (const auto& service : model.spec->services) {
    if (!service.container || !selected.contains(service.name)) continue;
    const auto reference = image_of(*model.spec, service);
    if (!by_reference.contains(reference)) {
      auto details = co_await services.engine.inspect_image(reference);
      by_reference[reference] = std::move(details);
    }
    auto image = by_reference[reference];
    if (image) images.below[service.name] = image->id;
    if (image && has_build_hooks(service)) {
      const auto hooks = build_hooks(*model.spec, *model.facts, service, previous);
      if (!hooks.empty()) {
        const auto tag = derived_tag(service, hooks, base_of(describe(*image)));
        if (!by_reference.contains(tag)) {
          auto details = co_await services.engine.inspect_image(tag);
          by_reference[tag] = std::move(details);
        }
        image = by_reference[tag];
      }
    }
    images.made_from[service.name] = std::move(image);
  }
  co_return images;
}

bool container_is_current(const spec::Service& service, const docker::ContainerSummary& container,
                          const Images& images, const std::string& hash) {
  const auto image = images.made_from.find(service.name);
  return container.state == "running" && label_of(container, label::k_hash) == hash &&
         image != images.made_from.end() && image->second &&
         label_of(container, label::k_image) == image->second->id;
}

// A post_start that failed in a running container runs again at the next up (X1), and so does an after_ready.
awaitable<bool> has_failed_hooks(Services& services, Model model, const spec::Service& service,
                                 std::string container) {
  auto hooks = service.hooks_of(spec::Phase::post_start);
  const auto after_ready = service.hooks_of(spec::Phase::after_ready);
  hooks.insert(hooks.end(), after_ready.begin(), after_ready.end());
  for (const auto* hook : hooks) {
    auto query = [id = model.id, name = service.name, phase = hook->phase, index = hook->index,
                  container](store::Database& db) {
      return store::HookRuns::last(db, id, name, spec::to_string(phase), index,
                                   phase == spec::Phase::post_start ? container : "");
    };
    const auto last = co_await services.journal.run(query);
    if (last && last->state == "failed") co_return true;
  }
  co_return false;
}

bool is_built(const spec::Service& service) {
  return service.container && service.container->build;
}

// The services that this up has to start, recreate or finish, as far as can be seen now.
awaitable<void> find_stale(Services& services, Model model, const Observed& seen, UpPlan& plan,
                           const Images& images) {
  auto& stale = plan.fresh;
  for (const auto& service : model.spec->services) {
    if (!plan.selected.contains(service.name)) continue;
    if (plan.force_recreate || (plan.rebuild && (has_build_hooks(service) || is_built(service)))) {
      stale.insert(service.name);
    } else if (service.container) {
      const auto containers = seen.containers.find(service.name);
      const auto hash = container_definition(model, service, first_containers(seen));
      for (int n = 1; n <= plan.scale.at(service.name); ++n) {
        const auto* there = containers == seen.containers.end() || !containers->second.contains(n)
                                ? nullptr
                                : &containers->second.at(n);
        if (!there || !container_is_current(service, *there, images, hash)) {
          stale.insert(service.name);
          continue;
        }
        const bool owed = co_await has_failed_hooks(services, model, service, there->id);
        if (owed) plan.owed.insert(service.name);
      }
    } else {
      const auto row = seen.processes.find(service.name);
      const bool done = service.kind == spec::ServiceKind::oneshot && row != seen.processes.end() &&
                        services.runs.exit_of(row->second.run_directory).value_or(process::RunExit{}).ok();
      if ((!seen.running_processes.contains(service.name) && !done) ||
          row->second.definition != process_definition(model, service))
        stale.insert(service.name);
      else if (const bool owed = co_await has_failed_hooks(services, model, service, ""); owed)
        plan.owed.insert(service.name);
    }
  }
  std::set<std::string> untouched;
  for (const auto& name : plan.selected)
    if (!stale.contains(name))
      untouched.insert(name);
    else if (seen.running_processes.contains(name) && model.service(name).process)
      plan.replaced.insert(name);  // one that is a container now ends as an orphan does
  if (seen.engine_asked) plan.restarted = co_await restarted_replicas(services, model, untouched);
}

// C10.4: what Compose has left of the project is an orphan as stackd's own is; it goes only when that is
// asked for.
awaitable<void> add_strangers(Services& services, Model model, Observed& seen) {
  if (!seen.engine_asked) co_return;
  const auto& spec = *model.spec;
  const docker::Engine::Filters filters{{"label", std::string(label::k_project) + "=" + spec.name},
                                        {"label", label::k_hash},
                                        {"label", std::string(label::k_oneoff) + "=False"}};
  auto containers = co_await services.engine.list_containers(filters);
  for (auto& container : containers) {
    const auto service = label_of(container, label::k_service);
    const bool known = spec.find(service) ||
                       std::find(spec.disabled.begin(), spec.disabled.end(), service) != spec.disabled.end();
    if (known || !label_of(container, label::k_stack).empty()) continue;
    const auto number = std::max(1, std::atoi(label_of(container, label::k_number).c_str()));
    seen.containers[service].emplace(number, std::move(container));
  }
}

void drop_orphans(const Model& model, Observed& seen) {
  std::erase_if(seen.containers, [&](const auto& entry) { return !model.spec->find(entry.first); });
}

// Processes of services that the file no longer has, or has as containers now.
void find_orphans(const Model& model, const Observed& seen, bool orphans, UpPlan& plan,
                  std::vector<std::string>& warnings) {
  for (const auto& [service, row] : seen.processes) {
    const auto* gone = model.spec->find_gone(service);
    const auto& off = model.spec->disabled;
    if (!gone || !gone->process || std::find(off.begin(), off.end(), service) != off.end()) continue;
    // What a oneshot has done is there although it has ended.
    const bool alive = seen.running_processes.contains(service) || gone->kind == spec::ServiceKind::oneshot;
    const bool is_container = model.spec->find(service) != nullptr;
    if (is_container ? plan.selected.contains(service) : orphans)
      plan.orphans[service] = alive;
    else if (alive && !is_container)
      warnings.push_back(
          "service '" + service +
          "' still runs, which the stack file does not have (any more); --remove-orphans takes "
          "it away");
  }
}

// Replicas beyond the wished scale, containers of services that the file no longer has, and what ran under
// the name of a service that is of another kind now.
void find_surplus(const Model& model, const Observed& seen, bool orphans, UpPlan& plan,
                  std::vector<std::string>& warnings) {
  for (const auto& [service, containers] : seen.containers) {
    const auto& off = model.spec->disabled;
    if (std::find(off.begin(), off.end(), service) != off.end()) continue;  // a profile's, not an orphan
    const auto* own = model.spec->find(service);
    if (!own) {
      if (!orphans)
        warnings.push_back(
            "found containers of service '" + service +
            "', which the stack file does not have (any more); --remove-orphans takes them away");
      else
        for (const auto& [number, container] : containers) plan.surplus[service].push_back(container);
    } else if (plan.selected.contains(service)) {
      for (const auto& [number, container] : containers)
        if (!own->container || number > plan.scale.at(service)) plan.surplus[service].push_back(container);
    }
  }
}

// A restart has stopped the same things once before it failed.
void name_apart(const std::vector<store::StepRow>& rows, std::vector<StepPlan>& steps) {
  std::set<std::string> known;
  for (const auto& row : rows) known.insert(row.key);
  const auto rename = [&](std::string& key) {
    if (known.contains(key)) key += " again";
  };
  for (auto& step : steps) {
    rename(step.key);
    std::for_each(step.needs.begin(), step.needs.end(), rename);
  }
}

}  // namespace

void name_existing(const Observed& seen, std::vector<StepPlan>& steps) {
  for (auto& step : steps) {
    if (step.kind != "create") continue;
    const auto containers = seen.containers.find(step.service);
    if (containers == seen.containers.end()) continue;
    const auto there = containers->second.find(step.params.at("number").get<int>());
    if (there != containers->second.end()) step.params["existing"] = there->second.id;
  }
}

awaitable<Outcome> plan_up_step(Services& services, StepContext context) {
  const auto options = context.request.value("options", json::object()).get<proto::UpOptions>();
  const auto model = co_await settle_ports(services, context, options);
  // start and restart go on with what the up has got (L5.9).
  if (context.operation.kind == "up" && !context.params.contains("env_from")) {
    if (has_env_from(model)) {
      Outcome first;
      first.then = env_from_first(context.step.kind);
      co_return first;
    }
    co_await forget_env_from(services, model);
  }
  auto seen = co_await observe(services, model.id, needs_engine(*model.spec));
  if (context.operation.kind == "up") co_await add_strangers(services, model, seen);
  if (context.request.value("ignore_orphans", false) && !options.remove_orphans) drop_orphans(model, seen);
  UpPlan plan;
  plan.selected =
      selection(*model.spec, context.request.value("services", std::vector<std::string>{}), !options.no_deps);
  if (const auto named = context.request.value("services", std::vector<std::string>{});
      context.operation.kind == "restart" && !named.empty())
    plan.selected = with_restarting(*model.spec, named);  // not what they depend on: that was not stopped
  plan.build = options.build;
  plan.rebuild = options.rebuild;
  plan.force_recreate = options.force_recreate;
  // The stack's own hooks belong to the stack's coming up: not to a restart of one service, nor to start
  // after stop.
  plan.reason = context.operation.kind;
  plan.stack_hooks =
      context.operation.kind == "up" ||
      (context.operation.kind == "restart" && context.request.value("services", json::array()).empty() &&
       !context.params.value("again", false));
  plan.pull = options.pull;
  for (const auto& service : model.spec->services)
    if (service.container) plan.scale[service.name] = scale_of(service, options);
  // start and restart are of the replicas that are there, whatever --scale made them.
  if (context.operation.kind != "up")
    for (const auto& [name, containers] : seen.containers)
      if (plan.scale.contains(name) && !containers.empty()) plan.scale[name] = containers.rbegin()->first;
  Outcome outcome;
  // What the file asks for and stackd does not do, said once for each up.
  if (context.operation.kind == "up") outcome.warnings = model.spec->warnings;
  find_surplus(model, seen, options.remove_orphans, plan, outcome.warnings);
  find_orphans(model, seen, options.remove_orphans, plan, outcome.warnings);
  for (const auto& container : seen.hook_containers)
    if (label_of(container, label::k_operation) != context.operation.id)
      plan.kept_hooks[label_of(container, label::k_service)].push_back(container);
  Images images;
  if (seen.engine_asked) images = co_await look_at_images(services, context, model, plan.selected);
  co_await find_stale(services, model, seen, plan, images);
  if (!plan.recover) co_await find_changes(services, model, seen, plan, outcome.warnings);
  std::erase_if(images.below, [&](const auto& entry) { return !plan.fresh.contains(entry.first); });
  co_await check_shells(services, context, model, images.below);

  auto query = [id = model.id](store::Database& db) { return extra_of(db, id); };
  const auto extra = co_await services.journal.run(query);
  const bool complete = extra.value("up", false);
  if (plan.fresh.empty() && plan.owed.empty() && plan.restarted.empty() && plan.surplus.empty() &&
      plan.orphans.empty() && complete && !options.build && !options.rebuild && options.pull != "always") {
    outcome.result["unchanged"] = true;
    co_return outcome;
  }
  outcome.then = plan_up(*model.spec, plan);
  name_existing(seen, outcome.then);
  co_return outcome;
}

awaitable<Outcome> plan_down_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto named = context.request.value("services", std::vector<std::string>{});
  const bool stopping = context.operation.kind != "down";
  auto seen = co_await observe(services, model.id, needs_engine(*model.spec));
  if (context.request.value("remove_orphans", false)) co_await add_strangers(services, model, seen);
  auto query = [id = model.id](store::Database& db) { return extra_of(db, id); };
  const auto extra = co_await services.journal.run(query);
  DownPlan plan;
  plan.kind = stopping ? DownPlan::Kind::stop : DownPlan::Kind::down;
  plan.selected = stopping ? selection(*model.spec, named, false) : with_dependents(*model.spec, named);
  if (context.operation.kind == "restart" && !named.empty()) {
    plan.taken_along = plan.selected = with_restarting(*model.spec, named);
    for (const auto& name : named) plan.taken_along.erase(name);
  }
  plan.whole = named.empty() && !stopping;
  plan.orphans = named.empty();
  // Nothing was brought up since the last down: there is nothing that before_down could look at.
  plan.stack_hooks = named.empty() && context.operation.kind != "stop" && extra.value("touched", false);
  plan.networks = !stopping && seen.engine_asked;
  if (context.request.value("no_hooks", false)) plan.stack_hooks = plan.service_hooks = false;
  plan.volumes = context.request.value("volumes", false);
  plan.rmi = context.request.value("rmi", "");
  plan.reason = context.operation.kind;
  if (context.request.contains("timeout") && context.request["timeout"].is_number())
    plan.timeout = context.request["timeout"].get<int>();
  Outcome outcome;
  outcome.then = plan_down(*model.spec, plan, seen);
  if (context.operation.kind == "restart") {
    // The second half begins when the first has ended; it plans by what is there then.
    Keys ends;
    for (const auto& step : outcome.then) ends.push_back(step.key);
    outcome.then.push_back({"plan", "plan-up", "", json::object(), ends});
  }
  co_return outcome;
}

awaitable<Outcome> plan_rollback_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  auto seen = co_await observe(services, model.id, needs_engine(*model.spec));
  DownPlan plan;
  plan.kind = DownPlan::Kind::rollback;
  plan.selected = selection(*model.spec, {}, false);
  plan.stack_hooks = false;  // L4: no down hooks of the stack in a roll-back
  plan.whole = false;
  plan.networks = seen.engine_asked;
  plan.reason = "rollback";
  plan.created_by = context.operation.id;

  struct Rows {
    std::vector<store::StepRow> steps;
    std::vector<store::HookRunRow> hooks;
  };
  auto query = [id = context.operation.id](store::Database& db) {
    return Rows{store::Steps::of_operation(db, id), store::HookRuns::of_operation(db, id)};
  };
  const auto rows = co_await services.journal.run(query);
  for (const auto& hook : rows.hooks)
    if (hook.state == "running") plan.hook_runs.push_back(hook.id);
  for (const auto& step : rows.steps)
    if (step.kind == "env-from") co_await end_env_from(services, model, context.operation.id, step.ordinal);
  Outcome outcome;
  if (context.params.value("only_hooks", false)) {
    for (const auto& run : plan.hook_runs)
      outcome.then.push_back({"end " + run, "end-hook", "", {{"run", run}}, {}, true});
    co_return outcome;
  }
  // T7: a service whose pre_start failed stays created, beside the kept hook container that shows why.
  std::set<std::string> failed_before_start;
  for (const auto& hook : rows.hooks)
    if (hook.phase == "pre_start" && hook.state == "failed") failed_before_start.insert(hook.service);
  // X32: only what this operation created or started.
  for (const auto& [service, containers] : seen.containers)
    for (const auto& [number, container] : containers)
      if (label_of(container, label::k_operation) == context.operation.id &&
          !(container.state == "created" && failed_before_start.contains(service)))
        plan.only_containers.insert(container.id);
  for (const auto& step : rows.steps)
    if (step.kind == "start")
      if (const auto result = json::parse(step.result); result.value("started", false))
        plan.only_containers.insert(result.value("id", ""));
  std::erase_if(seen.processes,
                [&](const auto& entry) { return entry.second.operation_id != context.operation.id; });
  outcome.then = plan_down(*model.spec, plan, seen);
  name_apart(rows.steps, outcome.then);
  co_return outcome;
}

}  // namespace stackd::stacks
