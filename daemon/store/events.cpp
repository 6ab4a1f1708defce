#include "daemon/store/records.hpp"

namespace stackd::store {

std::int64_t Events::append(Database& db, const EventRow& row) {
  Statement(db,
            "INSERT INTO events (at, stack_id, operation_id, kind, data) "
            "VALUES (:at, :stack_id, :operation_id, :kind, :data)")
      .bind("at", row.at)
      .bind("stack_id", row.stack_id)
      .bind("operation_id", row.operation_id)
      .bind("kind", row.kind)
      .bind("data", row.data)
      .run();
  return db.last_insert_id();
}

std::vector<EventRow> Events::after(Database& db, std::int64_t sequence, const std::string& stack_id,
                                    const std::string& operation_id, int limit) {
  // A text of its own for every combination, so that each uses its index.
  std::string sql =
      "SELECT sequence, at, stack_id, operation_id, kind, data FROM events WHERE sequence > :sequence ";
  if (!stack_id.empty()) sql += "AND stack_id = :stack_id ";
  if (!operation_id.empty()) sql += "AND operation_id = :operation_id ";
  Statement s(db, sql + "ORDER BY sequence LIMIT :limit");
  s.bind("sequence", sequence).bind("limit", limit);
  if (!stack_id.empty()) s.bind("stack_id", stack_id);
  if (!operation_id.empty()) s.bind("operation_id", operation_id);
  std::vector<EventRow> rows;
  while (s.step())
    rows.push_back({.sequence = s.integer(0),
                    .at = s.integer(1),
                    .stack_id = s.text(2),
                    .operation_id = s.text(3),
                    .kind = s.text(4),
                    .data = s.text(5)});
  return rows;
}

std::int64_t Events::newest(Database& db) {
  // Not MAX(sequence): the newest rows may have gone with their stack, and their numbers stay used.
  Statement s(db, "SELECT seq FROM sqlite_sequence WHERE name = 'events'");
  return s.step() ? s.integer(0) : 0;
}

void Events::prune(Database& db, std::int64_t keep) {
  Statement(db,
            "DELETE FROM events WHERE sequence <= (SELECT sequence FROM events ORDER BY sequence DESC "
            "LIMIT 1 OFFSET :keep)")
      .bind("keep", keep)
      .run();
}

}  // namespace stackd::store
