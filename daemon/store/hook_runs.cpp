#include "daemon/store/records.hpp"

namespace stackd::store {

namespace {

constexpr const char* k_select =
    "SELECT id, stack_id, operation_id, step, phase, service, container, place, command, entry, attempt, "
    "state, "
    "exit_code, reason, log, out_tail, err_tail, definition, started_at, ended_at FROM hook_runs ";

HookRunRow read(const Statement& s) {
  const auto exit_code = s.maybe_integer(12);
  return {.id = s.text(0),
          .stack_id = s.text(1),
          .operation_id = s.text(2),
          .step = static_cast<int>(s.integer(3)),
          .phase = s.text(4),
          .service = s.text(5),
          .container = s.text(6),
          .place = s.text(7),
          .command = s.text(8),
          .index = static_cast<int>(s.integer(9)),
          .attempt = static_cast<int>(s.integer(10)),
          .state = s.text(11),
          .exit_code = exit_code ? std::optional(static_cast<int>(*exit_code)) : std::nullopt,
          .reason = s.text(13),
          .log = s.text(14),
          .out_tail = s.text(15),
          .err_tail = s.text(16),
          .definition = s.text(17),
          .started_at = s.integer(18),
          .ended_at = s.maybe_integer(19)};
}

std::vector<HookRunRow> read_all(Statement& s) {
  std::vector<HookRunRow> rows;
  while (s.step()) rows.push_back(read(s));
  return rows;
}

}  // namespace

void HookRuns::put(Database& db, const HookRunRow& row) {
  Statement(
      db,
      "INSERT INTO hook_runs (id, stack_id, operation_id, step, phase, service, container, place, command, "
      "entry, attempt, state, exit_code, reason, log, out_tail, err_tail, definition, started_at, ended_at) "
      "VALUES (:id, :stack_id, :operation_id, :step, :phase, :service, :container, :place, :command, :entry, "
      ":attempt, :state, :exit_code, :reason, :log, :out_tail, :err_tail, :definition, :started_at, "
      ":ended_at) "
      "ON CONFLICT (id) DO UPDATE SET stack_id = excluded.stack_id, operation_id = excluded.operation_id, "
      "step = excluded.step, phase = excluded.phase, service = excluded.service, "
      "container = excluded.container, place = excluded.place, command = excluded.command, "
      "entry = excluded.entry, attempt = excluded.attempt, state = excluded.state, "
      "exit_code = excluded.exit_code, reason = excluded.reason, log = excluded.log, "
      "out_tail = excluded.out_tail, err_tail = excluded.err_tail, definition = excluded.definition, "
      "started_at = excluded.started_at, ended_at = excluded.ended_at")
      .bind("id", row.id)
      .bind("stack_id", row.stack_id)
      .bind("operation_id", row.operation_id)
      .bind("step", row.step)
      .bind("phase", row.phase)
      .bind("service", row.service)
      .bind("container", row.container)
      .bind("place", row.place)
      .bind("command", row.command)
      .bind("entry", row.index)
      .bind("attempt", row.attempt)
      .bind("state", row.state)
      .bind("exit_code", row.exit_code)
      .bind("reason", row.reason)
      .bind("log", row.log)
      .bind("out_tail", row.out_tail)
      .bind("err_tail", row.err_tail)
      .bind("definition", row.definition)
      .bind("started_at", row.started_at)
      .bind("ended_at", row.ended_at)
      .run();
}

std::optional<HookRunRow> HookRuns::get(Database& db, const std::string& id) {
  Statement s(db, std::string(k_select) + "WHERE id = :id");
  s.bind("id", id);
  return s.step() ? std::optional(read(s)) : std::nullopt;
}

std::vector<HookRunRow> HookRuns::of_stack(Database& db, const std::string& stack_id, int limit) {
  Statement s(db, std::string(k_select) + "WHERE stack_id = :stack_id ORDER BY number DESC LIMIT :limit");
  s.bind("stack_id", stack_id).bind("limit", limit);
  return read_all(s);
}

std::vector<HookRunRow> HookRuns::of_operation(Database& db, const std::string& operation_id) {
  Statement s(db, std::string(k_select) + "WHERE operation_id = :operation_id ORDER BY number");
  s.bind("operation_id", operation_id);
  return read_all(s);
}

std::vector<HookRunRow> HookRuns::running(Database& db) {
  Statement s(db, std::string(k_select) + "WHERE state = 'running' ORDER BY number");
  return read_all(s);
}

std::optional<HookRunRow> HookRuns::last(Database& db, const std::string& stack_id,
                                         const std::string& service, const std::string& phase, int index,
                                         const std::string& container) {
  Statement s(db,
              std::string(k_select) +
                  "WHERE stack_id = :stack_id AND service = :service AND phase = :phase AND entry = :entry "
                  "AND state NOT IN ('skipped', 'cancelled') AND (:container = '' OR container = :container) "
                  "ORDER BY number DESC LIMIT 1");
  s.bind("stack_id", stack_id).bind("service", service).bind("phase", phase).bind("entry", index);
  s.bind("container", container);
  return s.step() ? std::optional(read(s)) : std::nullopt;
}

std::vector<HookRunRow> HookRuns::failed_last(Database& db, const std::string& stack_id) {
  Statement s(
      db, std::string(k_select) +
              "WHERE stack_id = :stack_id AND state = 'failed' AND NOT EXISTS (SELECT 1 FROM hook_runs n "
              "WHERE n.stack_id = hook_runs.stack_id AND n.service = hook_runs.service "
              "AND n.phase = hook_runs.phase AND n.entry = hook_runs.entry AND n.number > hook_runs.number "
              "AND n.container = hook_runs.container AND n.state NOT IN ('skipped', 'cancelled')) "
              "ORDER BY number");
  s.bind("stack_id", stack_id);
  return read_all(s);
}

std::optional<HookRunRow> HookRuns::last_success(Database& db, const std::string& stack_id,
                                                 const std::string& service, const std::string& phase,
                                                 const std::string& identity) {
  Statement s(db, std::string(k_select) +
                      "WHERE stack_id = :stack_id AND service = :service AND phase = :phase "
                      "AND state = 'succeeded' AND substr(definition, 1, length(:prefix)) = :prefix "
                      "ORDER BY number DESC LIMIT 1");
  s.bind("stack_id", stack_id).bind("service", service).bind("phase", phase).bind("prefix", identity + "/");
  return s.step() ? std::optional(read(s)) : std::nullopt;
}

int HookRuns::forget(Database& db, const std::string& stack_id, const std::string& service,
                     const std::string& phase) {
  Statement s(db,
              "UPDATE hook_runs SET definition = '' WHERE stack_id = :stack_id AND definition <> '' "
              "AND (:service = '' OR service = :service) AND (:phase = '' OR phase = :phase)");
  return s.bind("stack_id", stack_id).bind("service", service).bind("phase", phase).run();
}

std::optional<HookRunRow> HookRuns::success_of(Database& db, const std::string& stack_id,
                                               const std::string& service, const std::string& phase,
                                               const std::string& definition) {
  Statement s(db, std::string(k_select) +
                      "WHERE stack_id = :stack_id AND service = :service AND phase = :phase "
                      "AND state = 'succeeded' AND definition = :definition ORDER BY number DESC LIMIT 1");
  s.bind("stack_id", stack_id).bind("service", service).bind("phase", phase).bind("definition", definition);
  return s.step() ? std::optional(read(s)) : std::nullopt;
}

std::set<std::string> HookRuns::containers_of(Database& db, const std::string& stack_id,
                                              const std::string& service, const std::string& phase,
                                              const std::string& definition) {
  Statement s(db,
              "SELECT DISTINCT container FROM hook_runs WHERE stack_id = :stack_id AND service = :service "
              "AND phase = :phase AND definition = :definition AND state = 'succeeded'");
  s.bind("stack_id", stack_id).bind("service", service).bind("phase", phase).bind("definition", definition);
  std::set<std::string> ids;
  while (s.step()) ids.insert(s.text(0));
  return ids;
}

bool HookRuns::succeeded(Database& db, const std::string& stack_id, const std::string& service,
                         const std::string& phase, const std::string& definition,
                         const std::string& container) {
  Statement s(db,
              "SELECT 1 FROM hook_runs WHERE stack_id = :stack_id AND service = :service AND phase = :phase "
              "AND definition = :definition AND (:container = '' OR container = :container) "
              "AND state = 'succeeded' LIMIT 1");
  s.bind("stack_id", stack_id).bind("service", service).bind("phase", phase);
  s.bind("definition", definition).bind("container", container);
  return s.step();
}

}  // namespace stackd::store
