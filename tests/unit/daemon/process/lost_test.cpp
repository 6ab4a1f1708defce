// A shim that is killed: what it held is found and ended before anybody learns that the run is lost.
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "daemon/process/lost_tree.hpp"
#include "daemon/process/runs.hpp"
#include "daemon/process/shim/processes.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/process/run_support.hpp"

using namespace stackd;
using namespace stackd::process;
using namespace stackd::test;

namespace {

struct Tree {
  const char* name;
  const char* command;  // writes the shim's pid first, then everybody's
  std::size_t processes;
};

constexpr Tree k_trees[] = {
    {"a grandchild", "echo $PPID $$ >>pids; sleep 1000 & echo $! >>pids; wait", 3},
    {"one that has a session of its own",
     "echo $PPID $$ >>pids; setsid sh -c 'echo $$ >>pids; exec sleep 1000' & wait", 3},
    {"one whose parent has ended, in another session",
     "echo $PPID $$ >>pids; (setsid sh -c 'echo $$ >>pids; sleep 1000 & echo $! >>pids; wait' &) ; exec "
     "sleep 1000",
     4},
    {"one without an environment",
     "echo $PPID $$ >>pids; env -i /bin/sh -c 'echo $$ >>pids; exec /bin/sleep 1000' & wait", 3},
    {"one that ignores TERM",
     "echo $PPID $$ >>pids; setsid sh -c 'trap \"\" TERM; echo $$ >>pids; while :; do sleep 1; done' & wait",
     3},
    {"one that is stopped", "echo $PPID $$ >>pids; setsid sh -c 'echo $$ >>pids; kill -STOP $$' & wait", 3},
};

bool all_gone(const std::vector<int>& pids) {
  return std::none_of(pids.begin(), pids.end(), is_alive);
}

// Starts the run, kills its shim, and has somebody learn of it who waited already, or who comes after.
enum class Learns { before, after };
template <class How>
RunExit lose(const RunFixture& f, RunRequest request, std::size_t processes, Learns when, How how) {
  const auto body = [&](asio::any_io_executor executor) -> awaitable<RunExit> {
    async::FileThread files;
    Runs runs(executor, test::shim(), files);
    co_await runs.start(request);
    const auto file = f.dir.path() / "pids";
    const bool all_there = co_await eventually(executor, [&] { return pids_in(file).size() == processes; });
    CHECK(all_there);
    std::optional<RunExit> learned;
    const auto learn = [&] {
      asio::co_spawn(executor, how(runs),
                     [&](std::exception_ptr, RunExit exit) { learned = std::move(exit); });
    };
    if (when == Learns::before) {
      learn();
      co_await runs.look(request.directory);  // behind the waiter's own look: it watches the shim by now
    }
    ::kill(pids_in(file).at(0), SIGKILL);
    if (when == Learns::after) learn();
    const bool told = co_await eventually(executor, [&] { return learned.has_value(); });
    CHECK(told);
    co_return learned.value_or(RunExit());
  };
  return run_coro([&](auto executor) { return body(executor); });
}

}  // namespace

TEST_CASE("a wait for a run whose shim was killed returns when its whole tree has gone", "[process]") {
  for (const auto& tree : k_trees) {
    INFO(tree.name);
    const RunFixture f;
    auto request = f.request("run", tree.command);
    request.capture = Capture::append;
    request.grace = 300ms;
    const auto exit = lose(f, request, tree.processes, Learns::before,
                           [&](Runs& runs) { return runs.wait(request.directory); });
    CHECK(exit.cause == Cause::lost);
    CHECK_FALSE(exit.left);
    CHECK(all_gone(pids_in(f.dir.path() / "pids")));
  }
}

TEST_CASE("end() of a run whose shim was killed keeps its own grace, not the request's", "[process]") {
  const RunFixture f;
  auto request = f.request("run", k_trees[4].command);
  request.grace = std::chrono::minutes(10);
  const auto began = std::chrono::steady_clock::now();
  const auto exit =
      lose(f, request, 3, Learns::after, [&](Runs& runs) { return runs.end(request.directory, 200ms); });
  CHECK(exit.cause == Cause::lost);
  CHECK(all_gone(pids_in(f.dir.path() / "pids")));
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::minutes(1));
}

TEST_CASE("the next daemon finds the tree of a shim that was killed while none ran", "[process]") {
  const RunFixture f;
  auto request = f.request("run", k_trees[2].command);
  request.grace = 300ms;
  const auto start = [&](asio::any_io_executor executor) -> awaitable<void> {
    co_await RunFixture::only_start(executor, request);
    const bool all_there =
        co_await eventually(executor, [&] { return pids_in(f.dir.path() / "pids").size() == 4; });
    CHECK(all_there);
  };
  run_coro([&](auto executor) { return start(executor); });
  const auto pids = pids_in(f.dir.path() / "pids");
  ::kill(pids.at(0), SIGKILL);
  const auto wait = [&] {
    return run_coro([&](auto executor) { return RunFixture::only_wait(executor, request.directory); });
  };
  CHECK(wait().cause == Cause::lost);
  CHECK(all_gone(pids));
  // It is on disk now: nobody searches a second time.
  CHECK(std::filesystem::exists(request.directory / "exit.json"));
  CHECK(wait().cause == Cause::lost);
}

TEST_CASE("a mark that a caller inside another run passes on is not this run's", "[process]") {
  const RunFixture f;
  auto request = f.request("run", "tr '\\0' '\\n' </proc/$$/environ | grep STACKD_RUN");
  request.env["STACKD_RUN"] = "of-another";
  const auto exit = f.run(request);
  const auto mark = nlohmann::json::parse(util::read_file(request.directory / "request.json")).at("mark");
  CHECK(exit.out_tail == mark.get<std::string>() + "\n");
  CHECK(exit.out_tail.find("of-another") == std::string::npos);
}

TEST_CASE("a tree is of this boot, of this session's leader, and never the daemon", "[process]") {
  const RunFixture f;
  // A session that is nobody's business: its leader runs, and has a child.
  const pid_t stranger = ::fork();
  if (stranger == 0) {
    ::setsid();
    ::execl("/bin/sh", "sh", "-c", "sleep 1000 & wait", nullptr);
    ::_exit(127);
  }
  const auto born = [&] { return shim::process(stranger)->born; };
  for (int tries = 0; tries < 3000 && shim::process(stranger)->session != stranger; ++tries) ::usleep(1000);
  const auto has_it = [&](const std::string& boot, unsigned long long leader_born) {
    f.dir.write("run/request.json", R"({"mark": "STACKD_RUN=of-nobody", "grace_ms": 0})");
    f.dir.write("run/started.json",
                nlohmann::json{{"pid", stranger}, {"born", leader_born}, {"boot", boot}, {"at", 1}}.dump());
    bool first = !LostTree(f.dir.path() / "run", false).gone();
    bool second = !LostTree(f.dir.path() / "run", true).gone();
    CHECK(first == second);
    return first;
  };
  CHECK(has_it(shim::boot(), born()));
  CHECK_FALSE(has_it(shim::boot(), born() + 1));  // the number was given again
  CHECK_FALSE(has_it("another boot", born()));
  ::kill(-stranger, SIGKILL);
  ::waitpid(stranger, nullptr, 0);
}
