// Output that is large, endless, or held open by others.
#include "daemon/process/runs.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/process/run_support.hpp"

using namespace stackd;
using namespace stackd::process;
using namespace stackd::test;

TEST_CASE("T27: 3 MB of output end as the newest megabyte, in whole lines, and do not block the command",
          "[process]") {
  const RunFixture f;
  const auto exit = f.run("seq -f 'line %09g of some length' 1 120000; exit 3");
  CHECK(exit.code == 3);
  const auto log = f.log_text("run");
  CHECK(log.size() <= 1'000'000);
  CHECK(log.size() > 990'000);
  CHECK(log.substr(0, 5) == "line ");
  const std::string last = "line 000120000 of some length\n";
  CHECK(log.substr(log.size() - last.size()) == last);
  // Nothing is missing in between.
  CHECK(log.size() % last.size() == 0);
  const auto first = std::stoi(log.substr(5, 9));
  CHECK(static_cast<std::size_t>(120000 - first + 1) * last.size() == log.size());
  CHECK_FALSE(std::filesystem::exists(f.log("run").string() + ".new"));
}

TEST_CASE("a capped log of a retry goes on behind the last try, under the same limit", "[process]") {
  const RunFixture f;
  auto request = f.request("run", "head -c 900 /dev/zero | tr '\\0' a; echo");
  request.log_limit = 1000;
  f.run(request);
  request.directory = f.run_dir("second");
  request.truncate_log = false;
  request.argv[2] = "echo again";
  f.run(request);
  CHECK(f.log_text("run") == std::string(900, 'a') + "\nagain\n");
  request.directory = f.run_dir("third");
  request.argv[2] = "head -c 95 /dev/zero | tr '\\0' b";
  f.run(request);
  CHECK(f.log_text("run") == "again\n" + std::string(95, 'b'));
}

TEST_CASE("what a hook leaves in the background neither holds up its end nor dies of it", "[process]") {
  const RunFixture f;
  // It writes to the pipe after the run has ended: SIGPIPE would end it.
  const auto exit = f.run(
      "(while [ ! -e go ]; do sleep 0.02; done; "
      "echo late; echo later; touch survived) & exit 4");
  CHECK(exit.cause == Cause::exited);
  CHECK(exit.code == 4);
  CHECK_FALSE(std::filesystem::exists(f.dir.path() / "survived"));
  f.dir.write("go", "");
  CHECK(run_coro([&](auto executor) {
    return eventually(executor, [&] { return std::filesystem::exists(f.dir.path() / "survived"); });
  }));
}

TEST_CASE("what a hook wrote last is there though a process in the background keeps the pipe open",
          "[process]") {
  const RunFixture f;
  const auto exit = f.run("sleep 30 & echo $! >pid; seq 1 20000; echo the end");
  const std::string end = "20000\nthe end\n";
  CHECK(exit.out_tail.substr(exit.out_tail.size() - end.size()) == end);
  const auto left = pids_in(f.dir.path() / "pid");
  REQUIRE(left.size() == 1);
  CHECK(is_alive(left[0]));
  ::kill(left[0], SIGKILL);
}

TEST_CASE("a command that writes without end is ended by its timeout all the same", "[process]") {
  const RunFixture f;
  auto request =
      f.request("run", "trap '' TERM; while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done");
  request.timeout = 300ms;
  request.grace = 100ms;
  const auto exit = f.run(request);
  CHECK(exit.cause == Cause::timed_out);
  CHECK(exit.signal == SIGKILL);
  CHECK(f.log_text("run").size() <= 1'000'000);
}

TEST_CASE(
    "secrets are shown nowhere, however the output comes in pieces; what only begins like one is not held up",
    "[process]") {
  const RunFixture f;
  auto request =
      f.request("run",
                "printf sec; sleep 0.1; printf 'ret-1 secret-12'; sleep 0.1; echo ' sec'; echo secret-1 >&2; "
                "printf '%s' \"$TOKEN\" > token; printf secret-1");
  request.secrets = {"secret-12", "secret-1"};  // the longest first
  request.env["TOKEN"] = "secret-12";
  const auto exit = f.run(request);
  CHECK(exit.ok());
  const auto log = f.log_text("run");
  CHECK(log.find("*** *** sec\n") == 0);
  CHECK(log.find("secret-") == std::string::npos);
  CHECK(exit.out_tail == "*** *** sec\n***");
  CHECK(exit.err_tail == "***\n");
  CHECK(util::read_file(f.run_dir("run") / "request.json").find("secret-12") == std::string::npos);
  CHECK(util::read_file(f.dir.path() / "token") == "secret-12");
}
