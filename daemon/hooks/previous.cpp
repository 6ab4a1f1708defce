#include "daemon/hooks/previous.hpp"

namespace stackd::hooks {

using nlohmann::json;

awaitable<std::optional<store::OperationRow>> previous_operation(journal::Journal& journal,
                                                                 store::OperationRow operation) {
  auto query = [operation = std::move(operation)](store::Database& db) {
    return store::Operations::before(db, operation);
  };
  return journal.run(std::move(query));
}

awaitable<std::string> previous_state(journal::Journal& journal, store::OperationRow operation) {
  const auto previous = co_await previous_operation(journal, std::move(operation));
  co_return previous ? previous->state : std::string();
}

json previous_result(const std::optional<store::OperationRow>& previous) {
  if (!previous) return {};
  json result{{"operation", previous->id}, {"kind", previous->kind}, {"state", previous->state}};
  if (!previous->error.empty()) result["error"] = json::parse(previous->error).value("message", "");
  return result;
}

}  // namespace stackd::hooks
