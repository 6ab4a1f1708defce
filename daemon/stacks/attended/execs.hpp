// Execs: the commands that clients run in containers. Each is written before it begins and crossed out when
// it is over, so that one whose client has gone is ended in its container, be it by the next daemon. Control
// thread only.
#pragma once

#include <optional>
#include <string>

#include "daemon/async/task_group.hpp"
#include "daemon/docker/engine.hpp"
#include "daemon/journal/journal.hpp"

namespace stackd::stacks {

class Execs {
public:
  Execs(asio::any_io_executor executor, journal::Journal& journal, docker::Engine& engine);

  // What is in the environment of one, and of all that it starts.
  static std::string mark_of(const std::string& id);

  awaitable<void> begin(store::ExecRow row);
  // It has ended, or is let go of. `reason`: why it has no exit code.
  awaitable<void> over(store::ExecRow row, std::optional<int> exit_code, std::string reason = "");
  // Nobody has it any more: it is ended, however long the engine is away meanwhile. Returns at once.
  void end(store::ExecRow row);

  // Start-up: ends what a daemon before this one had.
  awaitable<void> recover();
  // Gives those that are being ended a moment; the next daemon sees to the rest.
  awaitable<void> stop();

private:
  awaitable<void> end_in_container(store::ExecRow row);

  journal::Journal& journal_;
  docker::Engine& engine_;
  async::TaskGroup tasks_;
};

}  // namespace stackd::stacks
