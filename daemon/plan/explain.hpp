// A plan in words, for whoever asks what a wish would do: each action with its reason and what it takes
// along. It is the same choice and the same graph as the operation's, read instead of run. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/plan/differences.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/plan/step_kinds.hpp"

namespace stackd::plan {

struct Action {
  // pull, build, create, recreate, start, restart, stop, remove, run; skip is nothing to do
  std::string what;
  std::string subject;  // "db", "web-2", "network default", "volume data", "image nginx", "db post_start[0]"
  std::string service;  // "" of the stack's own
  std::string reason;
  std::vector<Change> changes;           // of a definition that is another one
  std::vector<std::string> takes_along;  // services that are made anew or restarted because of it
};

struct Explained {
  std::vector<Action> actions;  // in an order in which they could happen
  std::vector<std::string> warnings;
  std::vector<std::string> steps;  // keys of the steps that the operation begins with; none when unchanged
  bool to_do() const;
};

// `before`: the stack as its last up had it; what is there was made of that.
Explained explain_up(const model::Stack& now, const std::optional<model::Stack>& before,
                     const Request& request, const Snapshot& seen);
// down and stop.
Explained explain_down(const model::Stack& stack, const Request& request, const Snapshot& seen);
// Both halves.
Explained explain_restart(const model::Stack& stack, const Request& request, const Snapshot& seen);

// ---- for the two of them

template <class Kind>
std::optional<Kind> read(const operations::StepPlan& step) {
  if (step.kind != Kind::k_kind) return std::nullopt;
  return model::decoded<Kind>(step.params, "params of a step");
}
std::vector<std::string> keys_of(const std::vector<operations::StepPlan>& steps);

}  // namespace stackd::plan
