#include <sqlite3.h>
#include <sys/stat.h>

#include <map>

#include "daemon/store/migrations.hpp"
#include "daemon/store/records.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using store::Database;
using store::Migration;
using store::Statement;

namespace {

// Rows that each version added to what one of the version before may hold: what a migration after it must
// carry over.
const std::map<int, std::string> k_rows_since = {
    {1, R"sql(
      INSERT INTO stacks VALUES ('a-1', 'a', '/a', 'compose', '{}', '{}', 'up', '', 'op1', '{}', 1, 2);
      INSERT INTO operations VALUES (1, 'op1', 'a-1', 'up', '{}', 'succeeded', 'forward', '', 0, '', '[]', 1, 2);
      INSERT INTO steps VALUES ('op1', 0, 'start db-1', 'start', 'db', '{}', '[]', 'stop', 'done', '', '{}', 1, 2);
      INSERT INTO hook_runs VALUES (1, 'op1-0-1', 'a-1', 'op1', 0, 'before_up', '', '', 'host', 'true', 0, 1,
                                    'succeeded', 0, '', 'log', '', '', 'd', 1, 2);
      INSERT INTO ports VALUES ('a-1', 'db', '5432', 40000, '127.0.0.1', 'tcp', 1);
      INSERT INTO processes (stack_id, service, run_directory, log, definition, log_offset, operation_id, state, restarts)
        VALUES ('a-1', 'api', 'r', 'l', 'd', 0, 'op1', 'ready', 0);
      INSERT INTO events VALUES (7, 1, 'a-1', 'op1', 'operation.ended', '{}');
    )sql"},
    {2, "INSERT INTO starts VALUES ('a-1', 'db', 1, 'c', '2026-01-01T00:00:00Z', 'running');"},
    {3, ""},  // of a table that is there
    {4, "INSERT INTO statuses VALUES ('a-1', 'db', 'ready', '', 2);"},
    {5, "INSERT INTO execs VALUES ('exec-1', 'a-1', 'db', 'c', 'e', 'sh', 1);"},
    {6, R"sql(
      INSERT INTO kept VALUES ('a-1', 'db', 'c', 'a-db-1', 'running', 'always', 0, '{}', 1, 1);
      INSERT INTO former_stacks VALUES ('a-1', 'compose', '', '{}', '{}');
      INSERT INTO former_ports VALUES ('a-1', 'db', '5432', 40000, '127.0.0.1', 'tcp', 1);
      INSERT INTO refused_specs VALUES ('op1', '{}');
    )sql"},
    {7, "INSERT INTO one_offs VALUES ('o', 'a-1', 'db', 'a-db-run-1', 1, 0, 1);"},
};

// A file as an older stackd left it, made with nothing of ours but the migrations' texts.
void build_at(const std::filesystem::path& file, int version) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  const auto run = [&](const std::string& sql) {
    char* why = nullptr;
    const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &why);
    INFO((why ? why : "") << " in " << sql);
    REQUIRE(code == SQLITE_OK);
  };
  run("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON");
  for (const auto& migration : store::migrations())
    if (migration.number <= version) run(migration.sql);
  for (const auto& [since, rows] : k_rows_since)
    if (since <= version) run(rows);
  run("PRAGMA user_version = " + std::to_string(version));
  sqlite3_close(db);
}

std::int64_t number(Database& db, const std::string& sql) {
  Statement s(db, sql);
  REQUIRE(s.step());
  return s.integer(0);
}

}  // namespace

TEST_CASE("migrations are numbered from 1 without holes, and each has rows to carry over", "[store]") {
  int expected = 1;
  for (const auto& migration : store::migrations()) {
    CHECK(migration.number == expected++);
    CHECK(k_rows_since.count(migration.number) == 1);
  }
  CHECK(expected > 1);
}

