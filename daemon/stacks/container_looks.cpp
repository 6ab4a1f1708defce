// What containers are made from, what they use, what happens to them; and the ends of one's own command.
#include <algorithm>
#include <set>
#include <tuple>

#include "daemon/async/task_group.hpp"
#include "daemon/stacks/containers.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/stacks/talk.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/time.hpp"

namespace stackd::stacks {
namespace {

namespace label = translate::label;
using docker::ContainerSummary;
using translate::label_of;
using util::Error;
using util::ErrorKind;

// Replicas of these services, or of all; by service and number.
awaitable<std::vector<ContainerSummary>> replicas_of(Parts& parts, std::string stack,
                                                     std::vector<std::string> services) {
  const auto model = co_await parts.models.get(stack);
  for (const auto& service : services) check_service(model, service);
  const docker::Filters filters{{"label", std::string(label::k_stack) + "=" + stack}};
  auto found = co_await parts.engine.list_containers(filters);
  std::erase_if(found, [&](const ContainerSummary& one) {
    const auto service = label_of(one, label::k_service);
    const bool wanted =
        services.empty() || std::find(services.begin(), services.end(), service) != services.end();
    return !wanted || service.empty() || !label_of(one, label::k_hook).empty() ||
           label_of(one, label::k_oneoff) == "True" || translate::is_kept(one.id, one.name);
  });
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  co_return found;
}

// "registry:5000/app:1.2" as repository and tag; a digest is neither.
std::pair<std::string, std::string> parts_of(const std::string& reference) {
  const auto name = reference.substr(0, reference.find('@'));
  const auto colon = name.rfind(':');
  if (colon == std::string::npos || name.find('/', colon) != std::string::npos) return {name, "latest"};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

// One that ends meanwhile uses nothing.
void measure(Parts& parts, async::TaskGroup& tasks, proto::StatsRow& row) {
  tasks.spawn("usage of " + row.name, [&parts, &row]() -> awaitable<void> {
    docker::Usage usage;
    try {
      usage = co_await parts.engine.usage(row.id);
    } catch (const Error&) {
    }
    row.cpu_percent = usage.cpu_percent;
    row.memory_bytes = usage.memory;
    row.memory_limit = usage.memory_limit;
    row.network_in = usage.network_in;
    row.network_out = usage.network_out;
    row.block_in = usage.block_in;
    row.block_out = usage.block_out;
    row.pids = usage.pids;
  });
}

}  // namespace

awaitable<std::vector<proto::ImageRow>> Manager::container_images(std::string name) {
  const auto stack = co_await find_stack(parts_, name);
  const auto containers = co_await replicas_of(parts_, stack.id, {});
  std::vector<proto::ImageRow> rows;
  for (const auto& container : containers) {
    proto::ImageRow row{.container = container.name, .service = label_of(container, label::k_service)};
    row.id = container.image_id;
    std::tie(row.repository, row.tag) = parts_of(container.image);
    const auto image = co_await parts_.engine.inspect_image(container.image_id);
    if (image) {
      row.platform = image->platform;
      row.size = image->size;
      row.created_at = image->created_at;
    }
    rows.push_back(std::move(row));
  }
  co_return rows;
}

awaitable<proto::Stats> Manager::stats(std::string name, std::vector<std::string> services, bool all) {
  const auto stack = co_await find_stack(parts_, name);
  const auto containers = co_await replicas_of(parts_, stack.id, services);
  proto::Stats stats;
  for (const auto& container : containers)
    if (all || container.state == "running")
      stats.rows.push_back(
          {.id = container.id, .name = container.name, .service = label_of(container, label::k_service)});
  async::TaskGroup tasks(parts_.executor);
  std::set<std::string> running;
  for (const auto& container : containers)
    if (container.state == "running") running.insert(container.id);
  for (auto& row : stats.rows)
    if (running.contains(row.id)) measure(parts_, tasks, row);
  // Those of this host are measured meanwhile, over the same second.
  auto measuring = top(stack.id);
  const auto used = co_await tasks.during(std::move(measuring));
  for (const auto& service : used.services) {
    const bool wanted =
        services.empty() || std::find(services.begin(), services.end(), service.name) != services.end();
    if (service.kind == "container" || !wanted || (service.processes.empty() && !all)) continue;
    proto::StatsRow row{.name = service.name, .service = service.name};
    row.cpu_percent = service.cpu_percent.value_or(0);
    row.memory_bytes = service.memory_bytes.value_or(0);
    row.pids = static_cast<int>(service.processes.size());
    stats.rows.push_back(std::move(row));
  }
  co_return stats;
}

awaitable<void> Manager::container_events(std::string name, std::vector<std::string> services,
                                          std::string since, std::string until, ContainerEventSink sink) {
  const auto stack = co_await find_stack(parts_, name);
  const docker::Filters filters{{"type", "container"},
                                {"label", std::string(label::k_stack) + "=" + stack.id}};
  auto tell = [&services, &sink](docker::Event event) -> awaitable<void> {
    const auto value = [&](const char* key) {
      const auto found = event.attributes.find(key);
      return found == event.attributes.end() ? std::string() : found->second;
    };
    proto::ContainerEvent told{.action = event.action, .id = event.id, .service = value(label::k_service)};
    const bool wanted =
        services.empty() || std::find(services.begin(), services.end(), told.service) != services.end();
    if (!wanted || !value(label::k_hook).empty() || value(label::k_oneoff) == "True") co_return;
    told.at = util::format_time(event.time_nano / 1'000'000);
    for (const auto& [key, text] : event.attributes)
      if (!key.starts_with("com.docker.compose.") && !key.starts_with("dev.stackd."))
        told.attributes[key] = text;
    co_await sink(std::move(told));
  };
  co_await parts_.engine.tell_events(filters, since, until, tell);
}

awaitable<proto::ExecResult> Manager::attach(std::string name, proto::AttachRequest request, ExecEnds ends) {
  const auto stack = co_await find_stack(parts_, name);
  const auto model = co_await parts_.models.get(stack.id);
  const auto container = co_await running_container(parts_, model, request.service, request.index);
  const auto details = co_await parts_.engine.inspect_container(container.id);
  if (!details) throw Error(ErrorKind::failed, "container " + container.name + " is gone");
  const bool input = request.input && model.service(request.service).container->stdin_open;
  Talk::Command command;
  std::shared_ptr<docker::Ending> ending = co_await parts_.engine.ending_of(container.id, false);
  command.attached = co_await parts_.engine.attach_container(container.id, details->tty, input);
  command.exit_code = [ending] { return ending->exit_code(); };
  command.resize = [this, id = container.id](int rows, int columns) {
    return parts_.engine.resize_container(id, rows, columns);
  };
  command.signal = [this, id = container.id](std::string signal) -> awaitable<void> {
    if (signal_number(signal) != 0) co_await parts_.engine.kill_container(id, signal);
  };
  Talk talk(std::move(command), ends);
  if (details->tty) co_await talk.resize(request.size);
  const proto::ExecStarted started{
      "",          container.id, request.service, container.name, translate::number_of(container.labels),
      details->tty};
  co_await ends.started(started);
  co_await talk.run();
  co_return proto::ExecResult{
      .container = container.name, .container_id = container.id, .exit_code = talk.exit_code()};
}

}  // namespace stackd::stacks
