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

// Runs `act` once the tail waits, and returns the line that it then gives.
template <class Act>
awaitable<std::string> line_after(asio::any_io_executor executor, LogTail& tail, Act act) {
  std::optional<std::string> line;
  asio::co_spawn(executor, tail.next_line(),
                 [&](std::exception_ptr, std::string text) { line = std::move(text); });
  asio::steady_timer turn(executor, 5ms);
  co_await turn.async_wait(use_awaitable);
  CHECK_FALSE(line.has_value());
  act();
  co_await eventually(executor, [&] { return line.has_value(); });
  co_return line.value_or("<nothing>");
}

}  // namespace

TEST_CASE("lines are given as they come, whole", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "one\ntwo\nthr");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    LogTail tail(executor, file);
    auto line = co_await tail.next_line();
    CHECK(line == "one");
    CHECK(tail.try_line() == "two");
    CHECK_FALSE(tail.try_line().has_value());
    line = co_await line_after(executor, tail, [&] { append(file, "ee\nfour\n"); });
    CHECK(line == "three");
    CHECK(tail.try_line() == "four");
    append(file, "five\nthe rest");
    CHECK(tail.rest() == "the rest");
    CHECK(tail.try_line() == "five");
    CHECK(tail.rest().empty());
  };
  run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("a tail begins at its offset", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "one\ntwo\n");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    LogTail tail(executor, file, 4);
    auto line = co_await tail.next_line();
    CHECK(line == "two");
    CHECK_FALSE(tail.try_line().has_value());
  };
  run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("the file need not be there yet, its directory must", "[process]") {
  const TempDir dir;
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    LogTail tail(executor, dir.path() / "log");
    CHECK(tail.rest().empty());
    auto line = co_await line_after(executor, tail, [&] { dir.write("log", "first\n"); });
    CHECK(line == "first");
    CHECK_THROWS_AS(LogTail(executor, dir.path() / "missing" / "log"), util::Error);
  };
  run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("a file that is cut begins again", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "one\ntwo\nhalf");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    LogTail tail(executor, file);
    CHECK(tail.try_line() == "one");
    CHECK(tail.try_line() == "two");
    CHECK_FALSE(tail.try_line().has_value());
    auto line = co_await line_after(executor, tail, [&] { dir.write("log", "new\n"); });
    CHECK(line == "half");
    CHECK(tail.try_line() == "new");
  };
  run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("a file that is moved away is read to its end, then its successor from the beginning",
          "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "one\n");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    LogTail tail(executor, file);
    CHECK(tail.try_line() == "one");
    CHECK_FALSE(tail.try_line().has_value());
    append(file, "two\n");
    std::filesystem::rename(file, dir.path() / "log.1");
    auto line = co_await tail.next_line();
    CHECK(line == "two");
    line = co_await line_after(executor, tail, [&] { dir.write("log", "three\n"); });
    CHECK(line == "three");
    line = co_await line_after(executor, tail, [&] { append(file, "four\n"); });
    CHECK(line == "four");
  };
  run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("a waiting tail can be cancelled and asked again", "[process]") {
  const TempDir dir;
  const auto file = dir.write("log", "");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    LogTail tail(executor, file);
    bool cancelled = false;
    try {
      co_await async::within(20ms, "a line", tail.next_line());
    } catch (const util::Error&) {
      cancelled = true;
    }
    CHECK(cancelled);
    append(file, "late\n");
    auto line = co_await tail.next_line();
    CHECK(line == "late");
  };
  run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("a file that was cut down to its newest part goes on where it was", "[process]") {
  const TempDir dir;
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "line " + std::to_string(i) + "\n";
  const auto file = dir.write("log", text);
  const auto cut_down_to = [&](std::size_t size, const std::string& more) {
    text = text.substr(text.find('\n', text.size() - size) + 1) + more;
    dir.write("log.new", text);
    std::filesystem::rename(dir.path() / "log.new", file);
  };
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    LogTail tail(executor, file);
    while (tail.try_line()) continue;
    auto line = co_await line_after(executor, tail, [&] { cut_down_to(10'000, "more\nhalf a "); });
    CHECK(line == "more");
    CHECK_FALSE(tail.try_line().has_value());
    // Less is left of it than the tail remembers.
    line = co_await line_after(executor, tail, [&] { cut_down_to(1'000, "line\nlast\n"); });
    CHECK(line == "half a line");
    CHECK(tail.try_line() == "last");
    // Nothing is left of it: another text.
    line = co_await line_after(executor, tail, [&] { cut_down_to(1, "new\n"); });
    CHECK(line == "new");
  };
  run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("following a capped log of a run comes to its last line", "[process]") {
  const RunFixture f;
  auto request = f.request("run", "i=0; while [ $i -lt 4000 ]; do echo line $i; i=$((i+1)); done; echo end");
  request.log_limit = 8000;  // cut a few times
  f.dir.write("logs/run.log", "");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    Runs runs(executor, test::shim());
    LogTail tail(executor, f.log("run"));
    co_await runs.start(request);
    std::string line, before;
    while (line != "end") {
      before = std::move(line);
      line = co_await tail.next_line();
    }
    CHECK(before == "line 3999");
    co_await runs.wait(request.directory);
  };
  run_coro([&](auto executor) { return body(executor); });
}
