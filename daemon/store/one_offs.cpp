#include "daemon/store/records.hpp"

namespace stackd::store {

void OneOffs::put(Database& db, const OneOffRow& row) {
  Statement(db,
            "INSERT INTO one_offs (id, stack_id, service, name, remove, attached, started_at) "
            "VALUES (:id, :stack_id, :service, :name, :remove, :attached, :started_at) "
            "ON CONFLICT (id) DO UPDATE SET attached = excluded.attached")
      .bind("id", row.id)
      .bind("stack_id", row.stack_id)
      .bind("service", row.service)
      .bind("name", row.name)
      .bind("remove", row.remove ? 1 : 0)
      .bind("attached", row.attached ? 1 : 0)
      .bind("started_at", row.started_at)
      .run();
}

std::vector<OneOffRow> OneOffs::all(Database& db) {
  Statement s(db,
              "SELECT id, stack_id, service, name, remove, attached, started_at FROM one_offs "
              "ORDER BY started_at, id");
  std::vector<OneOffRow> rows;
  while (s.step())
    rows.push_back(
        {s.text(0), s.text(1), s.text(2), s.text(3), s.integer(4) != 0, s.integer(5) != 0, s.integer(6)});
  return rows;
}

void OneOffs::remove(Database& db, const std::string& id) {
  Statement(db, "DELETE FROM one_offs WHERE id = :id").bind("id", id).run();
}

}  // namespace stackd::store
