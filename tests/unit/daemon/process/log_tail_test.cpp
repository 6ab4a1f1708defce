#include "daemon/process/log_tail.hpp"

#include "daemon/async/deadline.hpp"
#include "daemon/process/runs.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shim.hpp"
#include "tests/unit/daemon/process/run_support.hpp"

using namespace stackd;
using namespace stackd::process;
using namespace stackd::test;

namespace {

using Body = std::function<awaitable<void>(asio::any_io_executor, async::FileThread&)>;

void with_files(const Body& body) {
  const auto run = [&](asio::any_io_executor executor) -> awaitable<void> {
    async::FileThread files;
    co_await body(executor, files);
  };
  run_coro([&](auto executor) { return run(executor); });
}

// Runs `act` once the tail waits, and returns the lines that it then gives.
template <class Act>
awaitable<std::string> lines_after(asio::any_io_executor executor, LogTail& tail, Act act) {
  std::optional<std::string> lines;
  asio::co_spawn(executor, tail.next(),
                 [&](std::exception_ptr, LogPiece piece) { lines = std::move(piece.text); });
  asio::steady_timer turn(executor, 20ms);
  co_await turn.async_wait(use_awaitable);
  CHECK_FALSE(lines.has_value());
  act();
  co_await eventually(executor, [&] { return lines.has_value(); });
  co_return lines.value_or("<nothing>");
}

}  // namespace

TEST_CASE("lines are given as they come, whole", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "one\ntwo\nthr");
  with_files([&](asio::any_io_executor executor, async::FileThread& files) -> awaitable<void> {
    LogTail tail(executor, files, file);
    auto piece = co_await tail.next();
    CHECK(piece.text == "one\ntwo\n");
    CHECK(piece.unfinished == "thr");
    CHECK(tail.place() == 8);
    const auto lines = co_await lines_after(executor, tail, [&] { append(file, "ee\nfour\n"); });
    CHECK(lines == "three\nfour\n");
    append(file, "the rest");
    piece = co_await tail.now();
    CHECK(piece.text.empty());
    CHECK(piece.unfinished == "the rest");
  });
}

TEST_CASE("a change can be waited for before anything was read", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "");
  with_files([&](asio::any_io_executor executor, async::FileThread& files) -> awaitable<void> {
    LogTail tail(executor, files, file);
    const bool changed = co_await tail.changed_within(1ms);
    CHECK(!changed);
    append(file, "line\n");
    co_await tail.changed();
    const auto piece = co_await tail.now();
    CHECK(piece.text == "line\n");
  });
}

TEST_CASE("a tail begins at its place", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "one\ntwo\n");
  with_files([&](asio::any_io_executor executor, async::FileThread& files) -> awaitable<void> {
    LogTail tail(executor, files, file, 4);
    const auto piece = co_await tail.next();
    CHECK(piece.text == "two\n");
    CHECK(piece.place == 4);
  });
}

TEST_CASE("the file need not be there yet, its directory must", "[process]") {
  const TempDir dir;
  with_files([&](asio::any_io_executor executor, async::FileThread& files) -> awaitable<void> {
    LogTail tail(executor, files, dir.path() / "log");
    const auto lines = co_await lines_after(executor, tail, [&] { dir.write("log", "first\n"); });
    CHECK(lines == "first\n");
    LogTail nowhere(executor, files, dir.path() / "missing" / "log");
    bool refused = false;
    try {
      co_await nowhere.now();
    } catch (const util::Error&) {
      refused = true;
    }
    CHECK(refused);
  });
}

TEST_CASE("a file that is cut begins again", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "one\ntwo\n");
  with_files([&](asio::any_io_executor executor, async::FileThread& files) -> awaitable<void> {
    LogTail tail(executor, files, file);
    co_await tail.next();
    const auto lines = co_await lines_after(executor, tail, [&] { dir.write("log", "new\n"); });
    CHECK(lines == "new\n");
  });
}

