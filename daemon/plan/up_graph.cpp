#include "daemon/plan/up_graph.hpp"

#include <algorithm>

#include "daemon/plan/order.hpp"
#include "daemon/translate/build_hooks.hpp"
#include "daemon/translate/images.hpp"

namespace stackd::plan {
namespace {

using model::Condition;
using model::Phase;
using model::Service;
using translate::image_of;

class UpGraph {
public:
  UpGraph(const model::Spec& spec, const UpChoice& choice, const Snapshot& seen)
      : spec_(spec), choice_(choice), seen_(seen), order_(comes_after(spec)) {
    look_at_dependents();
  }

  std::vector<operations::StepPlan> build() {
    if (choice_.stack_hooks && !choice_.no_start && (choice_.prepared.empty() || !choice_.selected.empty())) {
      const auto hooks = stack_hooks(Phase::before_up);
      gate_ = graph_.add_hooks(hooks, "", network_for(hooks, {}), because(choice_.reason), false);
    }
    for (const auto& [name, stop] : choice_.stop_first) {
      const auto& service = *spec_.find(name);
      if (stop.process) {
        stopped_[name] = add_process_end(graph_, service, gate_, true, stop.reason);
        continue;
      }
      const auto needs = add_before_down(graph_, service, gate_, stop.reason);
      for (const auto& container : stop.containers)
        append(stopped_[name], add_container_end(graph_, &service, container, needs,
                                                 {.failing = FailingPreStop::warns,
                                                  .reason = stop.reason,
                                                  .timeout = choice_.stop_timeout,
                                                  .keeps = choice_.keeps}));
    }
    add_shared();
    take_away_surplus();
    if (choice_.no_start) return only_made();
    for (const auto& service : spec_.services) add_service(service);
    Keys all = gate_;
    for (const auto& service : spec_.services) {
      if (!choice_.prepared.contains(service.name)) continue;
      append(all, shared_needs(service));
      append(all, dependency_keys(service));
    }
    if (choice_.selected.empty() && !choice_.prepared.empty()) {
      graph_.add("finish up", "", FinishUp{.only_made = true}, all);
      return graph_.take();
    }
    for (const auto& [name, keys] : ready_) append(all, keys);
    for (const auto& [name, key] : completed_) append(all, {key});
    Keys last{graph_.add("settle", "", settle_, all)};
    if (choice_.stack_hooks) {
      const auto hooks = stack_hooks(Phase::after_up);
      append(last, network_for(hooks, network_needs("default")));
      last = graph_.add_hooks(hooks, "", last, because(choice_.reason), false);
    }
    graph_.add("finish up", "", FinishUp{choice_.recover}, last);
    return graph_.take();
  }

private:
  // --no-start (Compose's create): no hook, no process, and the stack does not become "up" by it.
  std::vector<operations::StepPlan> only_made() {
    for (const auto& service : spec_.services) {
      if (!selected(service.name) || !service.container) continue;
      auto needs = shared_needs(service);
      append(needs, orphans_ended_);
      if (const auto stopped = stopped_.find(service.name); stopped != stopped_.end())
        append(needs, stopped->second);
      const auto scale = choice_.scale.find(service.name);
      for (int n = 1; n <= (scale == choice_.scale.end() ? 1 : scale->second); ++n)
        creates_[service.name].push_back(graph_.add("create " + replica(service.name, n), service.name,
                                                    create_of(service, n, image_step_of(service)), needs));
    }
    return graph_.take();
  }

  // The images, networks and volumes that its containers are made with.
  Keys shared_needs(const Service& service) {
    Keys needs{image_step_of(service)};
    for (const auto* hook : service.hooks_of(Phase::pre_start))
      if (!hook->image.empty()) append(needs, {images_.at(hook->image)});
    for (const auto& [key, attachment] : service.container->networks)
      if (networks_.contains(key)) append(needs, {networks_.at(key)});
    for (const auto& mount : service.container->mounts)
      if (mount.type == "volume" && volumes_.contains(mount.source))
        append(needs, {volumes_.at(mount.source)});
    return needs;
  }

