// Starts of containers with pre_run hooks: following one, and keeping the records of those that no operation
// asked for (the restart policy's, `docker start`), also of such as came while no daemon ran. Control thread.
#pragma once

#include <set>
#include <string>

#include "daemon/async/task_group.hpp"
#include "daemon/keeper/tools.hpp"

namespace stackd::keeper {

class PreRunStarts {
public:
  explicit PreRunStarts(Tools& tools);

  // Until it is cancelled.
  awaitable<void> run();

private:
  awaitable<void> look_at_starts();
  void look(const std::string& id, const world::ContainerState& state);
  awaitable<void> record(std::string id, world::ContainerState state);

  Tools& tools_;
  async::TaskGroup tasks_;
  std::set<std::string> busy_;
};

}  // namespace stackd::keeper
