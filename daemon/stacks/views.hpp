// Rows and what the engine says, as the API's documents.
#pragma once

#include <string>
#include <vector>

#include "daemon/store/records.hpp"
#include "daemon/world/picture.hpp"
#include "proto/types.hpp"

namespace stackd::stacks {

// For lists: without its steps.
proto::Operation operation_view(store::Database& db, const store::OperationRow& row);
proto::Operation operation_view(const store::OperationRow& row, const std::vector<store::StepRow>& steps);
proto::HookRun hook_view(const store::HookRunRow& row);
proto::Event event_view(const store::EventRow& row);

proto::Stack stack_view(const world::StackNow& now);

}  // namespace stackd::stacks