TEST_CASE("a file that is moved away is read to its end, then its successor from the beginning",
          "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "one\n");
  with_files([&](asio::any_io_executor executor, async::FileThread& files) -> awaitable<void> {
    LogTail tail(executor, files, file);
    co_await tail.next();
    append(file, "two\n");
    std::filesystem::rename(file, dir.path() / "log.1");
    auto piece = co_await tail.next();
    CHECK(piece.text == "two\n");
    auto lines = co_await lines_after(executor, tail, [&] { dir.write("log", "three\n"); });
    CHECK(lines == "three\n");
    lines = co_await lines_after(executor, tail, [&] { append(file, "four\n"); });
    CHECK(lines == "four\n");
  });
}

TEST_CASE("a waiting tail can be cancelled and asked again", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "");
  with_files([&](asio::any_io_executor executor, async::FileThread& files) -> awaitable<void> {
    LogTail tail(executor, files, file);
    bool cancelled = false;
    try {
      co_await async::within(20ms, "a line", tail.next());
    } catch (const util::Error&) {
      cancelled = true;
    }
    CHECK(cancelled);
    append(file, "line\n");
    const auto piece = co_await tail.next();
    CHECK(piece.text == "line\n");
  });
}

TEST_CASE("a line without an end comes in pieces of 64 KB, and is not kept", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", std::string(150'000, 'x') + "\nshort\n");
  with_files([&](asio::any_io_executor executor, async::FileThread& files) -> awaitable<void> {
    LogTail tail(executor, files, file);
    std::vector<std::size_t> sizes;
    for (int i = 0; i < 3; ++i) {
      const auto piece = co_await tail.next();
      sizes.push_back(piece.text.size());
    }
    CHECK(sizes == std::vector<std::size_t>{65536, 65536, 150'001 - 2 * 65536 + 6});
  });
}

TEST_CASE("every line of a service that writes fast is followed through the rotations of its log",
          "[process]") {
  const RunFixture f;
  with_files([&](asio::any_io_executor executor, async::FileThread& files) -> awaitable<void> {
    Runs runs(executor, test::shim(), files, {20'000, 20});
    auto request = f.request("run", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo line $i; done");
    request.capture = Capture::append;
    co_await runs.start(request);
    LogTail tail(executor, files, request.log);
    std::uint64_t lines = 0, skipped = 0, wrong = 0;
    for (std::string left; lines + skipped < 20000;) {
      const auto piece = co_await tail.next();
      skipped += piece.skipped;
      left = piece.text;
      for (std::size_t at = 0, end; (end = left.find('\n', at)) != std::string::npos; at = end + 1)
        wrong += left.substr(at, end - at) != "line " + std::to_string(++lines);
    }
    CHECK(skipped == 0);
    CHECK(wrong == 0);
    co_await runs.wait(request.directory);
    CHECK(std::filesystem::exists(request.log.string() + ".1"));
  });
}

TEST_CASE("a hook's log that is cut to its newest part while it is followed loses no line", "[process]") {
  const RunFixture f;
  with_files([&](asio::any_io_executor executor, async::FileThread& files) -> awaitable<void> {
    Runs runs(executor, test::shim(), files);
    // It is cut behind its reader, but not faster than a slow one reads: the writer waits now and then.
    auto request = f.request("run",
                             "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo line $i; "
                             "[ $((i % 2000)) -gt 0 ] || while [ ! -e read-$i ]; do sleep 0.01; done; done");
    request.log_limit = 50'000;
    co_await runs.start(request);
    LogTail tail(executor, files, request.log);
    std::uint64_t lines = 0, wrong = 0;
    while (lines < 20000) {
      const auto piece = co_await tail.next();
      for (std::size_t at = 0, end; (end = piece.text.find('\n', at)) != std::string::npos; at = end + 1)
        if (wrong += piece.text.substr(at, end - at) != "line " + std::to_string(++lines); lines % 2000 == 0)
          append(f.dir.path() / ("read-" + std::to_string(lines)), "");
    }
    CHECK(wrong == 0);
    co_await runs.wait(request.directory);
  });
}
