#include "daemon/process/file_watch.hpp"

#include <fcntl.h>

#include <vector>

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/process/run_support.hpp"

using namespace stackd;
using namespace stackd::process;
using namespace stackd::test;

namespace {

constexpr std::chrono::milliseconds k_never{50}, k_soon{10000};

int inotify_instances() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    count += std::filesystem::read_symlink(entry, gone) == "anon_inode:inotify";
  }
  return count;
}

}  // namespace

TEST_CASE("who watches one file is woken each, and still when another stops watching it", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    FileWatch first(executor, dir.path(), "log");
    auto second = std::make_unique<FileWatch>(executor, dir.path());
    first.follow(file);
    second->follow(file);
    append(file, "a");
    bool woken = co_await first.changed_within(k_soon);
    CHECK(woken);
    woken = co_await second->changed_within(k_soon);
    CHECK(woken);
    second.reset();
    while (co_await first.changed_within(k_never)) continue;
    append(file, "b");
    woken = co_await first.changed_within(k_soon);
    CHECK(woken);
  };
  run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("a watch for one name hears of no other file of its directory", "[process]") {
  const TempDir dir;
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    FileWatch one(executor, dir.path(), "mine"), all(executor, dir.path());
    dir.write("other", "text");
    bool woken = co_await all.changed_within(k_soon);
    CHECK(woken);
    woken = co_await one.changed_within(k_never);
    CHECK_FALSE(woken);
    dir.write("mine", "text");
    woken = co_await one.changed_within(k_soon);
    CHECK(woken);
  };
  run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("a file that goes away wakes its watch, which can follow the next one of that name", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    FileWatch watch(executor, dir.path(), "log");
    watch.follow(file);
    std::filesystem::remove(file);
    bool woken = co_await watch.changed_within(k_soon);
    CHECK(woken);
    while (co_await watch.changed_within(k_never)) continue;
    dir.write("log", "");
    woken = co_await watch.changed_within(k_soon);
    CHECK(woken);
    watch.follow(file);
    while (co_await watch.changed_within(k_never)) continue;
    append(file, "more");
    woken = co_await watch.changed_within(k_soon);
    CHECK(woken);
  };
  run_coro([&](auto executor) { return body(executor); });
}

// A closed instance that had watches stops the loop for milliseconds, and a machine has 128 of them.
TEST_CASE("all watches of a loop share one inotify instance, and the loop ends when the last is gone",
          "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "");
  asio::io_context loop(1);
  {
    std::vector<std::unique_ptr<FileWatch>> watches;
    for (int i = 0; i < 200; ++i) {
      watches.push_back(std::make_unique<FileWatch>(loop.get_executor(), dir.path(), "log"));
      watches.back()->follow(file);
    }
    CHECK(inotify_instances() == 1);
    CHECK(loop.run_for(k_never) == 0);
    CHECK_FALSE(loop.stopped());
  }
  loop.run_for(k_soon);
  CHECK(loop.stopped());
}

TEST_CASE("a directory that is not there is an error", "[process]") {
  const TempDir dir;
  asio::io_context loop(1);
  const auto missing = dir.path() / "missing";
  CHECK_THROWS_AS(FileWatch(loop.get_executor(), missing), util::Error);
}
