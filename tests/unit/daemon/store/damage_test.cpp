// Files cut short at every place a crash or a full disk may cut them: either the database opens with a state
// that it once had, or it is refused with a message. Never a crash, never half a transaction.
#include "daemon/store/records.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using store::Database;

namespace {

struct Image {
  std::string file, log;
};

// Ten transactions of two rows each, all in the log and not in the file; as a crash leaves them.
Image crashed_image(bool checkpointed) {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  Database db(file);
  db.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  for (int i = 0; i < 10; ++i) {
    store::Transaction transaction(db);
    store::Stacks::put(db, {.id = "s" + std::to_string(i), .name = "s", .spec = std::string(1500, 'x')});
    store::Events::append(db, {.stack_id = "s" + std::to_string(i), .kind = "warning", .data = "{}"});
    transaction.commit();
  }
  if (checkpointed) db.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  return {util::read_file(file), util::read_file_if_there(file.string() + "-wal").value_or("")};
}

// How many transactions the reopened database has; nothing when it was refused.
std::optional<std::size_t> reopen(const std::string& file_bytes, const std::string& log_bytes) {
  test::TempDir dir;
  const auto file = dir.write("state.db", file_bytes);
  if (!log_bytes.empty()) dir.write("state.db-wal", log_bytes);
  try {
    Database db(file);
    const auto stacks = store::Stacks::all(db);
    const auto events = store::Events::after(db, 0, "", "", 100);
    CHECK(stacks.size() == events.size());
    for (std::size_t i = 0; i < stacks.size(); ++i) CHECK(stacks[i].id == events[i].stack_id);
    store::Stacks::put(db, {.id = "new", .name = "new"});
    CHECK(store::Stacks::get(db, "new"));
    return stacks.size();
  } catch (const util::Error& error) {
    CHECK(std::string(error.what()).find("cannot open " + file.string()) == 0);
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("a log cut short anywhere gives the transactions before the cut, whole", "[store]") {
  const auto image = crashed_image(false);
  REQUIRE(image.log.size() > 10 * 4096);
  std::size_t before = 0;
  for (std::size_t length = 0; length <= image.log.size(); length += 1021) {
    INFO("log cut at " << length << " of " << image.log.size());
    const auto found = reopen(image.file, image.log.substr(0, length));
    REQUIRE(found);
    CHECK(*found >= before);
    before = *found;
  }
  CHECK(reopen(image.file, image.log) == 10u);
}

TEST_CASE("a log with a damaged byte gives the transactions before it", "[store]") {
  const auto image = crashed_image(false);
  for (std::size_t at = 100; at < image.log.size(); at += 6007) {
    INFO("byte " << at);
    auto log = image.log;
    log[at] = static_cast<char>(log[at] ^ 0x55);
    const auto found = reopen(image.file, log);
    REQUIRE(found);
    CHECK(*found < 10);
  }
}

TEST_CASE("a database file cut short is refused when it is opened, and not found out later", "[store]") {
  const auto image = crashed_image(true);
  REQUIRE(image.file.size() > 10 * 4096);
  for (std::size_t length = 1; length < image.file.size(); length += 4001) {
    INFO("file cut at " << length << " of " << image.file.size());
    CHECK_FALSE(reopen(image.file.substr(0, length), ""));
  }
  CHECK(reopen(image.file, "") == 10u);
}

TEST_CASE("a file that is no database is refused and left alone", "[store]") {
  test::TempDir dir;
  const std::string text(5000, 'z');
  const auto file = dir.write("state.db", text);
  std::string message;
  try {
    Database db(file);
  } catch (const util::Error& error) {
    message = error.what();
  }
  CHECK(message.find("cannot open " + file.string() + ": ") == 0);
  CHECK(message.find("file is not a database") != std::string::npos);
  CHECK(util::read_file(file) == text);
}
