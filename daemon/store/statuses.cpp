#include "daemon/store/records.hpp"

namespace stackd::store {

std::vector<StatusRow> Statuses::all(Database& db) {
  Statement s(db, "SELECT stack_id, service, status, reason, since FROM statuses");
  std::vector<StatusRow> rows;
  while (s.step()) rows.push_back({s.text(0), s.text(1), s.text(2), s.text(3), s.integer(4)});
  return rows;
}

void Statuses::put(Database& db, const StatusRow& row) {
  Statement(
      db,
      "INSERT INTO statuses (stack_id, service, status, reason, since) "
      "VALUES (:stack_id, :service, :status, :reason, :since) "
      "ON CONFLICT (stack_id, service) DO UPDATE SET status = excluded.status, reason = excluded.reason, "
      "since = excluded.since")
      .bind("stack_id", row.stack_id)
      .bind("service", row.service)
      .bind("status", row.status)
      .bind("reason", row.reason)
      .bind("since", row.since)
      .run();
}

void Statuses::remove(Database& db, const std::string& stack_id, const std::string& service) {
  Statement(db, "DELETE FROM statuses WHERE stack_id = :stack_id AND service = :service")
      .bind("stack_id", stack_id)
      .bind("service", service)
      .run();
}

}  // namespace stackd::store
