#include "daemon/store/records.hpp"

namespace stackd::store {

namespace {

constexpr const char* k_select =
    "SELECT stack_id, service, number, container, started_at, state FROM starts ";

StartRow read(const Statement& s) {
  return {.stack_id = s.text(0),
          .service = s.text(1),
          .number = static_cast<int>(s.integer(2)),
          .container = s.text(3),
          .started_at = s.text(4),
          .state = s.text(5)};
}

}  // namespace

void Starts::put(Database& db, const StartRow& row) {
  Statement(db,
            "INSERT INTO starts (stack_id, service, number, container, started_at, state) "
            "VALUES (:stack_id, :service, :number, :container, :started_at, :state) "
            "ON CONFLICT (stack_id, service, number) DO UPDATE SET container = excluded.container, "
            "started_at = excluded.started_at, state = excluded.state")
      .bind("stack_id", row.stack_id)
      .bind("service", row.service)
      .bind("number", row.number)
      .bind("container", row.container)
      .bind("started_at", row.started_at)
      .bind("state", row.state)
      .run();
}

std::vector<StartRow> Starts::of_stack(Database& db, const std::string& stack_id) {
  Statement s(db, std::string(k_select) + "WHERE stack_id = :stack_id ORDER BY service, number");
  s.bind("stack_id", stack_id);
  std::vector<StartRow> rows;
  while (s.step()) rows.push_back(read(s));
  return rows;
}

void Starts::set_state(Database& db, const std::string& container, const std::string& from,
                       const std::string& to) {
  Statement(db,
            "UPDATE starts SET state = :to WHERE container = :container AND (:from = '' OR state = :from)")
      .bind("to", to)
      .bind("container", container)
      .bind("from", from)
      .run();
}

void Starts::owe(Database& db, const std::string& stack_id, const std::string& service) {
  Statement(db, "UPDATE starts SET started_at = '' WHERE stack_id = :stack_id AND service = :service")
      .bind("stack_id", stack_id)
      .bind("service", service)
      .run();
}

void Starts::remove(Database& db, const std::string& stack_id) {
  Statement(db, "DELETE FROM starts WHERE stack_id = :stack_id").bind("stack_id", stack_id).run();
}

}  // namespace stackd::store
