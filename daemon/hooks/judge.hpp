// Whether an entry's own words let it run: its `if`, and what `once` and `run: changed` remember (X36). Asked
// right before it runs, and by a plan for what would be then.
#pragma once

#include <string>

#include "daemon/hooks/hook_runner.hpp"
#include "daemon/model/stack.hpp"

namespace stackd::hooks {

struct Judgement {
  std::string skip;        // why not; "" when it may
  bool by_memory = false;  // that is what it remembers
  std::string due;         // of once and changed: why it is to run now, whatever else there is to do
};

// Whether what it looks at is part of its record.
bool has_state(const model::Hook& hook);
// What an entry with a memory looks at: the inputs of run: changed, the making of once's volume; "" of
// others. `image`: of what it would run in.
awaitable<std::string> state_for(Tools& tools, model::Stack stack, model::Hook hook, std::string image);
// What a record is found by: the entry, and what it looks at.
std::string definition_of(const HookJob& job);
// Reads the store and nothing else; `inputs` of the job are given.
awaitable<Judgement> judge(journal::Journal& journal, HookJob job);

}  // namespace stackd::hooks
