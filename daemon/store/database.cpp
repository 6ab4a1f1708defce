#include "daemon/store/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <unordered_map>

#include "daemon/store/migrations.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::store {

namespace {

using util::Error;
using util::ErrorKind;

// About 1 MB of pages and no mapping: the daemon is small, and so is what it looks at. The log is cut back
// after a checkpoint, so that one long operation does not leave a big file for ever.
constexpr const char* k_settings =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA recursive_triggers = ON;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cache_size = -1024;"
    "PRAGMA mmap_size = 0;"
    "PRAGMA journal_size_limit = 4194304;";

constexpr int k_busy_ms = 5000;
constexpr const char* k_what_to_do = "; if it is damaged, move it away (with its -wal file) and start again";

// SQLite would make it with the umask's mode; the log and the shared memory inherit the mode of the file.
void make_private(const std::filesystem::path& file) {
  const util::Fd fd(::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  if (!fd) throw util::system_error("cannot open " + file.string(), errno);
  if (::fchmod(fd.get(), 0600) != 0) throw util::system_error("cannot protect " + file.string(), errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw util::system_error("cannot open " + file.string(), errno);
  // SQLite would take what is shorter than its smallest page for a new, empty database.
  if (status.st_size > 0 && status.st_size < 512)
    throw Error(ErrorKind::io, "cannot open " + file.string() + ": it is cut short" + k_what_to_do);
}

std::string shortened(std::string_view sql) {
  constexpr std::size_t k_limit = 120;
  return sql.size() <= k_limit ? std::string(sql) : std::string(sql.substr(0, k_limit)) + "…";
}

bool is_key_taken(int code) {
  return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
         code == SQLITE_CONSTRAINT_ROWID;
}

}  // namespace

struct Database::Connection {
  sqlite3* handle = nullptr;
  // One idle statement a text; the texts are literals of this folder, so there is no limit to keep.
  std::unordered_map<std::string, sqlite3_stmt*> idle;

  ~Connection() {
    for (auto& [text, statement] : idle) sqlite3_finalize(statement);
    sqlite3_close(handle);
  }
};

// ---- Database

Database::Database(const std::filesystem::path& file)
    : file_(file), connection_(std::make_unique<Connection>()) {
  const bool in_memory = file == ":memory:";
  if (!in_memory) make_private(file);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  try {
    const int code = sqlite3_open_v2(file.c_str(), &connection_->handle, flags, nullptr);
    if (code != SQLITE_OK) fail(code, "open");
    sqlite3_busy_timeout(connection_->handle, k_busy_ms);
    execute(k_settings);
    if (!in_memory) check_whole(file);
  } catch (const NoRoom& error) {
    throw NoRoom("cannot open " + file.string() + ": " + error.what());
  } catch (const Error& error) {
    throw Error(error.kind(), "cannot open " + file.string() + ": " + error.what() + k_what_to_do);
  }
  migrate(*this, file, migrations());
}

Database::~Database() = default;

void Database::execute(std::string_view sql) {
  const std::string text(sql);
  const int code = sqlite3_exec(connection_->handle, text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, sql);
}

void Database::check_whole(const std::filesystem::path& file) {
  {
    Statement check(*this, "PRAGMA quick_check(1)");
    if (check.step() && check.text(0) != "ok") throw Error(ErrorKind::io, check.text(0));
  }
  // The check above sees no text that is missing at the end of the last page. Once the log has been written
  // back the size says it; when someone else reads just now, it is not written back, and there is nothing to
  // compare.
  bool busy = true;
  try {
    Statement write_back(*this, "PRAGMA wal_checkpoint(TRUNCATE)");
    busy = !write_back.step() || write_back.integer(0) != 0;
  } catch (const NoRoom&) {
    // On a full disk it stays in the log, which is as good.
  }
  Statement size(*this, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  if (!busy && size.step() && std::filesystem::file_size(file) < static_cast<std::uintmax_t>(size.integer(0)))
    throw Error(ErrorKind::io, "it is cut short");
}

std::int64_t Database::last_insert_id() const {
  return sqlite3_last_insert_rowid(connection_->handle);
}

int Database::schema_version() {
  Statement statement(*this, "PRAGMA user_version");
  statement.step();
  return static_cast<int>(statement.integer(0));
}

void Database::on_commit(std::function<void(CommitPoint, std::uint64_t)> observer) {
  observer_ = std::move(observer);
  commits_ = 0;
}

template <class F>
void Database::committing(F commit) {
  const auto number = ++commits_;
  if (observer_) observer_(CommitPoint::before, number);
  commit();
  if (observer_) observer_(CommitPoint::after, number);
}

void Database::fail(int code, std::string_view sql) const {
  const char* why = connection_->handle ? sqlite3_errmsg(connection_->handle) : sqlite3_errstr(code);
  const int system = connection_->handle ? sqlite3_system_errno(connection_->handle) : 0;
  const bool io = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  if ((code & 0xff) == SQLITE_FULL || (io && (system == ENOSPC || system == EDQUOT)))
    throw NoRoom("cannot run \"" + shortened(sql) + "\": database or disk is full");
  throw Error(is_key_taken(code) ? ErrorKind::conflict : ErrorKind::io,
              "cannot run \"" + shortened(sql) + "\": " + why);
}

// ---- Statement

Statement::Statement(Database& db, std::string_view sql) : db_(db) {
  // Taken out of the cache while it is in use: the same text may be run again meanwhile.
  if (const auto found = db_.connection_->idle.find(std::string(sql)); found != db_.connection_->idle.end()) {
    statement_ = found->second;
    db_.connection_->idle.erase(found);
    return;
  }
  const int code = sqlite3_prepare_v3(db_.connection_->handle, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (code != SQLITE_OK) db_.fail(code, sql);
}

Statement::~Statement() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  const bool kept = db_.connection_->idle.emplace(sqlite3_sql(statement_), statement_).second;
  if (!kept) sqlite3_finalize(statement_);
}

int Statement::place_of(const char* name) const {
  const std::string full = *name == ':' ? name : std::string(":") + name;
  const int place = sqlite3_bind_parameter_index(statement_, full.c_str());
  if (place == 0)
    throw Error(ErrorKind::internal, "cannot bind " + full + ": \"" + shortened(sqlite3_sql(statement_)) +
                                         "\" has no such parameter");
  return place;
}

void Statement::check_bound(int code, const char* name) const {
  if (code != SQLITE_OK) db_.fail(code, std::string("bind ") + name);
}

Statement& Statement::bind(const char* name, std::int64_t value) {
  check_bound(sqlite3_bind_int64(statement_, place_of(name), value), name);
  return *this;
}

Statement& Statement::bind(const char* name, std::string_view value) {
  // A null pointer would bind NULL, and an empty view may have one.
  const char* data = value.data() ? value.data() : "";
  check_bound(
      sqlite3_bind_text64(statement_, place_of(name), data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8),
      name);
  return *this;
}

Statement& Statement::bind_null(const char* name) {
  check_bound(sqlite3_bind_null(statement_, place_of(name)), name);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) db_.fail(code, sqlite3_sql(statement_));
  return false;
}

int Statement::run() {
  const bool commits = sqlite3_get_autocommit(db_.connection_->handle) && !sqlite3_stmt_readonly(statement_);
  if (commits) {
    db_.committing([this] { step(); });
  } else {
    step();
  }
  return sqlite3_changes(db_.connection_->handle);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return data ? std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
              : std::string();
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::optional<std::int64_t> Statement::maybe_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}

std::optional<std::string> Statement::maybe_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional(text(column));
}

// ---- Transaction

Transaction::Transaction(Database& db) : db_(db) {
  Statement(db_, "BEGIN IMMEDIATE").step();
}

Transaction::~Transaction() {
  // A full disk may have undone it already, and then there is nothing to roll back.
  if (!open_ || sqlite3_get_autocommit(db_.connection_->handle)) return;
  sqlite3_exec(db_.connection_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  db_.committing([this] {
    Statement(db_, "COMMIT").step();
    open_ = false;
  });
}

}  // namespace stackd::store
