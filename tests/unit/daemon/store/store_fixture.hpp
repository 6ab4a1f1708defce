// A store in memory with two stacks in it, and short ways to put rows there.
#pragma once

#include <string>
#include <vector>

#include "daemon/store/records.hpp"

namespace stackd::store {

struct Store {
  Database db{":memory:"};
  Store() {
    for (const char* id : {"a-1", "b-1"})
      Stacks::put(db, {.id = id, .name = std::string(id, 1), .status = "up"});
  }
  void operation(const std::string& id, const std::string& stack, const std::string& state = "running",
                 TimeMs ended = 0) {
    OperationRow row{.id = id, .stack_id = stack, .kind = "up", .state = state};
    if (state != "running") row.ended_at = ended;
    Operations::insert(db, row);
  }
  void hook(const std::string& id, const std::string& state, const std::string& definition = "d",
            const std::string& container = "", const std::string& operation = "op") {
    HookRuns::put(db, {.id = id,
                       .stack_id = "a-1",
                       .operation_id = operation,
                       .phase = "pre_start",
                       .service = "db",
                       .container = container,
                       .state = state,
                       .definition = definition});
  }
  std::int64_t count(const std::string& table) {
    Statement s(db, "SELECT count(*) FROM " + table);
    s.step();
    return s.integer(0);
  }
};

template <class Rows>
std::vector<std::string> ids(const Rows& rows) {
  std::vector<std::string> out;
  for (const auto& row : rows) out.push_back(row.id);
  return out;
}
using Ids = std::vector<std::string>;

}  // namespace stackd::store