  static Hook because(const std::string& reason) {
    Hook like;
    like.reason = reason;
    return like;
  }
  // X36: all of them, or those alone that are due.
  std::vector<const model::Hook*> stack_hooks(Phase phase) const {
    auto hooks = spec_.hooks_of(phase);
    if (choice_.only_due)
      std::erase_if(hooks, [&](const auto* hook) { return !choice_.due.contains({"", phase, hook->index}); });
    return hooks;
  }
  std::vector<int> due_of(const Service& service, Phase phase) const {
    std::vector<int> indexes;
    for (const auto* hook : service.hooks_of(phase))
      if (choice_.due.contains({service.name, phase, hook->index})) indexes.push_back(hook->index);
    return indexes;
  }
  bool selected(const std::string& name) const { return choice_.selected.contains(name); }
  bool concerned(const std::string& name) const { return selected(name) || choice_.prepared.contains(name); }
  const std::string& reason(const std::string& service) const {
    const auto own = choice_.reasons.find(service);
    return own == choice_.reasons.end() ? choice_.reason : own->second;
  }
  bool restarted(const std::string& service, int number) const {
    const auto replicas = choice_.restarted.find(service);
    return replicas != choice_.restarted.end() && replicas->second.contains(number);
  }

  // How others wait for each: which must be healthy (C6.3), and which may as well fail (C6.6).
  void look_at_dependents() {
    std::set<std::string> required;
    for (const auto& service : spec_.services) {
      if (!selected(service.name)) continue;
      for (const auto& [name, dependency] : service.depends_on) {
        if (dependency.condition == Condition::healthy) awaited_healthy_.insert(name);
        (dependency.required ? required : optional_).insert(name);
      }
    }
    for (const auto& name : required) optional_.erase(name);
  }

  // Before what takes the place of a service that is of another kind now; and orphans before everything that
  // is made, which may have the name or the port of one that was renamed.
  void take_away_surplus() {
    for (const auto& [service, containers] : choice_.surplus) {
      const auto* own = spec_.find(service);
      const bool fewer = own && own->container;
      const auto* known = fewer ? own : spec_.find_gone(service);
      auto needs = gate_;
      const bool running =
          std::any_of(containers.begin(), containers.end(), [](const auto& c) { return c.runs(); });
      if (!fewer && known && running) needs = add_before_down(graph_, *known, needs, "orphan", true);
      const ContainerEnd end{.remove = true,
                             .failing = FailingPreStop::warns,
                             .reason = fewer ? "scale-down" : "orphan",
                             .timeout = choice_.stop_timeout,
                             .keeps = choice_.keeps};
      for (const auto& container : containers) {
        const auto ended = add_container_end(graph_, known, container, needs, end);
        if (own && !fewer) append(stopped_[service], ended);
        if (!own) append(orphans_ended_, ended);
      }
    }
    for (const auto& [service, alive] : choice_.orphans) {
      const auto ended = add_process_end(graph_, *spec_.find_gone(service), gate_, alive, "orphan", true);
      append(spec_.find(service) ? stopped_[service] : orphans_ended_, ended);
    }
  }

  // A hook in a container of its own is on the stack's network, so that comes before it: after `needs`, when
  // nobody else has asked for it.
  Keys network_for(const std::vector<const model::Hook*>& hooks, const Keys& needs) {
    const bool wanted = spec_.networks.contains("default") &&
                        std::any_of(hooks.begin(), hooks.end(),
                                    [](const model::Hook* hook) { return !hook->run_in_image.empty(); });
    if (!wanted) return {};
    auto& network = networks_["default"];
    if (network.empty()) network = graph_.add("network default", "", Network{"default"}, needs);
    return {network};
  }

