// Parts: what the composition root lends to the Manager. References only; the root outlives them. Control
// thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/async/file_thread.hpp"
#include "daemon/async/loop.hpp"
#include "daemon/async/name_lock.hpp"
#include "daemon/async/user_files.hpp"
#include "daemon/docker/engine.hpp"
#include "daemon/journal/journal.hpp"
#include "daemon/model/paths.hpp"
#include "daemon/operations/runner.hpp"
#include "daemon/plan/ports.hpp"
#include "daemon/process/runs.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/steps/common/tools.hpp"
#include "daemon/world/models.hpp"
#include "daemon/world/monitor.hpp"
#include "daemon/world/picture.hpp"

namespace stackd::stacks {

class Execs;
class OneOffs;

// Facts about this daemon that the API shows.
struct DaemonFacts {
  std::string socket, log_level, started_at, engine_chosen_by;
  plan::PortRange ports;
};

struct Parts {
  asio::any_io_executor executor;
  const async::Turns& turns;
  journal::Journal& journal;
  docker::Engine& engine;
  process::Runs& runs;
  async::FileThread& files;
  async::UserFiles& user_files;
  world::Monitor& monitor;
  world::Models& models;
  world::Picture& picture;
  operations::Runner& runner;
  steps::Tools& steps;
  Execs& execs;
  OneOffs& one_offs;
  model::Paths paths;
  DaemonFacts facts;
  // By stack: what was shown last, and of which picture.
  struct Shown {
    std::uint64_t number = 0;
    StackViewPtr view;
  };
  std::map<std::string, Shown> shown = {};
  // Names of stacks that come up: two checkouts of one name ask one after the other.
  std::shared_ptr<async::NameLocks> naming = std::make_shared<async::NameLocks>(executor);
};

}  // namespace stackd::stacks
