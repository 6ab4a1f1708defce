// Services: what the composition root lends to everything in stacks/. References only; the root outlives them
// all.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "daemon/async/serial.hpp"
#include "daemon/async/signal.hpp"
#include "daemon/docker/engine.hpp"
#include "daemon/hooks/hook_runner.hpp"
#include "daemon/hooks/paths.hpp"
#include "daemon/operations/journal.hpp"
#include "daemon/operations/runner.hpp"
#include "daemon/process/runs.hpp"
#include "daemon/stacks/model.hpp"
#include "daemon/stacks/monitor.hpp"

namespace stackd::stacks {

struct FileWorker {};  // the thread that reads stack files and env files

// Facts about this daemon that the API shows.
struct DaemonFacts {
  std::string socket, log_level, started_at;
  int port_first = 9000, port_last = 9999;
};

// Names that one coroutine holds at a time. Control thread, like everything.
struct NameLocks {
  explicit NameLocks(asio::any_io_executor executor) : freed(std::move(executor)) {}
  std::set<std::string> names;
  async::Signal freed;
};
class NameLock {
public:
  explicit NameLock(std::shared_ptr<NameLocks> locks) : locks_(std::move(locks)) {}
  NameLock(const NameLock&) = delete;
  NameLock& operator=(const NameLock&) = delete;
  ~NameLock() {
    if (name_.empty()) return;
    locks_->names.erase(name_);
    locks_->freed.notify();
  }
  awaitable<void> take(std::string name) {
    while (locks_->names.contains(name)) co_await locks_->freed.wait();
    locks_->names.insert(name);
    name_ = std::move(name);
  }

private:
  std::shared_ptr<NameLocks> locks_;
  std::string name_;
};

struct Services {
  asio::any_io_executor executor;
  operations::Journal& journal;
  docker::Engine& engine;
  process::Runs& runs;
  hooks::HookRunner& hooks;
  Monitor& monitor;
  Models& models;
  async::Serial<FileWorker>& files;
  hooks::Paths paths;
  DaemonFacts facts;
  operations::Runner* runner =
      nullptr;  // set by the root once the runner is built; it needs the step kinds first
  std::shared_ptr<NameLocks> deriving =
      std::make_shared<NameLocks>(executor);  // tags of derived images that are being made
  std::shared_ptr<NameLocks> pre_runs =
      std::make_shared<NameLocks>(executor);  // starts of pre_run entries that are being followed
  std::shared_ptr<NameLocks> before_downs =
      std::make_shared<NameLocks>(executor);  // "<operation> <service>" whose containers are made anew
  std::map<std::string, bool> shells = {};    // image id -> has it a /bin/sh? An image never changes.
  // Whether processes of containers are in our /proc: no with an engine in a machine of its own. Learned.
  std::optional<bool> sees_engine_processes = std::nullopt;
};

}  // namespace stackd::stacks
