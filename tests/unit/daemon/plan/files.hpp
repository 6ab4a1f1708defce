// Stack files and what is there of them, in few words: the two things that a plan is made from.
//
//   File file;
//   file.container("db").hook("post_start");
//   file.process("api").after("db", model::Condition::healthy);
//   auto there = There::all(file).container("db", 1, "paused");
//
// A container of service web is called web-1, its id is "#web-1", and its image (unless it has another)
// "web". It is on the network "default". What is there was made by the operation "earlier"; "now" is the one
// that is planned.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "daemon/model/stack.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/translate/build_hooks.hpp"
#include "daemon/translate/definitions.hpp"
#include "daemon/translate/images.hpp"

namespace stackd::test {

using Tweak = std::function<void(model::Hook&)>;

// Appends an entry as the loader would: by its place in the list of its phase.
inline model::Hook& add_hook(std::vector<model::Hook>& hooks, const std::string& service,
                             const std::string& phase, const Tweak& tweak = {}) {
  const auto known = model::phase_from(phase);
  if (!known) throw std::logic_error("there is no phase " + phase);
  model::Hook hook;
  hook.phase = *known;
  hook.service = service;
  hook.shell = "true";
  for (const auto& other : hooks) hook.index += other.phase == hook.phase;
  if (tweak) tweak(hook);
  return hooks.emplace_back(std::move(hook));
}
// `count` entries that run at the same time.
inline void add_group(std::vector<model::Hook>& hooks, const std::string& service, const std::string& phase,
                      int count) {
  int group = 0;
  for (const auto& other : hooks) group = std::max(group, other.group + 1);
  for (int i = 0; i < count; ++i) add_hook(hooks, service, phase).group = group;
}

// A service of a File, to say more of it. Valid until the next one is added.
class ServiceWords {
public:
  explicit ServiceWords(model::Service& service) : service_(service) {}
  model::Service& operator*() const { return service_; }
  model::Service* operator->() const { return &service_; }

  ServiceWords& after(const std::string& other, model::Dependency dependency = {}) {
    service_.depends_on[other] = dependency;
    service_.depends_on_given = true;
    return *this;
  }
  ServiceWords& after(const std::string& other, model::Condition condition) {
    return after(other, {.condition = condition});
  }
  // depends_on with restart: true
  ServiceWords& restarts_with(const std::string& other) { return after(other, {.restart = true}); }
  // depends_on: []
  ServiceWords& after_nothing() {
    service_.depends_on_given = true;
    return *this;
  }
  // network_mode: service:OTHER, and what the loader makes of it.
  ServiceWords& shares(const std::string& other) {
    service_.container->network_mode = "service:" + other;
    service_.container->networks.clear();
    return restarts_with(other);
  }
  ServiceWords& hook(const std::string& phase, const Tweak& tweak = {}) {
    add_hook(service_.hooks, service_.name, phase, tweak);
    return *this;
  }
  ServiceWords& group(const std::string& phase, int count) {
    add_group(service_.hooks, service_.name, phase, count);
    return *this;
  }
  ServiceWords& scale(int replicas) {
    service_.container->scale = replicas;
    return *this;
  }
  ServiceWords& image(const std::string& reference) {
    service_.container->image = reference;
    return *this;
  }
  ServiceWords& built() {
    service_.container->build.emplace().context = "/s";
    return *this;
  }
  ServiceWords& on(const std::string& network) {
    service_.container->networks.try_emplace(network);
    return *this;
  }
  ServiceWords& only_on(const std::string& network) {
    service_.container->networks.clear();
    return on(network);
  }
  ServiceWords& mounts(const std::string& volume) {
    service_.container->mounts.push_back({.type = "volume", .source = volume, .target = "/" + volume});
    return *this;
  }
  // A host port; without a number one that stackd chooses.
  ServiceWords& port(int published = 0, const std::function<void(model::Port&)>& tweak = {}) {
    model::Port port{.key = std::to_string(service_.ports.size()), .target = 80, .published = published};
    if (tweak) tweak(port);
    service_.ports.push_back(std::move(port));
    return *this;
  }

private:
  model::Service& service_;
};

struct File {
  model::Spec spec;

  File() {
    spec.name = "s";
    spec.directory = "/s";
    network("default");
  }

  ServiceWords container(const std::string& name) { return add_container(spec.services, name); }
  ServiceWords process(const std::string& name) {
    return add_process(spec.services, name, model::ServiceKind::process);
  }
  ServiceWords oneshot(const std::string& name) {
    return add_process(spec.services, name, model::ServiceKind::oneshot);
  }
  // Of an earlier up; the file does not have them any more, or not of this kind.
  ServiceWords gone_container(const std::string& name) { return add_container(spec.gone, name); }
  ServiceWords gone_process(const std::string& name) {
    return add_process(spec.gone, name, model::ServiceKind::process);
  }
  ServiceWords gone_oneshot(const std::string& name) {
    return add_process(spec.gone, name, model::ServiceKind::oneshot);
  }
  // It has a profile that was not chosen.
  void off(const std::string& name) { spec.disabled.push_back(name); }

