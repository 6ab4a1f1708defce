// Tools: what the composition root lends to the steps. References only; the root outlives them. Control
// thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "daemon/async/file_thread.hpp"
#include "daemon/async/name_lock.hpp"
#include "daemon/async/user_files.hpp"
#include "daemon/docker/engine.hpp"
#include "daemon/hooks/hook_runner.hpp"
#include "daemon/hooks/tools.hpp"
#include "daemon/images/builds.hpp"
#include "daemon/images/transfers.hpp"
#include "daemon/journal/journal.hpp"
#include "daemon/model/paths.hpp"
#include "daemon/plan/ports.hpp"
#include "daemon/process/runs.hpp"
#include "daemon/world/models.hpp"
#include "daemon/world/monitor.hpp"
#include "daemon/world/waits.hpp"

namespace stackd::steps {

struct Tools {
  asio::any_io_executor executor;
  journal::Journal& journal;
  docker::Engine& engine;
  images::Transfers& transfers;
  images::Builds& builds;
  process::Runs& runs;
  async::FileThread& files;
  async::UserFiles& user_files;
  world::Monitor& monitor;
  world::Models& models;
  world::Waits& waits;
  hooks::Tools& hook_tools;
  hooks::HookRunner& hooks;
  model::Paths paths;
  plan::PortRange ports;
  std::chrono::milliseconds engine_patience;  // how long an operation waits for an engine that it has lost
  std::uint64_t saved_log_size;               // bytes of a removed container's log (X35)
  // Tags of images with build hooks that are being made.
  std::shared_ptr<async::NameLocks> deriving = std::make_shared<async::NameLocks>(executor);
  // "<operation> <service>" whose containers are made anew.
  std::shared_ptr<async::NameLocks> before_downs = std::make_shared<async::NameLocks>(executor);
  // Processes that are taken away or started again (process_lock).
  std::shared_ptr<async::NameLocks> processes = std::make_shared<async::NameLocks>(executor);
  std::map<std::string, bool> shells = {};  // image id -> has it a /bin/sh? An image never changes.
  // Whether processes of containers are in our /proc: no with an engine in a machine of its own. Learned.
  std::optional<bool> sees_engine_processes = std::nullopt;
};

}  // namespace stackd::steps
