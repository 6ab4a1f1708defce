#include "daemon/store/kept.hpp"

namespace stackd::store {
namespace {

void run(Database& db, const char* sql, const std::string& stack_id) {
  Statement(db, sql).bind("stack_id", stack_id).run();
}

bool any(Database& db, const char* sql, const std::string& stack_id) {
  Statement s(db, sql);
  s.bind("stack_id", stack_id);
  return s.step();
}

}  // namespace

void Kept::put(Database& db, const KeptRow& row) {
  Statement(db,
            "INSERT INTO kept (stack_id, service, container, name, state, policy, retries, endpoints, aside, "
            "number) VALUES (:stack_id, :service, :container, :name, :state, :policy, :retries, :endpoints, "
            ":aside, "
            "(SELECT coalesce(max(number), 0) + 1 FROM kept WHERE stack_id = :stack_id)) "
            "ON CONFLICT (stack_id, service, container) DO UPDATE SET aside = max(aside, excluded.aside)")
      .bind("stack_id", row.stack_id)
      .bind("service", row.service)
      .bind("container", row.container)
      .bind("name", row.name)
      .bind("state", row.state)
      .bind("policy", row.policy)
      .bind("retries", row.retries)
      .bind("endpoints", row.endpoints)
      .bind("aside", row.aside ? 1 : 0)
      .run();
}

std::vector<KeptRow> Kept::of_stack(Database& db, const std::string& stack_id) {
  Statement s(db,
              "SELECT stack_id, service, container, name, state, policy, retries, endpoints, aside FROM kept "
              "WHERE stack_id = :stack_id ORDER BY number");
  s.bind("stack_id", stack_id);
  std::vector<KeptRow> rows;
  while (s.step())
    rows.push_back({.stack_id = s.text(0),
                    .service = s.text(1),
                    .container = s.text(2),
                    .name = s.text(3),
                    .state = s.text(4),
                    .policy = s.text(5),
                    .retries = static_cast<int>(s.integer(6)),
                    .endpoints = s.text(7),
                    .aside = s.integer(8) != 0});
  return rows;
}

void Former::remember(Database& db, const std::string& stack_id) {
  if (exists(db, stack_id) && !Kept::of_stack(db, stack_id).empty()) return;
  forget(db, stack_id);
  run(db,
      "INSERT INTO former_stacks SELECT id, format, profile, spec, facts FROM stacks WHERE id = :stack_id",
      stack_id);
  run(db,
      "INSERT INTO former_ports (stack_id, service, key, port, host_ip, protocol, active) "
      "SELECT stack_id, service, key, port, host_ip, protocol, active FROM ports WHERE stack_id = :stack_id",
      stack_id);
}

bool Former::exists(Database& db, const std::string& stack_id) {
  return any(db, "SELECT 1 FROM former_stacks WHERE stack_id = :stack_id", stack_id);
}

void Former::restore(Database& db, const std::string& stack_id, const std::string& operation_id) {
  Statement(db,
            "INSERT OR IGNORE INTO refused_specs (operation_id, spec) "
            "SELECT :operation_id, spec FROM stacks WHERE id = :stack_id")
      .bind("operation_id", operation_id)
      .bind("stack_id", stack_id)
      .run();
  run(db,
      "UPDATE stacks SET (format, profile, spec, facts) = "
      "(SELECT format, profile, spec, facts FROM former_stacks WHERE stack_id = :stack_id) "
      "WHERE id = :stack_id AND EXISTS (SELECT 1 FROM former_stacks WHERE stack_id = :stack_id)",
      stack_id);
}

void Former::restore_ports(Database& db, const std::string& stack_id) {
  run(db, "UPDATE ports SET active = 0 WHERE stack_id = :stack_id", stack_id);
  run(db,
      "INSERT INTO ports (stack_id, service, key, port, host_ip, protocol, active) "
      "SELECT stack_id, service, key, port, host_ip, protocol, active FROM former_ports "
      "WHERE stack_id = :stack_id "
      "ON CONFLICT (stack_id, service, key) DO UPDATE SET port = excluded.port, "
      "host_ip = excluded.host_ip, protocol = excluded.protocol, active = excluded.active",
      stack_id);
}

void Former::forget(Database& db, const std::string& stack_id) {
  run(db, "DELETE FROM kept WHERE stack_id = :stack_id", stack_id);
  run(db, "DELETE FROM former_ports WHERE stack_id = :stack_id", stack_id);
  run(db, "DELETE FROM former_stacks WHERE stack_id = :stack_id", stack_id);
}

}  // namespace stackd::store
