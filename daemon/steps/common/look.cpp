#include "daemon/steps/common/look.hpp"

#include <algorithm>

#include "daemon/async/deadline.hpp"
#include "daemon/hooks/judge.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/store/kept.hpp"
#include "daemon/translate/build_hooks.hpp"
#include "daemon/translate/images.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/world/stack_state.hpp"
#include "daemon/world/starts.hpp"

namespace stackd::steps {
namespace {

namespace label = translate::label;
using translate::label_of;

plan::Container container_from(const docker::ContainerSummary& summary) {
  plan::Container container;
  container.id = summary.id;
  container.name = summary.name;
  container.service = label_of(summary, label::k_service);
  container.number = translate::number_of(summary.labels);
  container.state = summary.state;
  container.definition = label_of(summary, label::k_hash);
  container.image_id = label_of(summary, label::k_image);
  container.operation = label_of(summary, label::k_operation);
  container.network_ids = summary.network_ids;
  return container;
}

docker::Filters of_stack(const std::string& stack) {
  return {{"label", std::string(label::k_stack) + "=" + stack}};
}

void sort(const docker::ContainerSummary& summary, plan::Snapshot& seen) {
  auto container = container_from(summary);
  if (translate::is_kept(summary.id, summary.name)) {
    seen.kept.push_back(std::move(container));
  } else if (!label_of(summary, label::k_hook).empty()) {
    seen.hook_containers.push_back(std::move(container));
  } else if (label_of(summary, label::k_oneoff) == "True") {
    seen.oneoffs.push_back(std::move(container));
  } else if (container.service.empty()) {
    // Its image is this stack's, with the image's labels. One of a build that was cut short is ours to
    // remove; one that somebody made from the finished image is not.
    if (!container.runs() && container.operation.empty())
      seen.hook_containers.push_back(std::move(container));
  } else {
    auto& containers = seen.containers[container.service];
    const auto number = container.number;
    containers.emplace(number, std::move(container));
  }
}

// Networks or volumes that this stack has made, by the key in the file.
template <class Details>
std::map<std::string, plan::Made> made(const std::vector<Details>& all, const char* key_label) {
  std::map<std::string, plan::Made> found;
  for (const auto& one : all) {
    const auto key = label_of(one.labels, key_label), definition = label_of(one.labels, label::k_definition);
    if (key.empty() || definition.empty()) continue;
    plan::Made thing{"", one.name, definition};
    if constexpr (requires { one.id; }) thing.id = one.id;
    found[key] = std::move(thing);
  }
  return found;
}

awaitable<void> look_at_images(Tools& tools, std::set<std::string> references, plan::Snapshot& seen) {
  for (const auto& reference : references) {
    if (seen.images.contains(reference)) continue;
    auto details = co_await tools.engine.inspect_image(reference);
    seen.images[reference] = std::move(details);
  }
}

// The image that an entry in a container would find itself in: its digest is one of the inputs.
awaitable<std::string> image_of_entry(Tools& tools, model::Stack stack, model::Hook hook,
                                      const plan::Snapshot& seen) {
  const auto place = resolve::place_of(hook);
  if (!seen.engine || place == model::HookPlace::host || place == model::HookPlace::build) co_return "";
  const auto own_image = hook.run_in_image.empty() ? hook.image : hook.run_in_image;
  if (place == model::HookPlace::container && !own_image.empty()) {
    const auto there = co_await tools.engine.inspect_image(own_image);
    co_return there ? there->id : "";
  }
  const auto* service = stack.spec->find(hook.run_in.empty() ? hook.service : hook.run_in);
  if (!service || !service->container) co_return "";
  const auto* image = plan::made_from(stack, *service, seen);
  co_return image ? image->id : "";
}

awaitable<plan::HookOutlook> outlook_of(Tools& tools, model::Stack stack, model::Hook hook,
                                        const plan::Snapshot& seen) {
  hooks::HookJob job;
  job.spec = stack.spec;
  job.facts = stack.facts;
  job.hook = hook;
  job.about.stack_id = stack.id;
  job.about.profile = stack.spec->profile;
  job.about.previous = seen.previous;
  std::string image;
  if (hook.run == model::RunPolicy::changed) image = co_await image_of_entry(tools, stack, hook, seen);
  job.inputs = co_await hooks::state_for(tools.hook_tools, stack, hook, image);
  auto judged = co_await hooks::judge(tools.journal, job);
  plan::HookOutlook outlook{hook.service,          hook.phase,       hook.index, std::move(judged.skip),
                            std::move(judged.due), judged.by_memory, {}};
  if (hook.phase == model::Phase::pre_start) {
    auto query = [stack = stack.id, hook, definition = hooks::definition_of(job)](store::Database& db) {
      return store::HookRuns::containers_of(db, stack, hook.service, model::to_string(hook.phase),
                                            definition);
    };
    outlook.worked = co_await tools.journal.run(query);
  }
  co_return outlook;
}

}  // namespace

namespace {

// C10.4: what Compose has left of the project, as far as an up takes it for its own.
void take_stranger(const model::Spec& spec, const docker::ContainerSummary& summary, bool adopt,
                   plan::Snapshot& seen) {
  if (!translate::is_of_compose(summary)) return;
  auto container = container_from(summary);
  const auto& off = spec.disabled;
  const bool known =
      spec.find(container.service) || std::find(off.begin(), off.end(), container.service) != off.end();
  const bool taken_over = adopt && spec.find(container.service);
  if ((known && !taken_over) || translate::is_kept(summary.id, summary.name)) return;
  container.foreign = true;
  const auto number = container.number;
  seen.containers[container.service].emplace(number, std::move(container));
}

// The store's rows, and the runs that they tell of.
awaitable<void> look_at_rows(Tools& tools, model::Stack stack, plan::Snapshot& seen) {
  struct Rows {
    std::vector<store::ProcessRow> processes;
    world::StackState state;
    bool former = false;
    std::vector<store::KeptRow> kept;
  };
  auto query = [id = stack.id](store::Database& db) {
    return Rows{store::Processes::of_stack(db, id), world::state_of(db, id), store::Former::exists(db, id),
                store::Kept::of_stack(db, id)};
  };
  const auto rows = co_await tools.journal.run(query);
  seen.up = rows.state.up;
  seen.touched = rows.state.touched;
  seen.former = rows.former;
  for (const auto& row : rows.kept)
    if (!row.container.empty()) seen.taken.insert(row.container);
  // What an adoption keeps has none of our labels (X37).
  for (const auto& row : rows.kept) {
    const auto is_it = [&](const auto& kept) { return kept.id == row.container; };
    if (!seen.engine || row.container.empty() || !row.aside ||
        std::any_of(seen.kept.begin(), seen.kept.end(), is_it))
      continue;
    const auto there = co_await tools.engine.inspect_container(row.container);
    if (!there || !label_of(there->labels, label::k_stack).empty()) continue;
    plan::Container kept;
    kept.id = there->id;
    kept.name = there->name;
    kept.service = row.service;
    kept.state = there->state;
    seen.kept.push_back(std::move(kept));
  }
  std::vector<std::filesystem::path> runs;
  for (const auto& row : rows.processes) runs.push_back(row.run_directory);
  const auto looks = co_await tools.runs.look_at(runs);
  for (std::size_t index = 0; index < runs.size(); ++index) {
    const auto& row = rows.processes[index];
    auto& process = seen.processes[row.service];
    process.alive = looks[index].running();
    process.done = looks[index].done();
    process.definition = row.definition;
    process.operation = row.operation_id;
  }
}

}  // namespace

awaitable<std::vector<docker::ContainerSummary>> list_project(Tools& tools, std::string project) {
  const docker::Filters filters{{"label", std::string(label::k_project) + "=" + project}};
  return tools.engine.list_containers(filters);
}

awaitable<Lists> list_all(Tools& tools, std::string stack, const model::Spec& spec) {
  using namespace asio::experimental::awaitable_operators;
  const auto own = of_stack(stack);
  std::set<std::string> references;
  for (const auto& service : spec.services)
    if (service.container) references.insert(translate::image_of(spec, service));
  docker::Filters named;
  for (const auto& reference : references) named.emplace_back("reference", reference);
  Lists lists;
  lists.asked_at = util::now_ms();
  auto all = list_project(tools, spec.name) && tools.engine.list_images(named) &&
             tools.engine.list_networks(own) && tools.engine.list_volumes(own);
  auto answers = co_await std::move(all);
  lists.containers = std::move(std::get<0>(answers));
  lists.images = std::move(std::get<1>(answers));
  lists.networks = std::move(std::get<2>(answers));
  lists.volumes = std::move(std::get<3>(answers));
  co_return lists;
}

awaitable<plan::Snapshot> look(Tools& tools, model::Stack stack) {
  plan::Snapshot seen;
  seen.engine = plan::needs_engine(*stack.spec);
  if (seen.engine) {
    const auto filters = of_stack(stack.id);
    const auto containers = co_await tools.engine.list_containers(filters);
    for (const auto& container : containers) sort(container, seen);
  }
  co_await look_at_rows(tools, stack, seen);
  co_return seen;
}

awaitable<plan::Snapshot> look_listed(Tools& tools, model::Stack stack, const Lists& lists) {
  plan::Snapshot seen;
  seen.engine = plan::needs_engine(*stack.spec);
  for (const auto& container : lists.containers)
    if (label_of(container, label::k_stack) == stack.id) sort(container, seen);
  for (const auto& container : lists.containers) take_stranger(*stack.spec, container, false, seen);
  seen.networks = made(lists.networks, label::k_network);
  seen.volumes = made(lists.volumes, label::k_volume);
  // What is built upon an image has to know more of it than its id.
  for (const auto& service : stack.spec->services) {
    if (!service.container || translate::has_build_hooks(service)) continue;
    const auto reference = translate::image_of(*stack.spec, service);
    if (const auto* image = translate::find_image(lists.images, reference)) {
      docker::ImageDetails details;
      details.id = image->id;
      seen.images.emplace(reference, std::move(details));
    }
  }
  for (const auto& service : stack.spec->services)
    if (service.container && translate::has_build_hooks(service))
      seen.images.erase(translate::image_of(*stack.spec, service));
  co_await look_at_rows(tools, stack, seen);
  co_return seen;
}

awaitable<void> look_for_strangers(Tools& tools, model::Stack stack, bool adopt, plan::Snapshot& seen) {
  if (!seen.engine) co_return;
  const auto containers = co_await list_project(tools, stack.spec->name);
  for (const auto& container : containers) take_stranger(*stack.spec, container, adopt, seen);
}

awaitable<void> look_for_made(Tools& tools, model::Stack stack, plan::Snapshot& seen) {
  if (!seen.engine) co_return;
  const auto filters = of_stack(stack.id);
  const auto networks = co_await tools.engine.list_networks(filters);
  seen.networks = made(networks, label::k_network);
  const auto volumes = co_await tools.engine.list_volumes(filters);
  seen.volumes = made(volumes, label::k_volume);
}

awaitable<void> look_for_others(Tools& tools, model::Stack stack, plan::Snapshot& seen) {
  if (!seen.engine) co_return;
  for (const auto& [key, network] : stack.spec->networks) {
    if (seen.networks.contains(key)) continue;
    const auto there = co_await tools.engine.inspect_network(network.name);
    if (there) seen.others.insert(network.name);
  }
  for (const auto& [key, volume] : stack.spec->volumes) {
    if (seen.volumes.contains(key)) continue;
    const auto there = co_await tools.engine.inspect_volume(volume.name);
    if (there) seen.others.insert(volume.name);
  }
}

awaitable<void> look_at_hooks(Tools& tools, model::Stack stack, model::Direction direction, Entries which,
                              std::set<std::string> services, plan::Snapshot& seen) {
  std::vector<model::Hook> entries = stack.spec->hooks;
  for (const auto& service : stack.spec->services)
    if (services.contains(service.name))
      entries.insert(entries.end(), service.hooks.begin(), service.hooks.end());
  for (const auto& hook : entries) {
    const bool remembers = hook.run == model::RunPolicy::once || hook.run == model::RunPolicy::changed;
    if (model::row_of(hook.phase).direction != direction || remembers != (which == Entries::with_memory))
      continue;
    auto outlook = co_await outlook_of(tools, stack, hook, seen);
    seen.hooks.push_back(std::move(outlook));
  }
}

awaitable<void> look_for_up(Tools& tools, model::Stack stack, store::OperationRow operation,
                            std::set<std::string> services, plan::Snapshot& seen, bool listed) {
  struct Past {
    std::optional<store::OperationRow> operation;
    std::vector<store::HookRunRow> failed;
  };
  auto query = [id = stack.id, operation](store::Database& db) {
    return Past{store::Operations::before(db, operation), store::HookRuns::failed_last(db, id)};
  };
  const auto past = co_await tools.journal.run(query);
  seen.previous = past.operation ? past.operation->state : "";
  for (const auto& row : past.failed)
    if (const auto phase = model::phase_from(row.phase); phase && model::row_of(*phase).after_start)
      seen.failed_hooks.push_back({row.service, *phase, row.index, row.container});
  if (seen.engine) {
    co_await look_at_images(tools, plan::images_of(stack, services), seen);
    co_await look_at_images(tools, plan::derived_images_of(stack, services, seen), seen);
    if (!listed) co_await look_for_made(tools, stack, seen);
    seen.restarted =
        co_await world::restarted_replicas(tools.journal, tools.engine, tools.monitor, stack, services);
  }
  co_await look_at_hooks(tools, stack, model::Direction::up, Entries::with_memory, services, seen);
}

awaitable<void> look_for_one_off(Tools& tools, model::Stack stack, std::set<std::string> services,
                                 plan::Snapshot& seen) {
  if (!seen.engine) co_return;
  co_await look_at_images(tools, plan::images_of(stack, services), seen);
  co_await look_at_images(tools, plan::derived_images_of(stack, services, seen), seen);
}

}  // namespace stackd::steps
