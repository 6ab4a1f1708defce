// Runs that outlive whoever started them, and what is left when one is killed.
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/async/deadline.hpp"
#include "daemon/process/runs.hpp"
#include "daemon/process/shim_request.hpp"
#include "daemon/process/spawn.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shim.hpp"
#include "tests/unit/daemon/process/run_support.hpp"

using namespace stackd;
using namespace stackd::process;
using namespace stackd::test;

TEST_CASE("a directory that is taken runs once, however often it is started", "[process]") {
  const RunFixture f;
  const auto request = f.request("run", "echo once >>count; while [ ! -e go ]; do sleep 0.02; done");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    async::FileThread files;
    Runs a(executor, test::shim(), files), b(executor, test::shim(), files);
    int started = 0;
    // All at once, so that their shims race for the directory.
    for (int i = 0; i < 8; ++i)
      asio::co_spawn(executor, (i % 2 ? a : b).start(request),
                     [&](std::exception_ptr error) { started += !error; });
    const bool all_started = co_await eventually(executor, [&] { return started == 8; });
    CHECK(all_started);
    CHECK_AWAITED(a.look(request.directory), .state == RunState::running);
    f.dir.write("go", "");
    const auto one = co_await a.wait(request.directory);
    const auto other = co_await b.wait(request.directory);
    CHECK(one.ok());
    CHECK(other.ok());
    co_await b.start(request);
    CHECK_AWAITED(b.look(request.directory), .state == RunState::ended);
  };
  run_coro([&](auto executor) { return body(executor); });
  CHECK(util::read_file(f.dir.path() / "count") == "once\n");
  // Those that came late have left nothing behind.
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(f.dir.path() / "runs"))
    ++entries;
  CHECK(entries == 1);
}

TEST_CASE("T33: a run goes on when its starter dies, and another daemon learns how it ended", "[process]") {
  const RunFixture f;
  const auto request = f.request("run", "while [ ! -e go ]; do sleep 0.02; done; echo done; exit 9");
  const pid_t starter = ::fork();
  if (starter == 0) {
    run_coro([&](auto executor) { return RunFixture::only_start(executor, request); });
    ::_exit(0);
  }
  int status = -1;
  REQUIRE(::waitpid(starter, &status, 0) == starter);
  REQUIRE(status == 0);
  const auto body = [&](asio::any_io_executor executor) -> awaitable<RunExit> {
    async::FileThread files;
    Runs runs(executor, test::shim(), files);
    CHECK_AWAITED(runs.look(request.directory), .state == RunState::running);
    const auto begun = co_await runs.look(request.directory);
    const auto pid = begun.pid;
    CHECK(pid.has_value());
    CHECK(is_alive(pid.value_or(0)));
    f.dir.write("go", "");
    auto exit = co_await runs.wait(request.directory);
    CHECK_AWAITED(runs.look(request.directory), .state == RunState::ended);
    const auto over = co_await runs.look(request.directory);
    CHECK_FALSE(over.pid.has_value());
    co_return exit;
  };
  const auto exit = run_coro([&](auto executor) { return body(executor); });
  CHECK(exit.code == 9);
  CHECK(exit.out_tail == "done\n");
}

TEST_CASE("a shim that is killed is a lost run, and its command does not live on", "[process]") {
  const RunFixture f;
  const auto request = f.request("run", "echo $PPID $$ >pids; exec sleep 1000");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<RunExit> {
    async::FileThread files;
    Runs runs(executor, test::shim(), files);
    co_await runs.start(request);
    co_await eventually(executor, [&] { return pids_in(f.dir.path() / "pids").size() == 2; });
    const auto pids = pids_in(f.dir.path() / "pids");
    ::kill(pids[0], SIGKILL);
    auto exit = co_await runs.wait(request.directory);
    const bool command_gone = co_await eventually(executor, [&] { return !is_alive(pids[1]); });
    CHECK(command_gone);
    CHECK_AWAITED(runs.look(request.directory), .state == RunState::ended);
    // As at the next start of the daemon.
    CHECK_AWAITED(runs.look(request.directory), .exit->cause == Cause::lost);
    const auto ended = co_await runs.end(request.directory, 1s);
    CHECK(ended.cause == Cause::lost);
    co_return exit;
  };
  const auto exit = run_coro([&](auto executor) { return body(executor); });
  CHECK(exit.cause == Cause::lost);
  CHECK(exit.started_at > 0);
  CHECK_FALSE(exit.error.empty());
}

