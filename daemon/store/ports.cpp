#include "daemon/store/records.hpp"
#include "daemon/util/error.hpp"

namespace stackd::store {

namespace {

constexpr const char* k_select = "SELECT port, host_ip, protocol, stack_id, service, key, active FROM ports ";

PortRow read(const Statement& s) {
  return {.port = static_cast<int>(s.integer(0)),
          .host_ip = s.text(1),
          .protocol = s.text(2),
          .stack_id = s.text(3),
          .service = s.text(4),
          .key = s.text(5),
          .active = s.integer(6) != 0};
}

util::Error taken(Database& db, const PortRow& row) {
  std::string who = "another service";
  Statement s(
      db, "SELECT service, stack_id FROM ports WHERE port = :port AND protocol = :protocol AND active = 1");
  s.bind("port", row.port).bind("protocol", row.protocol);
  if (s.step()) who = "service " + s.text(0) + " of stack " + s.text(1);
  return util::Error(util::ErrorKind::conflict, "cannot reserve port " + std::to_string(row.port) + "/" +
                                                    row.protocol + " for service " + row.service + ": " +
                                                    who + " has it");
}

}  // namespace

std::vector<PortRow> Ports::all(Database& db) {
  std::vector<PortRow> rows;
  for (Statement s(db, std::string(k_select) + "ORDER BY port, protocol, active DESC, stack_id"); s.step();)
    rows.push_back(read(s));
  return rows;
}

std::vector<PortRow> Ports::of_stack(Database& db, const std::string& stack_id) {
  Statement s(db, std::string(k_select) + "WHERE stack_id = :stack_id ORDER BY service, key");
  s.bind("stack_id", stack_id);
  std::vector<PortRow> rows;
  while (s.step()) rows.push_back(read(s));
  return rows;
}

void Ports::put(Database& db, const PortRow& row) {
  Statement s(db,
              "INSERT INTO ports (stack_id, service, key, port, host_ip, protocol, active) "
              "VALUES (:stack_id, :service, :key, :port, :host_ip, :protocol, :active) "
              "ON CONFLICT (stack_id, service, key) DO UPDATE SET port = excluded.port, "
              "host_ip = excluded.host_ip, protocol = excluded.protocol, active = excluded.active");
  s.bind("stack_id", row.stack_id).bind("service", row.service).bind("key", row.key).bind("port", row.port);
  s.bind("host_ip", row.host_ip).bind("protocol", row.protocol).bind("active", row.active);
  try {
    s.run();
  } catch (const util::Error& error) {
    if (error.kind() != util::ErrorKind::conflict) throw;
    throw taken(db, row);
  }
}

void Ports::release(Database& db, const std::string& stack_id) {
  Statement(db, "UPDATE ports SET active = 0 WHERE stack_id = :stack_id").bind("stack_id", stack_id).run();
}

}  // namespace stackd::store
