#include "daemon/store/records.hpp"

namespace stackd::store {

namespace {

constexpr const char* k_select =
    "SELECT stack_id, service, run_directory, log, definition, log_offset, operation_id, state, restarts, "
    "streak FROM processes ";

ProcessRow read(const Statement& s) {
  return {.stack_id = s.text(0),
          .service = s.text(1),
          .run_directory = s.text(2),
          .log = s.text(3),
          .definition = s.text(4),
          .log_offset = static_cast<std::uint64_t>(s.integer(5)),
          .operation_id = s.text(6),
          .state = s.text(7),
          .restarts = static_cast<int>(s.integer(8)),
          .streak = static_cast<int>(s.integer(9))};
}

}  // namespace

void Processes::put(Database& db, const ProcessRow& row) {
  Statement(
      db,
      "INSERT INTO processes (stack_id, service, run_directory, log, definition, log_offset, operation_id, "
      "state, restarts, streak) VALUES (:stack_id, :service, :run_directory, :log, :definition, :log_offset, "
      ":operation_id, :state, :restarts, :streak) "
      "ON CONFLICT (stack_id, service) DO UPDATE SET run_directory = excluded.run_directory, "
      "log = excluded.log, definition = excluded.definition, log_offset = excluded.log_offset, "
      "operation_id = excluded.operation_id, state = excluded.state, restarts = excluded.restarts, streak = "
      "excluded.streak")
      .bind("stack_id", row.stack_id)
      .bind("service", row.service)
      .bind("run_directory", row.run_directory)
      .bind("log", row.log)
      .bind("definition", row.definition)
      .bind("log_offset", static_cast<std::int64_t>(row.log_offset))
      .bind("operation_id", row.operation_id)
      .bind("state", row.state)
      .bind("restarts", row.restarts)
      .bind("streak", row.streak)
      .run();
}

std::optional<ProcessRow> Processes::get(Database& db, const std::string& stack_id,
                                         const std::string& service) {
  Statement s(db, std::string(k_select) + "WHERE stack_id = :stack_id AND service = :service");
  s.bind("stack_id", stack_id).bind("service", service);
  return s.step() ? std::optional(read(s)) : std::nullopt;
}

std::vector<ProcessRow> Processes::of_stack(Database& db, const std::string& stack_id) {
  Statement s(db, std::string(k_select) + "WHERE stack_id = :stack_id ORDER BY service");
  s.bind("stack_id", stack_id);
  std::vector<ProcessRow> rows;
  while (s.step()) rows.push_back(read(s));
  return rows;
}

std::vector<ProcessRow> Processes::all(Database& db) {
  std::vector<ProcessRow> rows;
  for (Statement s(db, std::string(k_select) + "ORDER BY stack_id, service"); s.step();)
    rows.push_back(read(s));
  return rows;
}

void Processes::remove(Database& db, const std::string& stack_id, const std::string& service) {
  Statement(db, "DELETE FROM processes WHERE stack_id = :stack_id AND service = :service")
      .bind("stack_id", stack_id)
      .bind("service", service)
      .run();
}

}  // namespace stackd::store
