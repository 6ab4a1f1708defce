// SQLite kept small: connection, statement, transaction. WAL, synchronous=FULL, foreign keys, STRICT tables.
// Synchronous; used by one thread at a time (the daemon wraps it in async::Serial). Throws Error(io) that
// names the SQL, Error(conflict) when a unique key is taken; a newer schema is refused by number
// (unsupported).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/util/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace stackd::store {

// The disk, or somebody's share of it, is full: what was to be written is not, and can be tried again.
class NoRoom : public util::Error {
public:
  explicit NoRoom(const std::string& what) : Error(util::ErrorKind::io, what) {}
};

class Database;

// One prepared statement, bound by name (":id"; the colon may be left out). Reset when it goes away.
class Statement {
public:
  Statement(Database& db, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(const char* name, std::int64_t value);
  Statement& bind(const char* name, int value) { return bind(name, static_cast<std::int64_t>(value)); }
  Statement& bind(const char* name, bool value) { return bind(name, static_cast<std::int64_t>(value)); }
  Statement& bind(const char* name, std::string_view value);
  Statement& bind(const char* name, const std::string& value) { return bind(name, std::string_view(value)); }
  Statement& bind(const char* name, const char* value) { return bind(name, std::string_view(value)); }
  template <class T>
  Statement& bind(const char* name, const std::optional<T>& value) {
    return value ? bind(name, *value) : bind_null(name);
  }
  Statement& bind_null(const char* name);

  // True while there is a row.
  bool step();
  // For statements without rows: steps once, returns how many rows changed.
  int run();

  // Columns of the current row, from 0. NULL reads as 0, "" and false.
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;
  std::optional<std::int64_t> maybe_integer(int column) const;
  std::optional<std::string> maybe_text(int column) const;

private:
  int place_of(const char* name) const;
  void check_bound(int code, const char* name) const;

  Database& db_;
  sqlite3_stmt* statement_;
};

// BEGIN IMMEDIATE; rolled back unless commit() was called.
class Transaction {
public:
  explicit Transaction(Database& db);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

private:
  Database& db_;
  bool open_ = true;
};

class Database {
public:
  // Opens (makes, mode 0600) the file and brings its schema up to date; ":memory:" for tests. A damaged file
  // is refused here, and not found out in the middle of an operation.
  explicit Database(const std::filesystem::path& file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(std::string_view sql);  // one or more statements without parameters
  std::int64_t last_insert_id() const;
  int schema_version();
  const std::filesystem::path& file() const { return file_; }

  // Called around every commit from now on with its number, from 1, be it a transaction's or that of a
  // statement alone (not execute()'s); crash tests end the process in it. Throwing before a commit undoes it.
  enum class CommitPoint { before, after };
  void on_commit(std::function<void(CommitPoint, std::uint64_t)> observer);
  // How many there were, counted as above.
  std::uint64_t commits() const { return commits_; }

private:
  friend class Statement;
  friend class Transaction;
  // Owns the connection, and the prepared statements by their text.
  struct Connection;
  template <class F>
  void committing(F commit);
  void check_whole(const std::filesystem::path& file);
  [[noreturn]] void fail(int code, std::string_view sql) const;

  std::filesystem::path file_;
  std::unique_ptr<Connection> connection_;
  std::function<void(CommitPoint, std::uint64_t)> observer_;
  std::uint64_t commits_ = 0;
};

}  // namespace stackd::store
