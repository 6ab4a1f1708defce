// A service's log as the shim writes it and the daemon reads it.
#include "daemon/process/log_files.hpp"

#include <unistd.h>

#include "daemon/process/shim/log_file.hpp"
#include "daemon/util/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

namespace stackd::process {
namespace {

using shim::RotatedLog;

std::uint64_t sum_of(const std::filesystem::path& directory) {
  std::uint64_t sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) sum += entry.file_size();
  return sum;
}

// All that is there from `place` on.
std::string all_from(LogFiles& files, std::uint64_t place, std::uint64_t* skipped = nullptr) {
  std::string text;
  for (;;) {
    const auto piece = files.read(place, 1000);
    if (skipped) *skipped += piece.skipped;
    text += piece.text;
    place = piece.end();
    if (piece.text.empty()) return text + piece.unfinished;
  }
}

TEST_CASE("a log is rotated at its limit, at the end of a line, and so many old ones stay", "[process]") {
  const test::TempDir dir;
  const auto path = dir.path() / "api.log";
  RotatedLog log;
  REQUIRE(log.open(path, 100, 2));
  for (const char* round : {"one", "two", "three", "four"}) log.write(round + std::string(100, '.') + "\n");
  log.write("half ");
  CHECK(util::read_file(path) == "half ");
  CHECK(util::read_file(path.string() + ".1").starts_with("four"));
  CHECK(util::read_file(path.string() + ".2").starts_with("three"));
  CHECK_FALSE(std::filesystem::exists(path.string() + ".3"));
  log.write("a line\n");
  CHECK(util::read_file(path) == "half a line\n");
}

TEST_CASE("a place stays what it is when the log is rotated", "[process]") {
  const test::TempDir dir;
  const auto path = dir.path() / "api.log";
  RotatedLog log;
  REQUIRE(log.open(path, 30, 3));
  std::string all;
  for (int i = 0; i < 9; ++i) {
    const auto line = "line " + std::to_string(i) + "\n";
    log.write(line);
    all += line;
  }
  LogFiles files(path);
  CHECK(files.begin() == 0);
  CHECK(files.end() == all.size());
  for (const std::uint64_t place : {0, 7, 28, 35, 56, 63}) CHECK(all_from(files, place) == all.substr(place));
  // A new writer of the same log goes on where it was.
  RotatedLog next;
  REQUIRE(next.open(path, 30, 3));
  next.write("line 9\n");
  CHECK(files.end() == all.size() + 7);
}

TEST_CASE("what is not kept any more is said, and reading goes on behind it", "[process]") {
  const test::TempDir dir;
  const auto path = dir.path() / "api.log";
  RotatedLog log;
  REQUIRE(log.open(path, 30, 1));
  for (int i = 0; i < 50; ++i) log.write("line " + std::to_string(10 + i) + "\n");
  LogFiles files(path);
  std::uint64_t skipped = 0;
  const auto text = all_from(files, 8, &skipped);
  CHECK(skipped == files.begin() - 8);
  CHECK(text.starts_with("line "));
  CHECK(text.ends_with("line 59\n"));
  CHECK(text.size() == files.end() - files.begin());
}

TEST_CASE("a line of a megabyte is cut in pieces of 64 KB", "[process]") {
  const test::TempDir dir;
  const auto path = dir.path() / "api.log";
  RotatedLog log;
  REQUIRE(log.open(path, 10'000'000, 1));
  log.write("short\n");
  for (int i = 0; i < 100; ++i) log.write(std::string(10'000, 'x'));
  log.write("\nlast\n");
  std::size_t longest = 0, sum = 0;
  const auto text = util::read_file(path);
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    longest = std::max(longest, end - at);
    sum += end - at;
  }
  CHECK(longest == log_times::k_longest_line);
  CHECK(sum == 5 + 1'000'000 + 4);
}

TEST_CASE("what comes at once is split at the limit, at ends of lines", "[process]") {
  const test::TempDir dir;
  const auto path = dir.path() / "api.log";
  RotatedLog log;
  REQUIRE(log.open(path, 30, 9));
  std::string all;
  for (int i = 0; i < 20; ++i) all += "line " + std::to_string(10 + i) + "\n";
  log.write(all);
  CHECK(util::read_file(path.string() + ".1").size() == 32);  // four lines of 8 bytes
  LogFiles files(path);
  CHECK(all_from(files, 0) == all);
}

TEST_CASE("the sum of a log's files is bounded, whatever is written", "[process]") {
  const test::TempDir dir;
  const auto path = dir.path() / "api.log";
  RotatedLog log;
  REQUIRE(log.open(path, 100'000, 2));
  for (int i = 0; i < 3000; ++i) log.write(std::string(1000, i % 7 ? 'x' : '\n'));
  CHECK(sum_of(dir.path()) < 3 * 180'000);
}

TEST_CASE("two who write to one log rotate it once, and lose nothing", "[process]") {
  const test::TempDir dir;
  const auto path = dir.path() / "api.log";
  RotatedLog one, two;
  REQUIRE(one.open(path, 1000, 20));
  REQUIRE(two.open(path, 1000, 20));
  for (int i = 0; i < 500; ++i) (i % 3 ? one : two).write("line " + std::to_string(1000 + i) + "\n");
  LogFiles files(path);
  const auto text = all_from(files, 0);
  CHECK(text.size() == 500 * 10);
  CHECK(text.ends_with("line 1499\n"));
}

TEST_CASE("lines are found from the end, through the old files, and markers do not count", "[process]") {
  const test::TempDir dir;
  const auto path = dir.path() / "api.log";
  RotatedLog log;
  REQUIRE(log.open(path, 40, 9));
  for (int i = 0; i < 10; ++i) log.write("line " + std::to_string(i) + "\n");
  log.write("=== stackd op-1 ===\nlast\nbegun");
  LogFiles files(path);
  const auto lines = [&](std::uint64_t count, bool whole) {
    return all_from(files, files.last_lines(count, whole, "=== stackd "));
  };
  CHECK(lines(0, false).empty());
  CHECK(lines(1, false) == "begun");
  CHECK(lines(2, false) == "last\nbegun");
  CHECK(lines(1, true) == "last\nbegun");
  CHECK(lines(3, false) == "line 9\n=== stackd op-1 ===\nlast\nbegun");
  CHECK(lines(8, false).starts_with("line 4\n"));
  CHECK(lines(1000, false).starts_with("line 0\n"));
}

TEST_CASE("when a line was written is known, and what was written since", "[process]") {
  const test::TempDir dir;
  const auto path = dir.path() / "api.log";
  const auto before = util::now_ms();
  RotatedLog log;
  REQUIRE(log.open(path, 25, 9));
  log.write("one\n");
  ::usleep(20'000);
  log.write("two\n");
  const auto middle = util::now_ms();
  ::usleep(20'000);
  for (int i = 0; i < 5; ++i) log.write("three " + std::to_string(i) + "\n");
  LogFiles files(path);
  const auto first = files.read(0, 1000);
  REQUIRE(first.times.size() >= 2);
  CHECK(first.times[0].place == 0);
  CHECK(first.times[0].at >= before);
  CHECK(first.times[1].at >= first.times[0].at + 20);
  CHECK(first.times[1].at <= middle);
  CHECK(all_from(files, files.written_since(middle + 1)).starts_with("three 0\n"));
  CHECK(all_from(files, files.written_since(before)).starts_with("one\n"));
  CHECK(files.written_since(util::now_ms() + 1000) == files.end());
}

TEST_CASE("a log that somebody removed is begun again", "[process]") {
  const test::TempDir dir;
  const auto path = dir.path() / "api.log";
  RotatedLog log;
  REQUIRE(log.open(path, 1000, 2));
  log.write("gone\n");
  std::filesystem::remove(path);
  log.write("here\n");
  CHECK(util::read_file(path) == "here\n");
}

TEST_CASE("the end of a log goes back into its old files", "[process]") {
  const test::TempDir dir;
  const auto path = dir.path() / "api.log";
  RotatedLog log;
  REQUIRE(log.open(path, 8, 3));
  log.write("one\ntwo\n");
  log.write("three\n");
  CHECK(log_tail(path, 1000) == "one\ntwo\nthree\n");
  CHECK(log_tail(path, 9) == "wo\nthree\n");
  CHECK(log_tail(dir.path() / "none.log", 9).empty());
  CHECK(newest_line(path) == "three");
  log.write("begun");
  CHECK(newest_line(path) == "three");
}

}  // namespace
}  // namespace stackd::process