  void hook(const std::string& phase, const Tweak& tweak = {}) { add_hook(spec.hooks, "", phase, tweak); }
  void group(const std::string& phase, int count) { add_group(spec.hooks, "", phase, count); }
  model::Network& network(const std::string& key) {
    auto& network = spec.networks[key];
    network.name = "s_" + key;
    return network;
  }
  model::Volume& volume(const std::string& key) {
    auto& volume = spec.volumes[key];
    volume.name = "s_" + key;
    return volume;
  }
  ServiceWords operator[](const std::string& name) {
    for (auto& service : spec.services)
      if (service.name == name) return ServiceWords(service);
    throw std::logic_error("the file has no service " + name);
  }

  model::Stack stack() const {
    return {"s-1", std::make_shared<model::Spec>(spec), std::make_shared<model::Facts>()};
  }

private:
  static ServiceWords add_container(std::vector<model::Service>& list, const std::string& name) {
    auto& service = list.emplace_back();
    service.name = name;
    service.container.emplace().image = name;
    service.container->networks.try_emplace("default");
    return ServiceWords(service);
  }
  static ServiceWords add_process(std::vector<model::Service>& list, const std::string& name,
                                  model::ServiceKind kind) {
    auto& service = list.emplace_back();
    service.name = name;
    service.kind = kind;
    service.process.emplace().cmd = "run " + name;
    return ServiceWords(service);
  }
};

inline std::string id_of(const std::string& service, int number = 1) {
  return "#" + service + "-" + std::to_string(number);
}

// What is there of a file: at first its networks, volumes and images, and no service.
struct There {
  model::Stack stack;
  plan::Snapshot seen;

  explicit There(const File& file) : stack(file.stack()) {
    const auto& spec = *stack.spec;
    seen.engine = plan::needs_engine(spec);
    for (const auto& [key, network] : spec.networks)
      seen.networks[key] = {"net:" + key, network.name, translate::definition_of(network)};
    for (const auto& [key, volume] : spec.volumes)
      seen.volumes[key] = {"", volume.name, translate::definition_of(volume)};
    std::set<std::string> names;
    for (const auto& service : spec.services) names.insert(service.name);
    for (const auto& reference : plan::images_of(stack, names)) image(reference);
    for (const auto& tag : plan::derived_images_of(stack, names, seen)) image(tag);
  }
  // Everything of the file runs as the file says, and the last up worked.
  static There all(const File& file) {
    There there(file);
    for (const auto& service : file.spec.services) {
      if (service.container)
        for (int n = 1; n <= service.container->scale; ++n) there.container(service.name, n);
      else if (service.kind == model::ServiceKind::oneshot)
        there.done(service.name);
      else
        there.process(service.name);
    }
    return there.up();
  }

  There& up() {
    seen.up = seen.touched = true;
    return *this;
  }
  There& image(const std::string& reference, const std::string& id = "") {
    auto& details = seen.images[reference].emplace();
    details.id = id.empty() ? "sha256:" + reference : id;
    return *this;
  }
  There& container(const std::string& name, int number = 1, const std::string& state = "running") {
    plan::Container container{id_of(name, number), "s-" + name + "-" + std::to_string(number), name, number,
                              state};
    container.operation = "earlier";
    if (const auto* service = stack.spec->find(name); service && service->container) {
      std::map<std::string, std::string> first;
      for (const auto& other : stack.spec->services)
        if (other.container && other.container->scale > 0) first[other.name] = id_of(other.name);
      container.definition = translate::container_definition(stack, *service, first);
      const auto derived = plan::derived_images_of(stack, {name}, seen);
      container.image_id =
          "sha256:" + (derived.empty() ? translate::image_of(*stack.spec, *service) : *derived.begin());
      for (const auto& [network, unused] : service->container->networks)
        container.network_ids.push_back("net:" + network);
    }
    seen.containers[name][number] = std::move(container);
    return *this;
  }
  There& process(const std::string& name, bool alive = true) {
    auto& process = seen.processes[name];
    process.alive = alive;
    process.operation = "earlier";
    if (const auto* service = stack.spec->find(name); service && service->process)
      process.definition = translate::process_definition(stack, *service);
    return *this;
  }
  // A oneshot that has ended well.
  There& done(const std::string& name) {
    process(name, false);
    seen.processes[name].done = true;
    return *this;
  }
  // Made from something else than the file says now.
  There& outdated(const std::string& name) {
    for (auto& [number, container] : seen.containers[name]) container.definition = "another";
    if (seen.containers[name].empty()) seen.containers.erase(name);
    if (const auto process = seen.processes.find(name); process != seen.processes.end())
      process->second.definition = "another";
    return *this;
  }
  // A pre_start container that failed and was kept.
  There& kept_hook(const std::string& service, const std::string& operation = "earlier") {
    plan::Container container{"#hook-of-" + service, "hook_of_" + service, service, 1, "exited"};
    container.operation = operation;
    seen.hook_containers.push_back(std::move(container));
    return *this;
  }
  There& failed_hook(const std::string& service, const std::string& phase, int index = 0,
                     const std::string& container = "") {
    seen.failed_hooks.push_back({service, *model::phase_from(phase), index, container});
    return *this;
  }
  There& restarted(const std::string& service, int number = 1) {
    seen.restarted[service].insert(number);
    return *this;
  }
  // By the operation that is planned or taken back.
  There& made_now(const std::string& name) {
    if (seen.containers.contains(name))
      for (auto& [number, container] : seen.containers[name]) container.operation = "now";
    if (seen.processes.contains(name)) seen.processes[name].operation = "now";
    return *this;
  }
  There& without(const std::string& name) {
    seen.containers.erase(name);
    seen.processes.erase(name);
    return *this;
  }
};

}  // namespace stackd::test
