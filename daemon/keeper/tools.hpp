// Tools: what the composition root lends to the keeper's room. References only; the root outlives them.
// Control thread.
#pragma once

#include "daemon/docker/engine.hpp"
#include "daemon/hooks/tools.hpp"
#include "daemon/journal/journal.hpp"
#include "daemon/operations/runner.hpp"
#include "daemon/process/runs.hpp"
#include "daemon/world/models.hpp"
#include "daemon/world/monitor.hpp"
#include "daemon/world/picture.hpp"

namespace stackd::keeper {

struct Tools {
  asio::any_io_executor executor;
  journal::Journal& journal;
  docker::Engine& engine;
  process::Runs& runs;
  world::Monitor& monitor;
  world::Models& models;
  world::Picture& picture;
  operations::Runner& runner;
  hooks::Tools& hook_tools;
};

}  // namespace stackd::keeper
