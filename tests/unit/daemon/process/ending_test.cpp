// Timeouts and end(): the whole tree, and nothing but the tree.
#include "daemon/process/runs.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shim.hpp"
#include "tests/unit/daemon/process/run_support.hpp"

using namespace stackd;
using namespace stackd::process;
using namespace stackd::test;

namespace {

// A tree that is hard to end: everyone ignores TERM, some are in sessions of their own, some have lost their
// parents. Each writes its pid to `pids`; five in all.
constexpr char k_stubborn_tree[] = R"(
trap '' TERM
echo $$ >>pids
setsid sh -c 'trap "" TERM; echo $$ >>pids; while :; do sleep 1; done' &
(setsid sh -c 'trap "" TERM; echo $$ >>pids; setsid sh -c "trap \"\" TERM; echo \$\$ >>pids; sleep 1000" & sleep 1000' &)
(sh -c 'trap "" TERM; echo $$ >>pids; sleep 1000' &)
while :; do sleep 1; done)";

bool none_alive(const std::vector<int>& pids) {
  return std::none_of(pids.begin(), pids.end(), is_alive);
}

awaitable<RunExit> start_then_end(asio::any_io_executor executor, RunRequest request, std::size_t processes,
                                  std::chrono::milliseconds grace) {
  async::FileThread files;
  Runs runs(executor, test::shim(), files);
  co_await runs.start(request);
  const auto file = std::filesystem::path(request.cwd) / "pids";
  co_await eventually(executor, [&] { return pids_in(file).size() == processes; });
  co_return co_await runs.end(request.directory, grace);
}

}  // namespace

TEST_CASE("X19, T28: a timeout ends the whole tree, other sessions and TERM-ignorers too", "[process]") {
  const RunFixture f;
  auto request = f.request("run", k_stubborn_tree);
  request.timeout = 3s;
  request.grace = 200ms;
  const auto exit = f.run(request);
  CHECK(exit.cause == Cause::timed_out);
  CHECK(exit.code == 137);
  CHECK(exit.error.empty());
  const auto pids = pids_in(f.dir.path() / "pids");
  CHECK(pids.size() == 5);
  CHECK(none_alive(pids));
}

TEST_CASE("T28: end() takes a service's stubborn tree away", "[process]") {
  const RunFixture f;
  auto request = f.request("run", k_stubborn_tree);
  request.capture = Capture::append;
  const auto exit = run_coro([&](auto executor) { return start_then_end(executor, request, 5, 300ms); });
  CHECK(exit.cause == Cause::ended);
  CHECK(exit.signal == SIGKILL);
  CHECK(none_alive(pids_in(f.dir.path() / "pids")));
}

TEST_CASE("end() lets a command act on TERM within the grace, and reports its code", "[process]") {
  const RunFixture f;
  const auto request =
      f.request("run", "trap 'echo bye; exit 5' TERM; echo $$ >pids; while :; do sleep 0.05; done");
  const auto began = std::chrono::steady_clock::now();
  const auto exit = run_coro([&](auto executor) { return start_then_end(executor, request, 1, 20s); });
  CHECK(exit.cause == Cause::ended);
  CHECK(exit.code == 5);
  CHECK(exit.out_tail == "bye\n");
  CHECK(std::chrono::steady_clock::now() - began < 15s);
}

TEST_CASE("end() ends a command that is stopped", "[process]") {
  const RunFixture f;
  const auto request = f.request("run", "echo $$ >pids; kill -STOP $$");
  const auto exit = run_coro([&](auto executor) { return start_then_end(executor, request, 1, 20s); });
  CHECK(exit.cause == Cause::ended);
  CHECK(exit.signal == SIGTERM);
}

TEST_CASE("a second end() with a shorter grace cuts the first one short", "[process]") {
  const RunFixture f;
  const auto request = f.request("run", "trap '' TERM; echo $$ >pids; while :; do sleep 1; done");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<RunExit> {
    async::FileThread files;
    Runs runs(executor, test::shim(), files);
    co_await runs.start(request);
    co_await eventually(executor, [&] { return pids_in(f.dir.path() / "pids").size() == 1; });
    std::optional<RunExit> first;
    asio::co_spawn(executor, runs.end(request.directory, std::chrono::minutes(10)),
                   [&](std::exception_ptr, RunExit exit) { first = std::move(exit); });
    // Until the first has asked: its grace is on disk then.
    co_await eventually(executor, [&] { return std::filesystem::exists(request.directory / "grace"); });
    auto exit = co_await runs.end(request.directory, 0ms);
    co_await eventually(executor, [&] { return first.has_value(); });
    CHECK(first->cause == Cause::ended);
    co_return exit;
  };
  const auto exit = run_coro([&](auto executor) { return body(executor); });
  CHECK(exit.cause == Cause::ended);
  CHECK(exit.signal == SIGKILL);
}

TEST_CASE("what is left of a service when its command has ended is ended too", "[process]") {
  const RunFixture f;
  auto request = f.request("run", "setsid sleep 1000 & echo $! >pids; sleep 1000 & echo $! >>pids; exit 6");
  request.capture = Capture::append;
  request.grace = 300ms;
  const auto exit = f.run(request);
  CHECK(exit.cause == Cause::exited);
  CHECK(exit.code == 6);
  const auto pids = pids_in(f.dir.path() / "pids");
  CHECK(pids.size() == 2);
  CHECK(none_alive(pids));
}

TEST_CASE("L3.7: what a oneshot leaves in the background is its effect, and stays", "[process]") {
  const RunFixture f;
  auto request = f.request("run", "sleep 1000 & echo $! >pids; exit 6");
  request.capture = Capture::append;
  request.leave_background = true;
  CHECK(f.run(request).code == 6);
  const auto pids = pids_in(f.dir.path() / "pids");
  REQUIRE(pids.size() == 1);
  CHECK(is_alive(pids[0]));
  ::kill(pids[0], SIGKILL);
}

TEST_CASE("end() of a run that has ended, or never was, is success", "[process]") {
  const RunFixture f;
  f.run("exit 2");
  const auto end = [&](const std::string& name) {
    const auto directory = f.run_dir(name);
    const auto body = [directory](asio::any_io_executor executor) -> awaitable<RunExit> {
      async::FileThread files;
      Runs runs(executor, test::shim(), files);
      co_return co_await runs.end(directory, 1s);
    };
    return run_coro([&](auto executor) { return body(executor); });
  };
  const auto ended = end("run");
  CHECK(ended.cause == Cause::exited);
  CHECK(ended.code == 2);
  CHECK(end("never").cause == Cause::not_started);
  CHECK_FALSE(std::filesystem::exists(f.run_dir("never")));
}

TEST_CASE("SIGINT and SIGHUP to the shim mean nothing", "[process]") {
  const RunFixture f;
  const auto request = f.request("run", "kill -INT $PPID; kill -HUP $PPID; kill -PIPE $PPID; exit 8");
  const auto exit = f.run(request);
  CHECK(exit.cause == Cause::exited);
  CHECK(exit.code == 8);
}
