#include <algorithm>

#include "daemon/plan/changes.hpp"
#include "daemon/plan/due.hpp"
#include "daemon/plan/order.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/plan/up_graph.hpp"
#include "daemon/translate/build_hooks.hpp"
#include "daemon/translate/definitions.hpp"
#include "daemon/translate/images.hpp"
#include "daemon/translate/pre_run.hpp"

namespace stackd::plan {
namespace {

using model::Service;

const docker::ImageDetails* image_seen(const Snapshot& seen, const std::string& reference) {
  const auto found = seen.images.find(reference);
  return found == seen.images.end() || !found->second ? nullptr : &*found->second;
}

// The tag of what build hooks make of a service's image; nothing when it has none that are to run, or when
// the image is not there.
std::optional<std::string> derived_tag_of(const model::Stack& stack, const Service& service,
                                          const Snapshot& seen) {
  const auto* image = image_seen(seen, translate::image_of(*stack.spec, service));
  if (!image || !translate::has_build_hooks(service)) return std::nullopt;
  const auto hooks = translate::build_hooks(*stack.spec, *stack.facts, service, seen.previous);
  if (hooks.empty()) return std::nullopt;
  return translate::derived_tag(service, hooks, translate::facts_of(*image));
}

}  // namespace

// What the service's containers are to be made from; null when it is not there.
const docker::ImageDetails* made_from(const model::Stack& stack, const Service& service,
                                      const Snapshot& seen) {
  const auto derived = derived_tag_of(stack, service, seen);
  return image_seen(seen, derived ? *derived : translate::image_of(*stack.spec, service));
}

namespace {

// X1: a post_start that failed in a running container runs again at the next up, and so does an after_ready.
bool owes_hook(const Service& service, const std::string& container, const Snapshot& seen) {
  return std::any_of(seen.failed_hooks.begin(), seen.failed_hooks.end(), [&](const FailedHook& failed) {
    if (failed.service != service.name) return false;
    const bool per_container = model::row_of(failed.phase).place == model::HookPlace::exec;
    if (per_container && failed.container != container) return false;
    const auto hooks = service.hooks_of(failed.phase);
    return std::any_of(hooks.begin(), hooks.end(),
                       [&](const auto* hook) { return hook->index == failed.index; });
  });
}

void look_at_containers(const model::Stack& stack, const Service& service, const Snapshot& seen,
                        UpChoice& choice) {
  const auto& containers = seen.of(service.name);
  const auto hash = translate::container_definition(stack, service, first_containers(seen));
  const auto* image = made_from(stack, service, seen);
  for (int n = 1; n <= choice.scale.at(service.name); ++n) {
    const auto there = containers.find(n);
    const bool same =
        there != containers.end() &&
        (choice.as_is || (there->second.definition == hash && image && there->second.image_id == image->id));
    const bool current = same && there->second.runs();
    if (!current)
      choice.fresh.insert(service.name);
    else if (owes_hook(service, there->second.id, seen))
      choice.owed.insert(service.name);
  }
}

void look_at_process(const model::Stack& stack, const Service& service, const Snapshot& seen,
                     UpChoice& choice) {
  const auto found = seen.processes.find(service.name);
  const bool current =
      found != seen.processes.end() &&
      (found->second.alive || (service.kind == model::ServiceKind::oneshot && found->second.done)) &&
      (choice.as_is || found->second.definition == translate::process_definition(stack, service));
  if (!current)
    choice.fresh.insert(service.name);
  else if (owes_hook(service, "", seen))
    choice.owed.insert(service.name);
}

// The services that this up has to start, make anew or finish.
void find_stale(const model::Stack& stack, Kind kind, const Snapshot& seen, UpChoice& choice) {
  for (const auto& service : stack.spec->services) {
    if (!choice.selected.contains(service.name)) continue;
    if (service.container && choice.scale.at(service.name) == 0) continue;  // nothing of it begins
    const bool built = service.container && service.container->build.has_value();
    if (choice.force_recreate || (choice.rebuild && (translate::has_build_hooks(service) || built)))
      choice.fresh.insert(service.name);
    else if (service.container)
      look_at_containers(stack, service, seen, choice);
    else
      look_at_process(stack, service, seen, choice);
  }
  if (kind == Kind::up && !choice.as_is) find_due(stack, seen, choice);
  for (const auto& name : choice.selected) {
    if (!choice.fresh.contains(name)) {
      if (const auto again = seen.restarted.find(name); again != seen.restarted.end())
        choice.restarted.insert(*again);
      continue;
    }
    const auto running = seen.processes.find(name);
    if (running != seen.processes.end() && running->second.alive && stack.service(name).process)
      choice.replaced.insert(name);  // one that is a container now ends as an orphan does
  }
}

bool is_off(const model::Spec& spec, const std::string& service) {
  return std::find(spec.disabled.begin(), spec.disabled.end(), service) != spec.disabled.end();
}

// Processes of services that the file no longer has, or has as containers now.
void find_orphans(const model::Spec& spec, const Snapshot& seen, const Wish& wish, UpChoice& choice,
                  std::vector<std::string>& warnings) {
  for (const auto& [service, process] : seen.processes) {
    const auto* gone = spec.find_gone(service);
    if (!gone || !gone->process || is_off(spec, service)) continue;
    // What a oneshot has done is there although it has ended.
    const bool alive = process.alive || gone->kind == model::ServiceKind::oneshot;
    const bool is_container = spec.find(service) != nullptr;
    if (is_container ? choice.selected.contains(service) : wish.remove_orphans)
      choice.orphans[service] = alive;
    else if (alive && !is_container && !wish.ignore_orphans)
      warnings.push_back(
          "service '" + service +
          "' still runs, which the stack file does not have (any more); --remove-orphans takes "
          "it away");
  }
}

// Replicas beyond the wished scale, containers of services that the file no longer has, and what ran under
// the name of a service that is of another kind now.
void find_surplus(const model::Spec& spec, const Snapshot& seen, const Wish& wish, UpChoice& choice,
                  std::vector<std::string>& warnings) {
  for (const auto& [service, containers] : seen.containers) {
    if (is_off(spec, service)) continue;  // a profile's, not an orphan
    const auto* own = spec.find(service);
    if (own && !choice.selected.contains(service)) continue;
    if (!own && !wish.remove_orphans) {
      if (!wish.ignore_orphans)
        warnings.push_back(
            "found containers of service '" + service +
            "', which the stack file does not have (any more); --remove-orphans takes them away");
      continue;
    }
    for (const auto& [number, container] : containers)
      if (!own || !own->container || number > choice.scale.at(service))
        choice.surplus[service].push_back(container);
  }
}

// C8.3: what was not named, and comes along.
void recreate_dependencies(const model::Spec& spec, const Snapshot& seen,
                           const std::vector<std::string>& named, UpChoice& choice) {
  for (const auto& service : spec.services) {
    const bool along = std::find(named.begin(), named.end(), service.name) == named.end();
    if (!along || !choice.selected.contains(service.name)) continue;
    choice.fresh.insert(service.name);
    if (service.container && seen.containers.contains(service.name)) choice.recreate.insert(service.name);
    const auto running = seen.processes.find(service.name);
    if (service.process && running != seen.processes.end() && running->second.alive)
      choice.replaced.insert(service.name);
  }
}

// The first half of a restart may have stopped the same things, and could not remove them. What takes away is
// what goes on when it fails.
void name_apart_from_first_half(std::vector<operations::StepPlan>& steps) {
  std::set<std::string> ends;
  for (const auto& step : steps)
    if (step.go_on) ends.insert(step.key);
  name_apart(ends, steps);
}

// What a one-off of a service is made with is there.
bool is_prepared(const model::Stack& stack, const Service& service, const Snapshot& seen) {
  const auto& spec = *stack.spec;
  if (!service.container || !made_from(stack, service, seen)) return service.process.has_value();
  const auto& c = *service.container;
  const auto has_network = [&](const auto& entry) {
    const auto known = spec.networks.find(entry.first);
    return known == spec.networks.end() || known->second.external || seen.networks.contains(entry.first);
  };
  const auto has_volume = [&](const model::Mount& mount) {
    const auto known = spec.volumes.find(mount.source);
    return mount.type != "volume" || known == spec.volumes.end() || known->second.external ||
           seen.volumes.contains(mount.source);
  };
  return std::all_of(c.networks.begin(), c.networks.end(), has_network) &&
         std::all_of(c.mounts.begin(), c.mounts.end(), has_volume);
}

bool are_prepared(const model::Stack& stack, const Snapshot& seen, const UpChoice& choice) {
  return std::all_of(choice.prepared.begin(), choice.prepared.end(), [&](const std::string& name) {
    const auto* service = stack.spec->find(name);
    return !service || is_prepared(stack, *service, seen);
  });
}

// But for what is due.
bool is_unchanged(const UpChoice& choice, const Wish& wish, const Snapshot& seen) {
  const bool nothing_to_start = choice.selected.empty() && !choice.prepared.empty();
  return (seen.up || nothing_to_start) && choice.fresh.empty() && choice.owed.empty() &&
         choice.restarted.empty() && choice.surplus.empty() && choice.orphans.empty() && !wish.build &&
         !wish.rebuild && wish.pull != "always";
}

UpChoice choice_of(const model::Spec& spec, const Request& request, const Snapshot& seen) {
  const auto& wish = request.wish;
  UpChoice choice;
  choice.selected = selected_by(spec, request);
  choice.prepared.insert(wish.prepare.begin(), wish.prepare.end());
  choice.build = wish.build;
  choice.rebuild = wish.rebuild;
  choice.no_build = wish.no_build;
  choice.force_recreate = wish.force_recreate || wish.renew_volumes;
  choice.renew_volumes = wish.renew_volumes;
  choice.as_is = wish.no_recreate;
  choice.no_start = wish.no_start;
  choice.stop_timeout = wish.stop_timeout;
  choice.pull = wish.pull;
  choice.reason = to_string(request.kind);
  // The stack's own hooks belong to the stack's coming up: not to a restart of one service, nor to start
  // after stop.
  choice.stack_hooks =
      request.kind == Kind::up || (request.kind == Kind::restart && wish.services.empty() && !request.again);
  choice.keeps = request.kind == Kind::up && seen.former;
  choice.scale = scale_of(spec, wish);
  // start and restart are of the replicas that are there, whatever --scale made them.
  if (request.kind != Kind::up)
    for (const auto& [name, containers] : seen.containers)
      if (choice.scale.contains(name) && !containers.empty()) choice.scale[name] = containers.rbegin()->first;
  for (const auto& container : seen.hook_containers)
    if (container.operation != request.operation) choice.kept_hooks[container.service].push_back(container);
  return choice;
}

}  // namespace

std::map<std::string, int> scale_of(const model::Spec& spec, const Wish& wish) {
  std::map<std::string, int> scale;
  for (const auto& service : spec.services) {
    if (!service.container) continue;
    const auto wished = wish.scale.find(service.name);
    scale[service.name] = wished != wish.scale.end() ? wished->second : service.container->scale;
  }
  return scale;
}

std::set<std::string> images_of(const model::Stack& stack, const std::set<std::string>& services) {
  std::set<std::string> references;
  for (const auto& service : stack.spec->services)
    if (service.container && services.contains(service.name))
      references.insert(translate::image_of(*stack.spec, service));
  return references;
}

std::set<std::string> derived_images_of(const model::Stack& stack, const std::set<std::string>& services,
                                        const Snapshot& seen) {
  std::set<std::string> tags;
  for (const auto& service : stack.spec->services)
    if (service.container && services.contains(service.name))
      if (auto tag = derived_tag_of(stack, service, seen)) tags.insert(std::move(*tag));
  return tags;
}

bool may_find_nothing_to_do(const Wish& wish) {
  return !wish.build && !wish.rebuild && wish.pull != "always" && !wish.force_recreate &&
         !wish.renew_volumes && !wish.always_recreate_deps && !wish.no_start && !wish.adopt &&
         wish.prepare.empty() && wish.rerun.empty();
}

UpChoice choose_up(const model::Stack& stack, const Request& request, const Snapshot& seen,
                   std::vector<std::string>& warnings) {
  const auto& spec = *stack.spec;
  auto choice = choice_of(spec, request, seen);
  find_surplus(spec, seen, request.wish, choice, warnings);
  find_orphans(spec, seen, request.wish, choice, warnings);
  find_stale(stack, request.kind, seen, choice);
  if (request.wish.always_recreate_deps && !request.wish.services.empty())
    recreate_dependencies(spec, seen, request.wish.services, choice);
  if (!choice.as_is) find_changes(stack, seen, choice, warnings);
  // What is made anew has forgotten that the engine has restarted it: its pre_start is not owed but due.
  for (const auto& name : choice.fresh) choice.restarted.erase(name);
  choice.only_due = is_unchanged(choice, request.wish, seen) && are_prepared(stack, seen, choice);
  return choice;
}

Plan plan_up(const model::Stack& stack, const Request& request, const Snapshot& seen) {
  const auto& spec = *stack.spec;
  Plan plan;
  // What the file asks for and stackd does not do, said once for each up.
  if (request.kind == Kind::up) plan.warnings = spec.warnings;
  const auto choice = choose_up(stack, request, seen, plan.warnings);
  for (const auto& name : choice.fresh) {
    const auto* service = spec.find(name);
    if (!service || !service->container ||
        !(translate::has_pre_run(*service) || translate::has_build_hooks(*service)))
      continue;
    if (const auto* image = image_seen(seen, translate::image_of(spec, *service)))
      plan.shells_needed[name] = image->id;
  }
  plan.unchanged = choice.only_due && choice.due.empty();
  if (!plan.unchanged) plan.steps = up_graph(spec, choice, seen);
  for (auto& left : remove_left_over(seen)) plan.steps.push_back(std::move(left));
  if (request.kind == Kind::restart) name_apart_from_first_half(plan.steps);
  return plan;
}

Plan plan_put_back(const model::Stack& stack, const Snapshot& seen, const std::set<std::string>& ran,
                   const std::set<std::string>& taken_keys) {
  UpChoice choice;
  choice.recover = choice.put_back = true;
  choice.stack_hooks = false;
  choice.pull = "never";
  choice.reason = "rollback";
  for (const auto& name : ran) {
    const auto* service = stack.spec->find(name);
    if (!service) continue;
    choice.selected.insert(name);
    const auto& there = seen.of(name);
    const auto runs = [](const auto& entry) { return entry.second.runs(); };
    if (service->container && !there.empty()) choice.scale[name] = there.rbegin()->first;
    if (service->container && there.empty()) choice.scale[name] = 0;
    const auto process = seen.processes.find(name);
    const bool alive = service->container ? std::all_of(there.begin(), there.end(), runs)
                                          : process != seen.processes.end() && process->second.alive;
    if (!alive) choice.fresh.insert(name);
  }
  Plan plan;
  Keys last;
  if (!choice.selected.empty()) {
    plan.steps = up_graph(*stack.spec, choice, seen);
    last = {plan.steps.back().key};
  }
  plan.steps.push_back(step("put back done", "", PutBackDone{}, last, true));
  name_apart(taken_keys, plan.steps);
  return plan;
}

Plan plan_recover(const model::Stack& stack, const Request& request, const Snapshot& seen) {
  UpChoice choice;
  choice.recover = true;
  choice.stack_hooks = false;
  choice.pull = "never";
  choice.reason = to_string(request.kind);
  choice.reasons = request.wish.reasons;
  for (const auto& [name, reason] : choice.reasons) {
    const auto* service = stack.spec->find(name);
    if (!service) continue;
    choice.selected.insert(name);
    if (!service->container) {
      const auto process = seen.processes.find(name);
      if (process == seen.processes.end() || !process->second.alive) choice.fresh.insert(name);
      continue;
    }
    choice.scale[name] = 0;
    for (const auto& [number, container] : seen.of(name)) {
      choice.scale[name] = std::max(choice.scale[name], number);
      if (!container.runs()) choice.fresh.insert(name);
    }
    if (const auto again = request.wish.restarted.find(name);
        again != request.wish.restarted.end() && seen.containers.contains(name))
      choice.restarted[name] = again->second;
  }
  return {.steps = up_graph(*stack.spec, choice, seen)};
}

}  // namespace stackd::plan