  // Images, networks and volumes: all at once, each once.
  void add_shared() {
    for (const auto& service : spec_.services) {
      if (!concerned(service.name) || !service.container) continue;
      const auto image = image_of(spec_, service);
      add_image(image, builder_of(image, service), false);
      for (const auto* hook : service.hooks_of(Phase::pre_start))
        if (!hook->image.empty()) add_image(hook->image, builder_of(hook->image, service), true);  // C1.6
      if (translate::has_build_hooks(service)) {
        auto& derived = derived_[image + " " + translate::build_hooks_key(service)];
        if (derived.empty())
          derived = graph_.add("hooks on " + image + " " + translate::build_hooks_key(service), service.name,
                               Derive{images_[image], choice_.rebuild}, {images_[image]});
      }
      for (const auto& [key, attachment] : service.container->networks)
        if (spec_.networks.contains(key) && !networks_.contains(key))
          networks_[key] = graph_.add("network " + key, "", Network{key}, network_needs(key));
      for (const auto& mount : service.container->mounts)
        if (mount.type == "volume" && spec_.volumes.contains(mount.source) &&
            !volumes_.contains(mount.source))
          volumes_[mount.source] = graph_.add("volume " + mount.source, "", Volume{mount.source}, gate_);
    }
  }

  // A network that is made anew has to be left by all first (C8.7).
  Keys network_needs(const std::string& key) const {
    auto needs = gate_;
    if (!choice_.changed_networks.contains(key)) return needs;
    for (const auto& service : spec_.services)
      if (const auto stopped = stopped_.find(service.name);
          stopped != stopped_.end() && service.container && service.container->networks.contains(key))
        append(needs, stopped->second);
    return needs;
  }

  // Those that restart with this service are stopped before it is.
  Keys dependents_stopped(const std::string& name) const {
    Keys keys;
    for (const auto& service : spec_.services) {
      const auto dependency = service.depends_on.find(name);
      const auto stopped = stopped_.find(service.name);
      if (stopped != stopped_.end() && dependency != service.depends_on.end() && dependency->second.restart)
        append(keys, stopped->second);
    }
    return keys;
  }

  // Of several services with one image the one that builds it.
  const Service& builder_of(const std::string& image, const Service& service) const {
    for (const auto& other : spec_.services)
      if (concerned(other.name) && other.container && other.container->build &&
          image_of(spec_, other) == image)
        return other;
    return service;
  }

  void add_image(const std::string& image, const Service& service, bool of_hook) {
    if (images_.contains(image)) return;
    const Image params{.image = image,
                       .build = choice_.build,
                       .rebuild = choice_.rebuild,
                       .no_build = choice_.no_build,
                       .pull = choice_.pull,
                       .only_pull = of_hook && image_of(spec_, service) != image};
    auto needs = gate_;
    if (service.container->build && !params.only_pull)
      for (const auto& name : translate::services_built_on(*service.container->build))
        if (const auto* other = spec_.find(name); other && other->container) {
          const auto below = image_of(spec_, *other);
          add_image(below, builder_of(below, *other), false);
          append(needs, {images_[below]});
        }
    images_[image] = graph_.add("image " + image, service.name, params, needs);
  }

  // A service after those it comes after; the checker has refused cycles.
  void add_service(const Service& service) {
    if (!selected(service.name) || !added_.insert(service.name).second) return;
    for (const auto& name : order_.at(service.name))
      if (const auto* other = spec_.find(name)) add_service(*other);
    auto needs = gate_;
    append(needs, dependency_keys(service));
    const bool fresh = choice_.fresh.contains(service.name);
    if (fresh) {
      const auto hooks = service.hooks_of(Phase::before_start);
      append(needs, network_for(hooks, network_needs("default")));
      needs = graph_.add_hooks(hooks, service.name, needs, because(reason(service.name)), false);
    }
    if (service.process) append(needs, dependents_stopped(service.name));
    // X32: not before before_start has worked, as with a container.
    if (choice_.replaced.contains(service.name))
      needs = add_process_end(graph_, service, needs, true, "recreate");
    started_[service.name] = service.container ? add_containers(service, needs) : add_process(service, needs);
    ready_[service.name] = add_readiness(service, started_[service.name]);
  }

