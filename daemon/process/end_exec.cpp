#include "daemon/process/end_exec.hpp"

#include <algorithm>
#include <memory>

#include "daemon/async/job_thread.hpp"
#include "daemon/async/signal.hpp"
#include "daemon/process/engine_address.hpp"
#include "daemon/process/shim/container_tree.hpp"

namespace stackd::process {
namespace {

struct Ending {
  Ending(std::vector<std::string> engines, const HungExec& exec)
      : engine(std::move(engines), exec.api_version.empty() ? "" : "/v" + exec.api_version),
        tree(engine, exec.container, exec.pid, exec.mark) {}
  shim::EngineHttp engine;
  shim::ContainerTree tree;
  shim::Ending ending;
  bool over = false;
};

}  // namespace

awaitable<void> end_exec(HungExec exec, std::chrono::milliseconds grace) {
  auto engines = co_await engine_addresses(exec.engine_host);
  const auto it = std::make_shared<Ending>(std::move(engines), exec);
  // Looks at every process, and may have to ask the engine: not on a thread that others wait for.
  async::JobThread thread;
  std::function<void()> step = [it, grace] {
    it->over = !it->tree.visible();
    if (it->over) return;
    it->ending.begin(grace.count(), it->tree);
    it->over = it->ending.step(it->tree);
  };
  for (;;) {
    co_await thread.run(step);
    if (it->over) co_return;
    const auto pause = std::max<shim::Millis>(it->ending.next() - shim::now(), 1);
    co_await async::sleep_for(std::chrono::milliseconds(pause));
  }
}

}  // namespace stackd::process
