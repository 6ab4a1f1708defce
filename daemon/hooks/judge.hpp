// Whether an entry's own words let it run: its `if`, and what `once` and `run: changed` remember (X36). Asked
// right before it runs, and by a plan for what would be then.
#pragma once

#include <string>

#include "daemon/hooks/hook_runner.hpp"

namespace stackd::hooks {

struct Judgement {
  std::string skip;  // why not; "" when it may
  std::string due;   // of once and changed: why it is to run now, whatever else there is to do
};

// What a record is found by: the entry, and what it looks at.
std::string definition_of(const HookJob& job);
// Reads the store and nothing else; `inputs` of the job are given.
awaitable<Judgement> judge(journal::Journal& journal, HookJob job);

}  // namespace stackd::hooks