TEST_CASE("a wait that is cancelled leaves the run alone", "[process]") {
  const RunFixture f;
  const auto request = f.request("run", "while [ ! -e go ]; do sleep 0.02; done; exit 3");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<RunExit> {
    async::FileThread files;
    Runs runs(executor, test::shim(), files);
    co_await runs.start(request);
    bool timed_out = false;
    try {
      co_await async::within(50ms, "a wait", runs.wait(request.directory));
    } catch (const util::Error& error) {
      timed_out = error.kind() == util::ErrorKind::timed_out;
    }
    CHECK(timed_out);
    CHECK_AWAITED(runs.look(request.directory), .state == RunState::running);
    f.dir.write("go", "");
    co_return co_await runs.wait(request.directory);
  };
  CHECK(run_coro([&](auto executor) { return body(executor); }).code == 3);
}

TEST_CASE("a wait for a run that never was is an error", "[process]") {
  const RunFixture f;
  try {
    run_coro([&](auto executor) { return RunFixture::only_wait(executor, f.run_dir("never")); });
    FAIL("nothing was thrown");
  } catch (const util::Error& error) {
    CHECK(error.kind() == util::ErrorKind::not_found);
  }
  const auto body = [&](asio::any_io_executor executor) -> awaitable<RunState> {
    async::FileThread files;
    Runs runs(executor, test::shim(), files);
    const auto look = co_await runs.look(f.run_dir("never"));
    co_return look.state;
  };
  CHECK(run_coro([&](auto executor) { return body(executor); }) == RunState::absent);
}

TEST_CASE("a start that is cancelled has decided whether the run is there before it returns", "[process]") {
  const RunFixture f;
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    async::FileThread files;
    Runs runs(executor, test::shim(), files);
    const auto request = f.request("run", "sleep 1000");
    bool over = false;
    asio::cancellation_signal signal;
    asio::co_spawn(executor, runs.start(request),
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr) { over = true; }));
    // Its shim lives and has not answered yet, or has: either way the run is there in the end.
    const bool begun =
        co_await eventually(executor, [&] { return over || std::filesystem::exists(f.dir.path() / "runs"); });
    CHECK(begun);
    signal.emit(asio::cancellation_type::terminal);
    const bool start_over = co_await eventually(executor, [&] { return over; });
    CHECK(start_over);
    CHECK_AWAITED(runs.look(request.directory), .state == RunState::running);
    const auto ended = co_await runs.end(request.directory, 0ms);
    CHECK(ended.cause == Cause::ended);
  };
  run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("a shim whose daemon died before it took the directory does not begin", "[process]") {
  // So that the next daemon can rely on a directory that is absent.
  const RunFixture f;
  const auto late = f.dir.write("late", "#!/bin/sh\nwhile [ ! -e '" + (f.dir.path() / "go").string() +
                                            "' ]; do sleep 0.01; done\nexec '" + test::shim() + "' \"$@\"\n");
  std::filesystem::permissions(late, std::filesystem::perms::owner_all);
  auto spawned = spawn_shim(late, shim_request(f.request("run", "touch ran"), {}));
  spawned.answers.reset();
  f.dir.write("go", "");
  siginfo_t info{};
  REQUIRE(::waitid(P_PIDFD, static_cast<id_t>(spawned.process.get()), &info, WEXITED) == 0);
  CHECK(info.si_code == CLD_EXITED);
  CHECK(std::filesystem::is_empty(f.dir.path() / "runs"));
  CHECK_FALSE(std::filesystem::exists(f.dir.path() / "ran"));
}

TEST_CASE("200 runs at once all end as they should, and leave no descriptor and no child behind",
          "[process]") {
  const RunFixture f;
  const auto before = open_descriptors();
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    async::FileThread files;
    Runs runs(executor, test::shim(), files);
    int right = 0, done = 0;
    const auto one = [&](int i) -> awaitable<void> {
      const auto number = std::to_string(i);
      const auto request = f.request("run" + number, "echo " + number + "; exit " + std::to_string(i % 100));
      co_await runs.start(request);
      const auto exit = co_await runs.wait(request.directory);
      if (exit.code == i % 100 && exit.out_tail == std::to_string(i) + "\n") ++right;
    };
    for (int i = 0; i < 200; ++i) asio::co_spawn(executor, one(i), [&](std::exception_ptr) { ++done; });
    const bool all_done = co_await eventually(executor, [&] { return done == 200; });
    CHECK(all_done);
    CHECK(right == 200);
    // The last child is reaped by a handler that may come a turn after the wait's.
    const bool all_reaped =
        co_await eventually(executor, [] { return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD; });
    CHECK(all_reaped);
  };
  run_coro([&](auto executor) { return body(executor); });
  CHECK(open_descriptors() == before);
}
