// Tools: what the composition root lends to the hooks. References only; the root outlives them.
#pragma once

#include <memory>

#include "daemon/async/file_thread.hpp"
#include "daemon/async/name_lock.hpp"
#include "daemon/async/user_files.hpp"
#include "daemon/docker/engine.hpp"
#include "daemon/images/builds.hpp"
#include "daemon/images/transfers.hpp"
#include "daemon/journal/journal.hpp"
#include "daemon/model/paths.hpp"
#include "daemon/process/runs.hpp"
#include "daemon/world/monitor.hpp"

namespace stackd::hooks {

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
  model::Paths paths;
  std::shared_ptr<async::NameLocks> following;  // starts of pre_run entries that are being followed
};

}  // namespace stackd::hooks
