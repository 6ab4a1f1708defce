// The stack's operation before a hook's own: what `if: previous`, STACKD_CONTEXT and build hooks are told of.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "daemon/journal/journal.hpp"

namespace stackd::hooks {

awaitable<std::optional<store::OperationRow>> previous_operation(journal::Journal& journal,
                                                                 store::OperationRow operation);
// Its state; "" when there is none.
awaitable<std::string> previous_state(journal::Journal& journal, store::OperationRow operation);
// {operation, kind, state, error?}; null for the first.
nlohmann::json previous_result(const std::optional<store::OperationRow>& previous);

}  // namespace stackd::hooks
