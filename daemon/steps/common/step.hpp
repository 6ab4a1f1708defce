// Step<Kind>: what a step's function gets: its context, and its params read.
#pragma once

#include <string>
#include <utility>

#include "daemon/operations/runner.hpp"
#include "daemon/plan/step_kinds.hpp"
#include "daemon/plan/wish.hpp"

namespace stackd::steps {

using operations::Outcome;

template <class Kind>
struct Step {
  operations::StepContext context;
  Kind params;

  const store::OperationRow& operation() const { return context.operation; }
  const std::string& stack() const { return context.operation.stack_id; }
  const std::string& service() const { return context.step.service; }
  bool resumed() const { return context.resumed; }
  plan::Wish wish() const { return plan::wish_from(context.operation.request); }
  plan::Kind kind() const { return plan::kind_from(context.operation.kind); }
  // "<operation>-<ordinal>": what a run, a record or a start of this step is named by.
  std::string name() const { return context.operation.id + "-" + std::to_string(context.step.ordinal); }
  // Of a step that this one came after; a default one when it was skipped or is unknown.
  template <class Other>
  typename Other::Result result_of(const std::string& key) const {
    return model::decoded<typename Other::Result>(context.result_of(key), "result of a step");
  }
};

template <class Result>
Outcome with(const Result& result) {
  return {.result = model::encode(result)};
}
inline Outcome skipped(std::string why) {
  return {.skipped = true, .reason = std::move(why)};
}

}  // namespace stackd::steps
