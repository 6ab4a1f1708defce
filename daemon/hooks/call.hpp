// One entry called by a step: what it is to know of the world, where it runs, what it needs there (an image,
// a network, a running container); then the HookRunner. Control thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/hooks/hook_runner.hpp"
#include "daemon/hooks/tools.hpp"
#include "daemon/model/stack.hpp"

namespace stackd::hooks {

struct Call {
  store::OperationRow operation;
  int step = -1;
  model::Stack stack;
  model::Hook hook;
  std::string run_id;                     // of the record, without the attempt
  std::string container, container_name;  // whose entry it is, or where it runs
  std::string reason;                     // STACKD_REASON
  bool only_unless_succeeded = false;     // skip when it has succeeded in this container (X1, X3)
  bool by_hand = false;                   // whatever it remembers, and its `if` says
  std::string skip;                       // a reason not to run it at all
  std::string failure;                    // why it cannot be run
};

struct Called {
  HookResult result;
  std::vector<std::string> details;  // of a failure: where its log is, how its container ended
};

// The same call, in a running container of the service that the entry's run_in names. When there is none, a
// down hook is skipped, and another fails.
awaitable<Call> placed(Tools& tools, Call call);
// Throws what the engine throws; a hook that fails is a result.
awaitable<Called> run(Tools& tools, HookRunner& runner, Call call);

// service -> id of its first container.
awaitable<std::map<std::string, std::string>> containers_by_service(docker::Engine& engine,
                                                                    std::string stack_id);

}  // namespace stackd::hooks
