#include "daemon/util/user_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"
#include "daemon/util/ids.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using namespace std::chrono_literals;

namespace {

std::string refusal(const std::filesystem::path& path, const util::UserFileLimits& limits = {}) {
  try {
    util::read_user_file(path, limits);
    return "none";
  } catch (const util::Error& error) {
    return error.what();
  }
}

std::filesystem::path make_pipe(const test::TempDir& dir) {
  auto path = dir.path() / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  return path;
}

}  // namespace

TEST_CASE("a plain file is read whole, up to the limit", "[util][user_file]") {
  const test::TempDir dir;
  CHECK(util::read_user_file(dir.write("a", "one\ntwo")) == "one\ntwo");
  CHECK(util::read_user_file(dir.write("empty", "")).empty());
  const auto large = dir.write("large", std::string(3 << 20, 'x'));
  CHECK(util::read_user_file(large).size() == 3 << 20);
  CHECK(refusal(large, {.size = 1 << 20}) ==
        "cannot read '" + large.string() + "': it has more than 1 MB, the most that is read of such a file");
}

TEST_CASE("what cannot be read is refused by name, at once", "[util][user_file]") {
  const test::TempDir dir;
  const auto begun = std::chrono::steady_clock::now();
  CHECK(refusal(dir.path()) == "cannot read '" + dir.path().string() + "': it is a directory");
  CHECK(refusal("/dev/zero") ==
        "cannot read '/dev/zero': it has more than 4 MB, the most that is read of such a file");
  CHECK(refusal(dir.path() / "missing").find("no such file") != std::string::npos);
  CHECK(!util::read_user_file_if_there(dir.path() / "missing"));
  CHECK(!util::read_user_file_if_there(dir.write("file", "") / "below"));
  CHECK(std::chrono::steady_clock::now() - begun < 500ms);
}

TEST_CASE("a pipe is read to the end that its writer gives it", "[util][user_file]") {
  const test::TempDir dir;
  const auto path = make_pipe(dir);
  std::thread writer([&] {
    std::ofstream out(path);
    out << "KEY=" << std::flush;
    std::this_thread::sleep_for(50ms);  // a pause is no end
    out << std::string(200'000, 'v') << "\n";
  });
  const auto text = util::read_user_file(path);
  writer.join();
  CHECK(text == "KEY=" + std::string(200'000, 'v') + "\n");
}

TEST_CASE("a pipe that nobody writes to, or whose writer hangs, is given up by name", "[util][user_file]") {
  const test::TempDir dir;
  const auto path = make_pipe(dir);
  const util::UserFileLimits limits{.patience = 100ms};
  const std::string said =
      "cannot read '" + path.string() + "': it is no plain file, and nothing was written to it within 100ms";
  CHECK(refusal(path, limits) == said);
  const util::Fd writer(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::write(writer.get(), "half", 4) == 4);
  CHECK(refusal(path, limits) == said);
}

TEST_CASE("a file of any size has a hash, and what is no plain file has none", "[util][user_file]") {
  const test::TempDir dir;
  const std::string text(1'000'000, 'h');
  CHECK(util::hash_of_user_file(dir.write("a", text)) == util::sha256_hex(text));
  CHECK(!util::hash_of_user_file(dir.path()));
  CHECK(!util::hash_of_user_file(make_pipe(dir)));
  CHECK(!util::hash_of_user_file(dir.path() / "missing"));
}