  Keys dependency_keys(const Service& service) {
    Keys needs;
    for (const auto& name : order_.at(service.name)) {
      if (!selected(name)) continue;
      const auto declared = service.depends_on.find(name);
      if (declared == service.depends_on.end() || declared->second.condition == Condition::started)
        append(needs, started_[name]);  // X33, or service_started
      else if (declared->second.condition == Condition::completed_successfully)
        append(needs, {completed(name)});
      else
        append(needs, ready_[name]);
    }
    return needs;
  }

  std::string completed(const std::string& name) {
    auto& key = completed_[name];
    if (key.empty())
      key = graph_.add("completed " + name, name, Completed{creates_[name], optional_.contains(name)},
                       started_[name]);
    return key;
  }

  Keys add_containers(const Service& service, const Keys& needs) {
    auto before_create = needs;
    const auto image_step = image_step_of(service);
    append(before_create, {image_step});
    append(before_create, dependents_stopped(service.name));
    if (const auto stopped = stopped_.find(service.name); stopped != stopped_.end())
      append(before_create, stopped->second);
    append(before_create, shared_needs(service));
    append(before_create, orphans_ended_);

    const auto scale = choice_.scale.find(service.name);
    const int replicas = scale == choice_.scale.end() ? 1 : scale->second;
    Keys before;
    auto& created = creates_[service.name];
    for (int n = 1; n <= replicas; ++n)
      append(created, {graph_.add("create " + replica(service.name, n), service.name,
                                  create_of(service, n, image_step), before_create)});
    const auto initialised = add_pre_start(service, created, replicas);
    // C3.2: replica 2 starts when replica 1's post_start is done.
    for (int n = 1; n <= replicas; ++n) {
      const auto name = replica(service.name, n);
      const auto create = "create " + name;
      auto like = because(reason(service.name));
      like.create_step = create;
      auto starts = before;
      append(starts, initialised.at(1));
      append(starts, initialised.at(n));
      const auto start = graph_.add("start " + name, service.name, Start{n, create, like.reason}, starts);
      starts_[service.name].push_back(start);
      if (!optional_.contains(service.name)) settle_.containers.push_back({service.name, create, start});
      Keys inside{start};
      for (const auto* hook : service.hooks_of(Phase::pre_run))
        inside = {graph_.add(name + " pre_run[" + std::to_string(hook->index) + "]", service.name,
                             PreRun{hook->index, create, start, like.reason}, inside)};
      // Part Y: the start is over when pre_run has become the command; an exec into a container whose pre_run
      // has failed would only hide why it is gone.
      like.due = due_of(service, Phase::post_start);
      before = graph_.add_hooks(service.hooks_of(Phase::post_start), name, inside, like, false);
    }
    return before.empty() ? before_create : before;
  }

  Create create_of(const Service& service, int number, const std::string& image_step) const {
    Create params{.number = number,
                  .force = choice_.force_recreate || choice_.recreate.contains(service.name),
                  .renew = choice_.renew_volumes,
                  .timeout = choice_.stop_timeout,
                  .as_is = choice_.recover || choice_.as_is,
                  .restarted = restarted(service.name, number),
                  .puts_back = choice_.put_back,
                  .keeps = choice_.keeps,
                  .image_step = image_step};
    const auto& there = seen_.of(service.name);
    if (const auto found = there.find(number); found != there.end()) params.existing = found->second.id;
    for (const auto& [name, dependency] : service.depends_on)
      if (const auto creates = creates_.find(name); dependency.restart && creates != creates_.end())
        append(params.restarts_with, creates->second);
    return params;
  }

