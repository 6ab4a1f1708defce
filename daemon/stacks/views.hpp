// Rows and what the engine says, as the API's documents.
#pragma once

#include <string>
#include <vector>

#include "daemon/docker/engine.hpp"
#include "daemon/stacks/parts.hpp"
#include "daemon/store/records.hpp"
#include "proto/types.hpp"

namespace stackd::stacks {

// For lists: without its steps.
proto::Operation operation_view(store::Database& db, const store::OperationRow& row);
proto::Operation operation_view(const store::OperationRow& row, const std::vector<store::StepRow>& steps);
proto::HookRun hook_view(const store::HookRunRow& row);
proto::Event event_view(const store::EventRow& row);

// One look at the engine's containers, shared by all the stacks that are shown; nothing when it does not
// answer.
struct EngineLook {
  bool answered = false;
  std::vector<docker::ContainerSummary> containers;
};
awaitable<EngineLook> look_at_engine(Parts& parts, std::string stack_id);  // "" for all stacks
awaitable<proto::Stack> stack_view(Parts& parts, store::StackRow row, EngineLook look);

}  // namespace stackd::stacks
