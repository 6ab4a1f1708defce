#include "daemon/store/records.hpp"

namespace stackd::store {

namespace {

constexpr const char* k_select =
    "SELECT id, stack_id, kind, request, state, mode, after, cancel_requested, error, warnings, created_at, "
    "ended_at "
    "FROM operations ";

OperationRow read(const Statement& s) {
  return {.id = s.text(0),
          .stack_id = s.text(1),
          .kind = s.text(2),
          .request = s.text(3),
          .state = s.text(4),
          .mode = s.text(5),
          .after = s.text(6),
          .cancel_requested = s.integer(7) != 0,
          .error = s.text(8),
          .warnings = s.text(9),
          .created_at = s.integer(10),
          .ended_at = s.maybe_integer(11)};
}

Statement& bind(Statement& s, const OperationRow& row) {
  return s.bind("id", row.id)
      .bind("stack_id", row.stack_id)
      .bind("kind", row.kind)
      .bind("request", row.request)
      .bind("state", row.state)
      .bind("mode", row.mode)
      .bind("after", row.after)
      .bind("cancel_requested", row.cancel_requested)
      .bind("error", row.error)
      .bind("warnings", row.warnings)
      .bind("created_at", row.created_at)
      .bind("ended_at", row.ended_at);
}

// Runs whose operation is gone and that no question needs any more: `last` wants the newest of an entry and
// container that ran, `succeeded` one of a definition and container. Of a container that is gone itself (it
// was started once, and another has its place) only the newest of all is: each up makes containers that never
// come back.
constexpr const char* k_prune_hook_runs =
    "WITH there(container) AS (SELECT container FROM starts UNION SELECT container FROM kept UNION SELECT "
    "'') "
    "DELETE FROM hook_runs WHERE state <> 'running' "
    "AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.id = hook_runs.operation_id) "
    "AND (state IN ('skipped', 'cancelled') OR EXISTS (SELECT 1 FROM hook_runs n "
    "  WHERE n.stack_id = hook_runs.stack_id AND n.service = hook_runs.service AND n.phase = hook_runs.phase "
    "  AND n.entry = hook_runs.entry AND n.number > hook_runs.number "
    "  AND (n.container = hook_runs.container OR hook_runs.container NOT IN (SELECT container FROM there)) "
    "  AND n.state NOT IN ('skipped', 'cancelled'))) "
    "AND (state <> 'succeeded' OR EXISTS (SELECT 1 FROM hook_runs n "
    "  WHERE n.stack_id = hook_runs.stack_id AND n.service = hook_runs.service AND n.phase = hook_runs.phase "
    "  AND n.definition = hook_runs.definition AND n.state = 'succeeded' "
    "  AND (n.container = hook_runs.container OR hook_runs.container NOT IN (SELECT container FROM there)) "
    "  AND n.number > hook_runs.number))";

}  // namespace

void Operations::insert(Database& db, const OperationRow& row) {
  Statement s(
      db,
      "INSERT INTO operations (id, stack_id, kind, request, state, mode, after, cancel_requested, error, "
      "warnings, created_at, ended_at) VALUES (:id, :stack_id, :kind, :request, :state, :mode, :after, "
      ":cancel_requested, :error, :warnings, :created_at, :ended_at)");
  bind(s, row).run();
}

void Operations::update(Database& db, const OperationRow& row) {
  Statement s(db,
              "UPDATE operations SET stack_id = :stack_id, kind = :kind, request = :request, state = :state, "
              "mode = :mode, after = :after, cancel_requested = :cancel_requested, error = :error, "
              "warnings = :warnings, created_at = :created_at, ended_at = :ended_at WHERE id = :id");
  bind(s, row).run();
}

std::optional<OperationRow> Operations::get(Database& db, const std::string& id) {
  Statement s(db, std::string(k_select) + "WHERE id = :id");
  s.bind("id", id);
  return s.step() ? std::optional(read(s)) : std::nullopt;
}

std::vector<OperationRow> Operations::running(Database& db) {
  std::vector<OperationRow> rows;
  for (Statement s(db, std::string(k_select) + "WHERE state = 'running' ORDER BY number"); s.step();)
    rows.push_back(read(s));
  return rows;
}

std::vector<OperationRow> Operations::of_stack(Database& db, const std::string& stack_id, int limit) {
  // Two texts and not one with OR, so that each uses its index.
  Statement s(db, std::string(k_select) + (stack_id.empty() ? "" : "WHERE stack_id = :stack_id ") +
                      "ORDER BY number DESC LIMIT :limit");
  if (!stack_id.empty()) s.bind("stack_id", stack_id);
  s.bind("limit", limit);
  std::vector<OperationRow> rows;
  while (s.step()) rows.push_back(read(s));
  return rows;
}

std::optional<OperationRow> Operations::before(Database& db, const OperationRow& row) {
  Statement s(db, std::string(k_select) +
                      "WHERE stack_id = :stack_id AND state <> 'running' AND kind NOT IN ('recover', "
                      "'hooks') AND number < "
                      "ifnull((SELECT number FROM operations WHERE id = :id), 9223372036854775807) "
                      "ORDER BY number DESC LIMIT 1");
  s.bind("stack_id", row.stack_id).bind("id", row.id);
  return s.step() ? std::optional(read(s)) : std::nullopt;
}

std::set<std::string> Operations::ids_of_stack(Database& db, const std::string& stack_id) {
  Statement s(db, "SELECT id FROM operations WHERE stack_id = :stack_id");
  s.bind("stack_id", stack_id);
  std::set<std::string> ids;
  while (s.step()) ids.insert(s.text(0));
  return ids;
}

void Operations::prune(Database& db, int keep, TimeMs younger_than) {
  const int removed =
      Statement(
          db,
          "DELETE FROM operations WHERE number IN (SELECT number FROM (SELECT number, ended_at, "
          "row_number() OVER (PARTITION BY stack_id ORDER BY number DESC) AS place "
          "FROM operations WHERE state <> 'running') WHERE place > :keep AND ended_at <= :younger_than)")
          .bind("keep", keep)
          .bind("younger_than", younger_than)
          .run();
  if (removed > 0) Statement(db, k_prune_hook_runs).run();
}

// ---- steps

void Steps::insert(Database& db, const StepRow& row) {
  Statement(
      db,
      "INSERT INTO steps (operation_id, ordinal, key, kind, service, params, needs, on_error, state, reason, "
      "result, started_at, ended_at) VALUES (:operation_id, :ordinal, :key, :kind, :service, :params, "
      ":needs, "
      ":on_error, :state, :reason, :result, :started_at, :ended_at)")
      .bind("operation_id", row.operation_id)
      .bind("ordinal", row.ordinal)
      .bind("key", row.key)
      .bind("kind", row.kind)
      .bind("service", row.service)
      .bind("params", row.params)
      .bind("needs", row.needs)
      .bind("on_error", row.on_error)
      .bind("state", row.state)
      .bind("reason", row.reason)
      .bind("result", row.result)
      .bind("started_at", row.started_at)
      .bind("ended_at", row.ended_at)
      .run();
}

void Steps::update(Database& db, const StepRow& row) {
  Statement(db,
            "UPDATE steps SET state = :state, reason = :reason, result = :result, started_at = :started_at, "
            "ended_at = :ended_at WHERE operation_id = :operation_id AND ordinal = :ordinal")
      .bind("operation_id", row.operation_id)
      .bind("ordinal", row.ordinal)
      .bind("state", row.state)
      .bind("reason", row.reason)
      .bind("result", row.result)
      .bind("started_at", row.started_at)
      .bind("ended_at", row.ended_at)
      .run();
}

namespace {

constexpr const char* k_step_columns =
    "SELECT operation_id, ordinal, key, kind, service, params, needs, on_error, state, reason, result, "
    "started_at, ended_at FROM steps";

// The statement's columns are those of k_step_columns.
std::vector<StepRow> step_rows(Statement& s) {
  std::vector<StepRow> rows;
  while (s.step())
    rows.push_back({.operation_id = s.text(0),
                    .ordinal = static_cast<int>(s.integer(1)),
                    .key = s.text(2),
                    .kind = s.text(3),
                    .service = s.text(4),
                    .params = s.text(5),
                    .needs = s.text(6),
                    .on_error = s.text(7),
                    .state = s.text(8),
                    .reason = s.text(9),
                    .result = s.text(10),
                    .started_at = s.maybe_integer(11),
                    .ended_at = s.maybe_integer(12)});
  return rows;
}

}  // namespace

std::vector<StepRow> Steps::of_operation(Database& db, const std::string& operation_id) {
  Statement s(db, std::string(k_step_columns) + " WHERE operation_id = :operation_id ORDER BY ordinal");
  s.bind("operation_id", operation_id);
  return step_rows(s);
}

std::vector<StepRow> Steps::of_kind(Database& db, const std::string& operation_id, const std::string& kind) {
  Statement s(db, std::string(k_step_columns) +
                      " WHERE operation_id = :operation_id AND kind = :kind ORDER BY ordinal");
  s.bind("operation_id", operation_id).bind("kind", kind);
  return step_rows(s);
}

}  // namespace stackd::store