  // C4.4: pre_start runs once, against the replica with the lowest number; per_replica entries for each
  // (C4.14).
  std::map<int, Keys> add_pre_start(const Service& service, const Keys& created, int replicas) {
    std::map<int, Keys> initialised;
    for (int n = 1; n <= replicas; ++n) {
      std::vector<const model::Hook*> hooks;
      for (const auto* hook : service.hooks_of(Phase::pre_start))
        if ((n == 1 || hook->per_replica) && !choice_.restarted.contains(service.name) && !choice_.put_back)
          hooks.push_back(hook);
      auto after = created;
      if (n == 1) append(after, remove_kept(service.name));
      auto like = because(reason(service.name));
      like.create_step = "create " + replica(service.name, n);
      if (n == 1) like.gate = created;
      initialised[n] =
          graph_.add_hooks(hooks, n == 1 ? service.name : replica(service.name, n), after, like, false);
    }
    return initialised;
  }

  // The step whose result is the image that the service's containers are made from.
  std::string image_step_of(const Service& service) const {
    const auto image = image_of(spec_, service);
    return translate::has_build_hooks(service)
               ? derived_.at(image + " " + translate::build_hooks_key(service))
               : images_.at(image);
  }

  // C4.11: containers of pre_start entries that failed at an earlier up.
  Keys remove_kept(const std::string& service) {
    Keys removed;
    const auto kept = choice_.kept_hooks.find(service);
    if (kept == choice_.kept_hooks.end()) return removed;
    for (const auto& container : kept->second)
      removed.push_back(graph_.add("remove " + container.name, service,
                                   Remove{container.id, container.name, true}, gate_, true));
    return removed;
  }

  Keys add_process(const Service& service, Keys needs) {
    append(needs, orphans_ended_);
    if (const auto stopped = stopped_.find(service.name); stopped != stopped_.end())
      append(needs, stopped->second);
    if (!optional_.contains(service.name)) settle_.processes.push_back(service.name);
    auto& start = starts_[service.name];
    start = {graph_.add("start " + service.name, service.name, StartProcess{choice_.force_recreate}, needs)};
    return start;
  }

  Keys add_readiness(const Service& service, Keys needs) {
    const bool optional = optional_.contains(service.name);
    const auto ready = "ready " + service.name;
    if (service.container) {
      const auto& creates = creates_[service.name];
      if (creates.empty()) return needs;  // scaled to none
      // Whether the image brings a healthcheck is known only when the container is there, so the step is
      // always in.
      const Ready params{creates, images_.at(image_of(spec_, service)),
                         awaited_healthy_.contains(service.name), optional};
      needs = {graph_.add(ready, service.name, params, needs)};
    } else {
      needs = {graph_.add(ready, service.name, ReadyProcess{optional}, needs)};
    }
    // A replica that joins others that are ready makes the service no readier; one that the engine has
    // restarted does.
    auto like = because(reason(service.name));
    like.ready_step = ready;
    const auto& starts = starts_[service.name];
    like.started_by = {starts.front()};
    for (std::size_t i = 1; i < starts.size(); ++i)
      if (restarted(service.name, static_cast<int>(i) + 1)) like.started_by.push_back(starts[i]);
    const auto hooks = service.hooks_of(Phase::after_ready);
    like.due = due_of(service, Phase::after_ready);
    append(needs, network_for(hooks, network_needs("default")));
    return graph_.add_hooks(hooks, service.name, needs, like, false);
  }

  const model::Spec& spec_;
  const UpChoice& choice_;
  const Snapshot& seen_;
  Order order_;
  Graph graph_;
  Keys gate_, orphans_ended_;
  std::set<std::string> added_, awaited_healthy_, optional_;
  std::map<std::string, std::string> images_, networks_, volumes_, completed_, derived_;
  std::map<std::string, Keys> started_, ready_, stopped_, creates_, starts_;
  Settle settle_;
};

}  // namespace

std::vector<operations::StepPlan> up_graph(const model::Spec& spec, const UpChoice& choice,
                                           const Snapshot& seen) {
  return UpGraph(spec, choice, seen).build();
}

}  // namespace stackd::plan
