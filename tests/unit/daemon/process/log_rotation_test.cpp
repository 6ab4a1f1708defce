#include "daemon/process/log_rotation.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "daemon/process/log_tail.hpp"
#include "daemon/util/fd.hpp"
#include "daemon/util/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_coro.hpp"
#include "tests/support/temp_dir.hpp"

namespace stackd::process {
namespace {

// What a service does: it holds its log open and appends.
class Writer {
public:
  explicit Writer(const std::filesystem::path& log)
      : file_(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}
  void write(const std::string& text) {
    REQUIRE(::write(file_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }

private:
  util::Fd file_;
};

TEST_CASE("A log is rotated when it is larger than the limit, and so many old ones are kept") {
  const test::TempDir dir;
  const auto log = dir.path() / "api.log";
  Writer writer(log);
  writer.write("small\n");
  CHECK_FALSE(rotate_log(log, 100, 2));
  for (const char* round : {"one", "two", "three"}) {
    writer.write(std::string(round) + std::string(100, '.') + "\n");
    CHECK(rotate_log(log, 100, 2));
    CHECK(util::read_file(log).empty());
  }
  CHECK(util::read_file(rotated(log, 1)).rfind("three", 0) == 0);
  CHECK(util::read_file(rotated(log, 2)).rfind("two", 0) == 0);
  CHECK_FALSE(std::filesystem::exists(rotated(log, 3)));
  writer.write("after\n");
  CHECK(util::read_file(log) == "after\n");
}

TEST_CASE("The tail of a log goes back into its old ones") {
  const test::TempDir dir;
  const auto log = dir.path() / "api.log";
  Writer writer(log);
  writer.write("one\ntw");
  REQUIRE(rotate_log(log, 1, 3));
  writer.write("o\nthree\n");
  std::uint64_t end = 0;
  CHECK(read_log_tail(log, 1000, end) == "one\ntwo\nthree\n");
  CHECK(end == 8);
  CHECK(read_log_tail(log, 9, end) == "wo\nthree\n");
  CHECK(read_log_tail(dir.path() / "none.log", 9, end).empty());
}

TEST_CASE("Who follows a log across a rotation misses no line and gets none twice") {
  const test::TempDir dir;
  const auto log = dir.path() / "api.log";
  Writer writer(log);
  const auto lines =
      test::run_coro([&](asio::any_io_executor executor) -> awaitable<std::vector<std::string>> {
        LogTail tail(executor, log);
        std::vector<std::string> read;
        writer.write("one\ntwo\nhal");
        for (int n = 0; n < 2; ++n) {
          auto line = co_await tail.next_line();
          read.push_back(std::move(line));
        }
        writer.write("f\nunread\n");
        rotate_log(log, 1, 3);
        writer.write("new\n");
        for (int n = 0; n < 3; ++n) {
          auto line = co_await tail.next_line();
          read.push_back(std::move(line));
        }
        co_return read;
      });
  CHECK(lines == std::vector<std::string>{"one", "two", "half", "unread", "new"});
}

}  // namespace
}  // namespace stackd::process