TEST_CASE("every version becomes the newest one with its rows, and a copy of it is kept", "[store]") {
  const int newest = store::migrations().back().number;
  for (int version = 0; version <= newest; ++version) {
    INFO("from version " << version);
    test::TempDir dir;
    const auto file = dir.path() / "state.db";
    build_at(file, version);
    Database db(file);
    CHECK(db.schema_version() == newest);
    CHECK(number(db, "SELECT count(*) FROM pragma_foreign_key_check") == 0);
    const std::int64_t rows = version == 0 ? 0 : 1;
    for (const char* table : {"stacks", "operations", "steps", "hook_runs", "ports", "processes", "events"})
      CHECK(number(db, std::string("SELECT count(*) FROM ") + table) == rows);
    CHECK(number(db, "SELECT count(*) FROM starts") == (version < 2 ? 0 : 1));
    CHECK(std::filesystem::exists(file.string() + ".before-" + std::to_string(version + 1)) ==
          (version > 0 && version < newest));
    store::StackRow stack{.id = "b-1", .name = "b"};
    store::Stacks::put(db, stack);
    CHECK(store::Stacks::get(db, "b-1"));
  }
}

TEST_CASE("all tables are strict", "[store]") {
  Database db(":memory:");
  CHECK(number(db,
               "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
               "AND name NOT LIKE 'sqlite_%' AND strict = 0") == 0);
}

TEST_CASE("a newer schema is refused by number with what to do, and left as it is", "[store]") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  const int known = store::migrations().back().number;
  {
    Database db(file);
    db.execute("PRAGMA user_version = 99");
  }
  const auto message = [&] {
    try {
      Database db(file);
    } catch (const util::Error& error) {
      CHECK(error.kind() == util::ErrorKind::unsupported);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message() == "cannot open " + file.string() +
                         ": its schema is version 99, and this stackd knows versions up to " +
                         std::to_string(known) + "; run the stackd that wrote it, or a newer one");
  const auto copy = file.string() + ".before-" + std::to_string(known + 1);
  util::write_file(copy, "");
  CHECK(message().find("or put back " + copy) != std::string::npos);
}

TEST_CASE("a migration of an existing database keeps a copy of it, what is still in the log included",
          "[store]") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  Database db(file);
  store::Stacks::put(db, {.id = "a-1", .name = "a"});  // in the log, not in the file
  const auto known = store::migrations();
  std::vector<Migration> more(known.begin(), known.end());
  const int next = more.back().number + 1;
  more.push_back({next, "the_next", "ALTER TABLE stacks ADD COLUMN more TEXT"});
  const auto copy = file.string() + ".before-" + std::to_string(next);
  util::write_file(copy + ".part", "what a crash left");
  store::migrate(db, file, more);
  CHECK(db.schema_version() == next);
  CHECK(number(db, "SELECT count(more) FROM stacks") == 0);
  CHECK_FALSE(std::filesystem::exists(copy + ".part"));

  Database old(copy);
  CHECK(old.schema_version() == next - 1);
  CHECK(store::Stacks::get(old, "a-1"));
  struct stat status {};
  REQUIRE(::stat(copy.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
}

TEST_CASE("a migration that fails leaves the schema, the version and the rows as they were", "[store]") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  Database db(file);
  store::Stacks::put(db, {.id = "a-1", .name = "a"});
  const int newest = store::migrations().back().number;
  const Migration bad[] = {{newest + 1, "good", "CREATE TABLE extra (x INTEGER) STRICT; DELETE FROM stacks"},
                           {newest + 2, "bad", "ALTER TABLE nowhere ADD COLUMN x TEXT"}};
  std::string message;
  try {
    store::migrate(db, file, bad);
  } catch (const util::Error& error) {
    message = error.what();
  }
  CHECK(message.find("cannot bring " + file.string() + " up to date with bad: ") == 0);
  CHECK(db.schema_version() == newest);
  CHECK(store::Stacks::get(db, "a-1"));
  CHECK(number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'") == 0);
}
