// What Compose has for containers as they are: nothing is planned, and no operation remembers it.
#include <signal.h>

#include <algorithm>

#include "daemon/docker/words.hpp"
#include "daemon/stacks/containers.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/steps/common/save_log.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {
namespace {

namespace label = translate::label;
using docker::ContainerSummary;
using translate::label_of;
using util::Error;
using util::ErrorKind;

// Of every service and one-off, by service and number; those of hooks are none.
awaitable<std::vector<ContainerSummary>> all_containers(Parts& parts, std::string stack) {
  const docker::Filters filters{{"label", std::string(label::k_stack) + "=" + stack}};
  auto found = co_await parts.engine.list_containers(filters);
  std::erase_if(found, [](const auto& container) { return !label_of(container, label::k_hook).empty(); });
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    const auto key = [](const ContainerSummary& container) {
      return std::tuple(label_of(container, label::k_service), translate::number_of(container.labels),
                        container.name);
    };
    return key(a) < key(b);
  });
  co_return found;
}

proto::ContainerRow row_of(const ContainerSummary& container, const model::Spec& spec) {
  proto::ContainerRow row;
  row.id = container.id;
  row.name = container.name;
  row.service = label_of(container, label::k_service);
  row.image = container.image;
  row.command = container.command;
  row.state = container.state;
  row.status = container.status;
  row.health = docker::health_in(container.status);
  row.created_at = util::format_time(container.created * 1000);
  row.number = translate::number_of(container.labels);
  row.exit_code = docker::exit_code_in(container.status);
  row.oneoff = label_of(container, label::k_oneoff) == "True";
  row.orphan = !row.oneoff && !spec.find(row.service);
  for (const auto& port : container.ports)
    row.ports.push_back({port.ip, port.protocol, port.outside, port.inside});
  return row;
}

struct Chosen {
  model::Stack stack;
  std::vector<ContainerSummary> containers;  // of the services that were named, else of all
  std::vector<std::string> processes;        // likewise
};

awaitable<Chosen> chosen(Parts& parts, std::string name, proto::ContainersRequest request) {
  const auto row = co_await find_stack(parts, name);
  Chosen chosen;
  chosen.stack = co_await parts.models.get(row.id);
  for (const auto& service : request.services) check_service(chosen.stack, service);
  if (!request.no_wait) co_await until_quiet(parts, row.id);
  const auto wanted = [&](const std::string& service) {
    return request.services.empty() ||
           std::find(request.services.begin(), request.services.end(), service) != request.services.end();
  };
  for (const auto& service : chosen.stack.spec->services)
    if (!service.container && wanted(service.name)) chosen.processes.push_back(service.name);
  chosen.containers = co_await all_containers(parts, row.id);
  std::erase_if(chosen.containers, [&](const ContainerSummary& container) {
    return label_of(container, label::k_oneoff) == "True" || !wanted(label_of(container, label::k_service));
  });
  co_return chosen;
}

// Of a process that was named: it cannot be done to it.
void refuse_processes(const Chosen& chosen, const proto::ContainersRequest& request, const char* what) {
  if (request.services.empty() || chosen.processes.empty()) return;
  throw Error(ErrorKind::invalid_request, std::string("cannot ") + what + " service '" +
                                              chosen.processes.front() +
                                              "': it has no containers, it runs on this host");
}

}  // namespace

awaitable<std::vector<proto::ContainerRow>> Manager::containers(std::string name) {
  const auto row = co_await find_stack(parts_, name);
  const auto stack = co_await parts_.models.get(row.id);
  const auto found = co_await all_containers(parts_, row.id);
  std::vector<proto::ContainerRow> rows;
  for (const auto& container : found) rows.push_back(row_of(container, *stack.spec));
  co_return rows;
}

awaitable<std::vector<proto::VolumeView>> Manager::volumes(std::string name) {
  const auto row = co_await find_stack(parts_, name);
  const docker::Filters filters{{"label", std::string(label::k_stack) + "=" + row.id}};
  const auto found = co_await parts_.engine.list_volumes(filters);
  std::vector<proto::VolumeView> views;
  for (const auto& volume : found) views.push_back({volume.name, volume.driver, volume.mountpoint});
  std::sort(views.begin(), views.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  co_return views;
}

awaitable<proto::ContainersDone> Manager::kill(std::string name, proto::ContainersRequest request) {
  const auto signal = request.signal.empty() ? std::string("SIGKILL") : request.signal;
  const int number = signal_number(signal);
  if (number == 0) throw Error(ErrorKind::invalid_request, "there is no signal '" + signal + "'");
  const auto chosen = co_await stacks::chosen(parts_, name, request);
  proto::ContainersDone done;
  for (const auto& container : chosen.containers) {
    if (container.state != "running" && container.state != "paused") continue;
    co_await parts_.engine.kill_container(container.id, signal);
    done.containers.push_back(container.name);
  }
  if (chosen.processes.empty()) co_return done;
  const auto view = co_await get(chosen.stack.id);
  for (const auto& service : view.services) {
    const bool meant =
        std::find(chosen.processes.begin(), chosen.processes.end(), service.name) != chosen.processes.end();
    // Each has a session of its own, so its group has its number.
    if (meant && service.pid && *service.pid > 1 && ::kill(-*service.pid, number) == 0)
      done.processes.push_back(service.name);
  }
  co_return done;
}

awaitable<proto::ContainersDone> Manager::pause(std::string name, proto::ContainersRequest request) {
  const auto chosen = co_await stacks::chosen(parts_, name, request);
  refuse_processes(chosen, request, "pause");
  proto::ContainersDone done;
  for (const auto& container : chosen.containers) {
    if (container.state != "running") continue;
    co_await parts_.engine.pause_container(container.id);
    done.containers.push_back(container.name);
  }
  co_return done;
}

awaitable<proto::ContainersDone> Manager::unpause(std::string name, proto::ContainersRequest request) {
  const auto chosen = co_await stacks::chosen(parts_, name, request);
  refuse_processes(chosen, request, "unpause");
  proto::ContainersDone done;
  for (const auto& container : chosen.containers) {
    if (container.state != "paused") continue;
    co_await parts_.engine.unpause_container(container.id);
    done.containers.push_back(container.name);
  }
  co_return done;
}

awaitable<proto::ContainersDone> Manager::remove(std::string name, proto::ContainersRequest request) {
  const auto chosen = co_await stacks::chosen(parts_, name, request);
  refuse_processes(chosen, request, "remove containers of");
  proto::ContainersDone done;
  for (const auto& container : chosen.containers) {
    const bool runs =
        container.state == "running" || container.state == "paused" || container.state == "restarting";
    if (runs && !request.stop) continue;
    if (runs) co_await parts_.engine.stop_container(container.id, std::nullopt);
    co_await steps::save_and_remove(parts_.steps, chosen.stack.id, container.id, false, request.volumes);
    done.containers.push_back(container.name);
  }
  co_return done;
}

}  // namespace stackd::stacks
