// What a stack uses of this machine now (L10.6): containers as the engine measures them, processes as the
// kernel counts them.
#include "daemon/async/task_group.hpp"
#include "daemon/process/usage.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {
namespace {

using docker::Engine;

// The kernel counts in hundredths of a second: long enough that a percent can be seen.
constexpr std::chrono::milliseconds k_measured{1000};

using Usages = std::map<std::string, docker::Usage>;  // by a container's id

// A container that ends meanwhile is left out.
void measure(Engine& engine, async::TaskGroup& tasks, Usages& used, const std::string& container) {
  tasks.spawn("usage of " + container, [&engine, &used, container]() -> awaitable<void> {
    try {
      const auto usage = co_await engine.usage(container);
      used[container] = usage;
    } catch (const util::Error&) {
    }
  });
}

struct Measured {
  process::Samples before, after;
  Usages containers;
  std::vector<std::string> secrets;
};

// The engine's measurements take a second, too.
awaitable<void> until_measured(async::TaskGroup& tasks) {
  co_await async::sleep_for(k_measured);
  co_await tasks.join();
}

awaitable<Measured> measure(Parts& parts, const proto::Stack& stack) {
  const auto look = [](async::FileWorker&) { return process::sample_processes(); };
  Measured measured;
  measured.before = co_await parts.files.run(look);
  async::TaskGroup tasks(parts.executor);
  for (const auto& service : stack.services)
    for (const auto& container : service.containers)
      if (container.state == "running") measure(parts.engine, tasks, measured.containers, container.id);
  auto both = until_measured(tasks);
  co_await tasks.during(std::move(both));
  measured.after = co_await parts.files.run(look);
  co_return measured;
}

void add(proto::TopService& service, double cpu, std::int64_t memory) {
  service.cpu_percent = service.cpu_percent.value_or(0) + cpu;
  service.memory_bytes = service.memory_bytes.value_or(0) + memory;
}

proto::TopService top_of(const proto::Service& service, const Measured& measured) {
  proto::TopService top{.name = service.name, .kind = service.kind, .status = service.status};
  for (const auto& container : service.containers) {
    proto::TopContainer one{.id = container.id,
                            .name = container.name,
                            .state = container.state,
                            .image = container.image,
                            .number = container.number};
    if (const auto used = measured.containers.find(container.id); used != measured.containers.end()) {
      one.cpu_percent = used->second.cpu_percent;
      one.memory_bytes = used->second.memory;
      add(top, used->second.cpu_percent, used->second.memory);
    }
    top.containers.push_back(std::move(one));
  }
  if (!service.pid) return top;
  top.pid = service.pid;
  for (auto& process : process::tree_of(measured.after, *service.pid)) {
    const auto cpu = process::cpu_percent(measured.before, measured.after, process.pid);
    add(top, cpu, process.memory);
    top.processes.push_back({process.pid, cpu, process.memory,
                             resolve::mask(util::valid_utf8(std::move(process.command)), measured.secrets)});
  }
  return top;
}

}  // namespace

awaitable<proto::Top> Manager::top(std::string stack) {
  const auto view = co_await get(std::move(stack));
  auto measured = co_await measure(parts_, view);
  const auto model = co_await parts_.models.fresh(view.id);
  measured.secrets = resolve::secret_values(*model.spec, *model.facts);
  proto::Top top{.id = view.id, .name = view.name, .status = view.status};
  for (const auto& service : view.services) top.services.push_back(top_of(service, measured));
  co_return top;
}

}  // namespace stackd::stacks
