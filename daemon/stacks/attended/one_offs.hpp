// OneOffs: the containers of `run`. Each is written before it is made and crossed out when nothing is owed to
// it any more, so that one whose client has gone is stopped, and removed where that was asked for, be it by
// the next daemon. The engine removes those that have ended by themselves. Control thread only.
#pragma once

#include <optional>
#include <string>

#include "daemon/async/task_group.hpp"
#include "daemon/steps/common/tools.hpp"

namespace stackd::stacks {

class OneOffs {
public:
  explicit OneOffs(steps::Tools& tools);

  awaitable<void> begin(store::OneOffRow row, std::string command);
  // From now on it runs by itself.
  awaitable<void> let_go(store::OneOffRow row);
  // Nothing is owed to it any more. `reason`: why it has no exit code.
  awaitable<void> over(store::OneOffRow row, std::optional<int> exit_code, std::string reason = "");
  // Nobody has it any more. Returns at once.
  void end(store::OneOffRow row);

  // Start-up: ends what a daemon before this one had.
  awaitable<void> recover();
  // Gives those that are being ended a moment; the next daemon sees to the rest.
  awaitable<void> stop();

private:
  awaitable<void> end_container(store::OneOffRow row);
  awaitable<void> take_away(store::OneOffRow row);
  awaitable<void> end_hooks(store::OneOffRow row);

  steps::Tools& tools_;
  async::TaskGroup tasks_;
};

}  // namespace stackd::stacks
