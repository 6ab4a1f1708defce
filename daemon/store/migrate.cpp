#include <fcntl.h>
#include <sys/stat.h>

#include "daemon/store/migrations.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::store {

namespace {

using util::Error;
using util::ErrorKind;

std::filesystem::path copy_before(const std::filesystem::path& file, int number) {
  return file.string() + ".before-" + std::to_string(number);
}

// VACUUM INTO and not a copy of the file: what is still in the write-ahead log comes along. Renamed when it
// is whole, so that a crash in the middle leaves no half copy under the name that people will look for.
void keep_copy(Database& db, const std::filesystem::path& file, int number) {
  const auto target = copy_before(file, number);
  const std::filesystem::path part = target.string() + ".part";
  std::filesystem::remove(part);
  const util::Fd made(::open(part.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  if (!made) throw util::system_error("cannot make " + part.string(), errno);
  Statement(db, "VACUUM INTO :file").bind("file", part.string()).run();
  if (::fsync(made.get()) != 0) throw util::system_error("cannot write " + part.string(), errno);
  std::filesystem::rename(part, target);
}

[[noreturn]] void refuse_newer(const std::filesystem::path& file, int found, int known) {
  std::string what_to_do = "run the stackd that wrote it, or a newer one";
  const auto copy = copy_before(file, known + 1);
  if (std::filesystem::exists(copy))
    what_to_do += "; or put back " + copy.string() + ", without what happened since";
  throw Error(ErrorKind::unsupported, "cannot open " + file.string() + ": its schema is version " +
                                          std::to_string(found) + ", and this stackd knows versions up to " +
                                          std::to_string(known) + "; " + what_to_do);
}

}  // namespace

void migrate(Database& db, const std::filesystem::path& file, std::span<const Migration> all) {
  const int known = all.empty() ? 0 : all.back().number;
  const int found = db.schema_version();
  if (found > known) refuse_newer(file, found, known);
  if (found == known) return;
  if (found > 0 && file != ":memory:") keep_copy(db, file, found + 1);
  Transaction transaction(db);
  for (const auto& migration : all) {
    if (migration.number <= found) continue;
    try {
      db.execute(migration.sql);
    } catch (const Error& error) {
      throw error.wrap("cannot bring " + file.string() + " up to date with " + migration.name);
    }
  }
  db.execute("PRAGMA user_version = " + std::to_string(known));
  transaction.commit();
}

}  // namespace stackd::store
