#include "daemon/store/records.hpp"

namespace stackd::store {

void Execs::put(Database& db, const ExecRow& row) {
  Statement(db,
            "INSERT INTO execs (id, stack_id, service, container, exec, command, started_at) "
            "VALUES (:id, :stack_id, :service, :container, :exec, :command, :started_at) "
            "ON CONFLICT (id) DO NOTHING")
      .bind("id", row.id)
      .bind("stack_id", row.stack_id)
      .bind("service", row.service)
      .bind("container", row.container)
      .bind("exec", row.exec)
      .bind("command", row.command)
      .bind("started_at", row.started_at)
      .run();
}

std::vector<ExecRow> Execs::all(Database& db) {
  Statement s(db,
              "SELECT id, stack_id, service, container, exec, command, started_at FROM execs "
              "ORDER BY started_at, id");
  std::vector<ExecRow> rows;
  while (s.step())
    rows.push_back({s.text(0), s.text(1), s.text(2), s.text(3), s.text(4), s.text(5), s.integer(6)});
  return rows;
}

void Execs::remove(Database& db, const std::string& id) {
  Statement(db, "DELETE FROM execs WHERE id = :id").bind("id", id).run();
}

}  // namespace stackd::store
