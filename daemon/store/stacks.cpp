#include "daemon/store/records.hpp"

namespace stackd::store {

namespace {

constexpr const char* k_select =
    "SELECT id, name, directory, format, spec, facts, status, profile, last_operation, extra, created_at, "
    "updated_at "
    "FROM stacks ";

StackRow read(const Statement& s) {
  return {.id = s.text(0),
          .name = s.text(1),
          .directory = s.text(2),
          .format = s.text(3),
          .spec = s.text(4),
          .facts = s.text(5),
          .status = s.text(6),
          .profile = s.text(7),
          .last_operation = s.text(8),
          .extra = s.text(9),
          .created_at = s.integer(10),
          .updated_at = s.integer(11)};
}

void set(Database& db, const char* sql, const std::string& id, const std::string& value) {
  Statement(db, sql).bind("value", value).bind("now", util::now_ms()).bind("id", id).run();
}

}  // namespace

void Stacks::put(Database& db, const StackRow& row) {
  // Not INSERT OR REPLACE: that deletes the row first, and everything that refers to it with it.
  Statement(
      db,
      "INSERT INTO stacks (id, name, directory, format, spec, facts, status, profile, last_operation, extra, "
      "created_at, updated_at) VALUES (:id, :name, :directory, :format, :spec, :facts, :status, :profile, "
      ":last_operation, :extra, :created_at, :updated_at) "
      "ON CONFLICT (id) DO UPDATE SET name = excluded.name, directory = excluded.directory, "
      "format = excluded.format, spec = excluded.spec, facts = excluded.facts, status = excluded.status, "
      "profile = excluded.profile, last_operation = excluded.last_operation, extra = excluded.extra, "
      "created_at = excluded.created_at, updated_at = excluded.updated_at")
      .bind("id", row.id)
      .bind("name", row.name)
      .bind("directory", row.directory)
      .bind("format", row.format)
      .bind("spec", row.spec)
      .bind("facts", row.facts)
      .bind("status", row.status)
      .bind("profile", row.profile)
      .bind("last_operation", row.last_operation)
      .bind("extra", row.extra)
      .bind("created_at", row.created_at)
      .bind("updated_at", row.updated_at)
      .run();
}

std::optional<StackRow> Stacks::get(Database& db, const std::string& id) {
  Statement s(db, std::string(k_select) + "WHERE id = :id");
  s.bind("id", id);
  return s.step() ? std::optional(read(s)) : std::nullopt;
}

std::vector<StackRow> Stacks::all(Database& db) {
  std::vector<StackRow> rows;
  for (Statement s(db, std::string(k_select) + "ORDER BY name, id"); s.step();) rows.push_back(read(s));
  return rows;
}

std::vector<StackRow> Stacks::named(Database& db, const std::string& name) {
  Statement s(db, std::string(k_select) + "WHERE name = :name");
  s.bind("name", name);
  std::vector<StackRow> rows;
  while (s.step()) rows.push_back(read(s));
  return rows;
}

std::vector<StackNames> Stacks::names(Database& db) {
  std::vector<StackNames> rows;
  for (Statement s(db, "SELECT id, name, directory, status FROM stacks ORDER BY name, id"); s.step();)
    rows.push_back({s.text(0), s.text(1), s.text(2), s.text(3)});
  return rows;
}

void Stacks::set_status(Database& db, const std::string& id, const std::string& status) {
  set(db, "UPDATE stacks SET status = :value, updated_at = :now WHERE id = :id", id, status);
}

void Stacks::set_last_operation(Database& db, const std::string& id, const std::string& operation,
                                TimeMs at) {
  Statement(db, "UPDATE stacks SET last_operation = :operation, updated_at = :at WHERE id = :id")
      .bind("operation", operation)
      .bind("at", at)
      .bind("id", id)
      .run();
}

void Stacks::set_facts(Database& db, const std::string& id, const std::string& facts) {
  set(db, "UPDATE stacks SET facts = :value, updated_at = :now WHERE id = :id", id, facts);
}

void Stacks::set_extra(Database& db, const std::string& id, const std::string& extra) {
  set(db, "UPDATE stacks SET extra = :value, updated_at = :now WHERE id = :id", id, extra);
}

void Stacks::remove(Database& db, const std::string& id) {
  Statement(db, "DELETE FROM stacks WHERE id = :id").bind("id", id).run();
}

}  // namespace stackd::store
