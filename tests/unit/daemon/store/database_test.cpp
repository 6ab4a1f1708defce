#include "daemon/store/database.hpp"

#include <sys/stat.h>

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using store::Database;
using store::Statement;
using store::Transaction;
using util::ErrorKind;

namespace {

std::int64_t number(Database& db, const std::string& sql) {
  Statement s(db, sql);
  REQUIRE(s.step());
  return s.integer(0);
}

std::string word(Database& db, const std::string& sql) {
  Statement s(db, sql);
  REQUIRE(s.step());
  return s.text(0);
}

template <class F>
util::Error error_of(F f) {
  try {
    f();
  } catch (const util::Error& error) {
    return error;
  }
  FAIL("nothing was thrown");
  throw std::logic_error("unreachable");
}

mode_t mode_of(const std::filesystem::path& file) {
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("the file and its log are for their owner only, whatever the umask", "[store]") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  const auto old = ::umask(0);
  {
    Database db(file);
    db.execute("CREATE TABLE t (x INTEGER) STRICT");
    CHECK(mode_of(file) == 0600);
    CHECK(mode_of(file.string() + "-wal") == 0600);
  }
  ::umask(old);
  ::chmod(file.c_str(), 0644);
  Database again(file);
  CHECK(mode_of(file) == 0600);
}

TEST_CASE("every commit is synced to the log, references are checked, memory stays small", "[store]") {
  test::TempDir dir;
  Database db(dir.path() / "state.db");
  CHECK(word(db, "PRAGMA journal_mode") == "wal");
  CHECK(number(db, "PRAGMA synchronous") == 2);
  CHECK(number(db, "PRAGMA foreign_keys") == 1);
  CHECK(number(db, "PRAGMA cache_size") == -1024);
  CHECK(number(db, "PRAGMA mmap_size") == 0);
  CHECK(number(db, "PRAGMA busy_timeout") >= 1000);
}

TEST_CASE("values come back as they were bound, null and empty text kept apart", "[store]") {
  Database db(":memory:");
  db.execute("CREATE TABLE t (i INTEGER, s TEXT, n TEXT) STRICT");
  const std::string odd("a\0b'\xc3\xa4", 6);
  Statement(db, "INSERT INTO t VALUES (:i, :s, :n)")
      .bind("i", std::int64_t{1} << 60)
      .bind(":s", odd)
      .bind("n", std::optional<std::string>())
      .run();
  Statement(db, "INSERT INTO t VALUES (:i, :s, :n)")
      .bind("i", true)
      .bind("s", std::string_view())
      .bind_null("n")
      .run();
  Statement s(db, "SELECT i, s, n FROM t ORDER BY i DESC");
  REQUIRE(s.step());
  CHECK(s.integer(0) == std::int64_t{1} << 60);
  CHECK(s.text(1) == odd);
  CHECK(s.is_null(2));
  CHECK_FALSE(s.maybe_text(2));
  REQUIRE(s.step());
  CHECK(s.maybe_integer(0) == 1);
  CHECK(s.maybe_text(1) == "");
  CHECK_FALSE(s.step());
}

TEST_CASE("one text can be run again while its rows are being read", "[store]") {
  Database db(":memory:");
  db.execute("CREATE TABLE t (x INTEGER) STRICT; INSERT INTO t VALUES (1), (2), (3)");
  int seen = 0;
  for (Statement outer(db, "SELECT x FROM t ORDER BY x"); outer.step();)
    for (Statement inner(db, "SELECT x FROM t ORDER BY x"); inner.step();) ++seen;
  CHECK(seen == 9);
}

TEST_CASE("a statement from the cache starts without the last one's values", "[store]") {
  Database db(":memory:");
  { Statement(db, "SELECT :x").bind("x", 5).step(); }
  Statement again(db, "SELECT :x");
  REQUIRE(again.step());
  CHECK(again.is_null(0));
}

TEST_CASE("an error names the SQL and the reason", "[store]") {
  Database db(":memory:");
  auto error = error_of([&] { db.execute("SELECT * FROM nowhere"); });
  CHECK(error.kind() == ErrorKind::io);
  CHECK(std::string(error.what()) == "cannot run \"SELECT * FROM nowhere\": no such table: nowhere");
  CHECK(error_of([&] { Statement(db, "SELECT 1").bind("x", 1); }).kind() == ErrorKind::internal);
  CHECK(error_of([&] { Statement(db, "INSERT INTO steps (operation_id) VALUES (NULL)").run(); }).kind() ==
        ErrorKind::io);
}

TEST_CASE("a taken key is a conflict, so that callers can tell it from a broken disk", "[store]") {
  Database db(":memory:");
  db.execute("CREATE TABLE t (x INTEGER UNIQUE) STRICT; INSERT INTO t VALUES (1)");
  CHECK(error_of([&] { Statement(db, "INSERT INTO t VALUES (1)").run(); }).kind() == ErrorKind::conflict);
}

TEST_CASE("a transaction that is not committed never happened", "[store]") {
  Database db(":memory:");
  db.execute("CREATE TABLE t (x INTEGER) STRICT");
  {
    Transaction transaction(db);
    Statement(db, "INSERT INTO t VALUES (1)").run();
  }
  CHECK(number(db, "SELECT count(*) FROM t") == 0);
  {
    Transaction transaction(db);
    Statement(db, "INSERT INTO t VALUES (1)").run();
    transaction.commit();
  }
  CHECK(number(db, "SELECT count(*) FROM t") == 1);
}

TEST_CASE("the observer sees every commit before and after, a transaction's and a lone statement's",
          "[store]") {
  Database db(":memory:");
  db.execute("CREATE TABLE t (x INTEGER) STRICT");
  std::vector<std::string> seen;
  db.on_commit([&](Database::CommitPoint point, std::uint64_t n) {
    seen.push_back((point == Database::CommitPoint::before ? "before " : "after ") + std::to_string(n));
  });
  Statement(db, "INSERT INTO t VALUES (1)").run();
  {
    Transaction transaction(db);
    Statement(db, "INSERT INTO t VALUES (2)").run();
    Statement(db, "INSERT INTO t VALUES (3)").run();
    transaction.commit();
  }
  number(db, "SELECT count(*) FROM t");
  CHECK(seen == std::vector<std::string>{"before 1", "after 1", "before 2", "after 2"});
}

TEST_CASE("an observer that throws before a commit undoes it", "[store]") {
  Database db(":memory:");
  db.execute("CREATE TABLE t (x INTEGER) STRICT");
  db.on_commit([](Database::CommitPoint point, std::uint64_t) {
    if (point == Database::CommitPoint::before)
      throw util::Error(ErrorKind::io, "cannot write: disk is full");
  });
  CHECK_THROWS_AS(
      [&] {
        Transaction transaction(db);
        Statement(db, "INSERT INTO t VALUES (1)").run();
        transaction.commit();
      }(),
      util::Error);
  CHECK_THROWS_AS(Statement(db, "INSERT INTO t VALUES (1)").run(), util::Error);
  db.on_commit(nullptr);
  CHECK(number(db, "SELECT count(*) FROM t") == 0);
}

TEST_CASE("a full disk undoes the transaction and leaves a database that goes on when there is room",
          "[store]") {
  test::TempDir dir;
  Database db(dir.path() / "state.db");
  db.execute("CREATE TABLE t (x TEXT) STRICT");
  const auto pages = number(db, "PRAGMA page_count");
  db.execute("PRAGMA max_page_count = " + std::to_string(pages + 2));
  auto error = error_of([&] {
    Transaction transaction(db);
    for (int i = 0; i < 100; ++i)
      Statement(db, "INSERT INTO t VALUES (:x)").bind("x", std::string(4000, 'x')).run();
    transaction.commit();
  });
  CHECK(error.kind() == ErrorKind::io);
  CHECK(std::string(error.what()).find("database or disk is full") != std::string::npos);
  db.execute("PRAGMA max_page_count = 1000000");
  {
    Transaction transaction(db);
    Statement(db, "INSERT INTO t VALUES ('fits')").run();
    transaction.commit();
  }
  CHECK(number(db, "SELECT count(*) FROM t") == 1);
}
