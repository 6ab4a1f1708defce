#include "daemon/logs/saved_log.hpp"

#include "daemon/logs/marks.hpp"
#include "daemon/util/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using namespace stackd::logs;

namespace {

ToSave of(const std::filesystem::path& stack, const std::string& id) {
  ToSave what;
  what.stack = stack;
  what.service = "web";
  what.id = id;
  what.limit = 100;
  return what;
}

}  // namespace

TEST_CASE("X35: of a container that somebody else has removed a sentence stands in the place of its log",
          "[logs]") {
  test::TempDir dir;
  const auto what = of(dir.path(), "0123456789abcdef");
  note_unsaved(what, "somebody has removed it", "2026-08-01T09:30:00.000000000Z o ready\n");
  const auto all = saved_logs(dir.path(), "web");
  REQUIRE(all.size() == 1);
  CHECK(all[0].note == "somebody has removed it");
  CHECK(all[0].file == saved_log_path(dir.path(), "web", 1, what.id));
  // What is there is not replaced by less.
  note_unsaved(what, "again", "");
  CHECK(saved_logs(dir.path(), "").at(0).note == "somebody has removed it");
}

TEST_CASE("X35: of one service a few times the limit is kept, and the oldest go first", "[logs]") {
  test::TempDir dir;
  for (int number = 0; number < 9; ++number) {
    auto what = of(dir.path(), "container-" + std::to_string(number));
    note_unsaved(what, "", std::string(90, 'x') + "\n");
  }
  const auto left = saved_logs(dir.path(), "web");
  REQUIRE(left.size() == 4);
  CHECK(left.back().file.filename() == "1-container-8.log");
}

TEST_CASE("a saved line is its time, its stream and its text", "[logs]") {
  const auto line = parse_saved_line("2026-08-01T09:30:00.1Z e two words");
  REQUIRE(line);
  CHECK(line->time == "2026-08-01T09:30:00.1Z");
  CHECK(line->text == "two words");
  CHECK(line->err);
  CHECK(parse_saved_line("2026-08-01T09:30:00.1Z o ")->text.empty());
  CHECK_FALSE(parse_saved_line("torn"));
}

TEST_CASE("a mark reads as it was written, and names a replica but the first", "[logs]") {
  CHECK(mark_text("web", 1, "replaced") == "— web replaced —");
  CHECK(mark_text("web", 2, "replaced") == "— web-2 replaced —");
  const auto mark = parse_mark("2026-08-01T09:30:00.000Z\tweb\t2\t— web-2 replaced —");
  REQUIRE(mark);
  CHECK(mark->service == "web");
  CHECK(mark->number == 2);
  CHECK_FALSE(parse_mark("no mark"));
}
