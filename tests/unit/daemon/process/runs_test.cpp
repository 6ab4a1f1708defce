// What a run reports about its command, and what the command is given.
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "daemon/process/runs.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/process/run_support.hpp"

using namespace stackd;
using namespace stackd::process;
using namespace stackd::test;

TEST_CASE("a run ends with the code of its command", "[process]") {
  const RunFixture f;
  const auto exit = f.run("exit 7");
  CHECK(exit.cause == Cause::exited);
  CHECK(exit.code == 7);
  CHECK_FALSE(exit.ok());
  CHECK(exit.started_at > 0);
  CHECK(exit.ended_at >= exit.started_at);
  CHECK(f.run(f.request("second", "true")).ok());
}

TEST_CASE("L9.1: a command that a signal ends has code 128 and the signal", "[process]") {
  const auto exit = RunFixture().run("kill -9 $$");
  CHECK(exit.cause == Cause::signalled);
  CHECK(exit.signal == 9);
  CHECK(exit.code == 137);
}

TEST_CASE("stdout and stderr are together in the log, and apart in the tails", "[process]") {
  const RunFixture f;
  auto request = f.request("run", "echo out; echo err >&2; printf 'no newline'");
  request.log_header = "# a header";
  const auto exit = f.run(request);
  CHECK(exit.out_tail == "out\nno newline");
  CHECK(exit.err_tail == "err\n");
  const auto log = f.log_text("run");
  CHECK(log.substr(0, 11) == "# a header\n");
  CHECK(log.find("out\n") != std::string::npos);
  CHECK(log.find("err\n") != std::string::npos);
}

TEST_CASE("a tail holds the last 4 KB, and only what is UTF-8", "[process]") {
  const auto exit = RunFixture().run(
      R"(i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done; printf '\377\302\n"é\\')");
  CHECK(exit.out_tail.size() <= 4096);
  CHECK(exit.out_tail.size() > 4000);
  CHECK(exit.out_tail.find("line 1999\n\n\"é\\") != std::string::npos);
  CHECK(exit.out_tail.find("line 100\n") == std::string::npos);
}

TEST_CASE("L9.1: stdin is closed", "[process]") {
  const auto exit = RunFixture().run("cat; readlink /proc/self/fd/0");
  CHECK(exit.out_tail == "/dev/null\n");
}

TEST_CASE("a command has the environment of its request, its run's mark, and nothing else", "[process]") {
  const RunFixture f;
  auto request = f.request("run", "");
  request.argv = {"/usr/bin/env"};
  request.env = {{"A", "1"}, {"EMPTY", ""}, {"LINES", "a\nb=c"}};
  const auto text = f.run(request).out_tail;
  const std::string expected = "A=1\nEMPTY=\nLINES=a\nb=c\nSTACKD_RUN=";
  CHECK(text.substr(0, expected.size()) == expected);
  CHECK(text.find('\n', expected.size()) == text.size() - 1);
}

TEST_CASE("a program is looked for in the PATH of its own environment", "[process]") {
  const RunFixture f;
  const auto program = f.dir.write("bin/greet", "#!/bin/sh\necho hello $1\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  auto request = f.request("run", "");
  request.argv = {"greet", "you"};
  request.env = {{"PATH", program.parent_path().string()}};
  CHECK(f.run(request).out_tail == "hello you\n");
}

TEST_CASE("a command begins in its directory, with umask 022, no signal blocked, and no descriptor of ours",
          "[process]") {
  const RunFixture f;
  const auto exit =
      f.run("pwd; umask; grep -E 'Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd | tr '\\n' ' '");
  // (ls holds one more to read the directory.)
  const auto expected = std::filesystem::canonical(f.dir.path()).string() +
                        "\n0022\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0 1 2 3 ";
  CHECK(exit.out_tail == expected);
}

TEST_CASE("L3.1: a command leads a session of its own", "[process]") {
  const auto exit = RunFixture().run("echo $$; cut -d' ' -f5,6 /proc/$$/stat");
  const auto pid = exit.out_tail.substr(0, exit.out_tail.find('\n'));
  CHECK(exit.out_tail == pid + "\n" + pid + " " + pid + "\n");
}

TEST_CASE("a command that is not there is not started, with the reason", "[process]") {
  const RunFixture f;
  auto request = f.request("run", "");
  request.argv = {"/no/such/program"};
  const auto exit = f.run(request);
  CHECK(exit.cause == Cause::not_started);
  CHECK(exit.code == 127);
  CHECK(exit.error == "cannot run '/no/such/program': No such file or directory");
  CHECK(f.log_text("run").find(exit.error) != std::string::npos);

  request = f.request("second", "");
  request.argv = {f.dir.write("not-executable", "x")};
  const auto denied = f.run(request);
  CHECK(denied.cause == Cause::not_started);
  CHECK(denied.code == 126);
  CHECK(denied.error.find("Permission denied") != std::string::npos);
}

TEST_CASE("a working directory that is not there is named in the reason", "[process]") {
  const RunFixture f;
  auto request = f.request("run", "true");
  request.cwd = "/no/such/directory";
  const auto exit = f.run(request);
  CHECK(exit.cause == Cause::not_started);
  CHECK(exit.error == "cannot enter directory '/no/such/directory': No such file or directory");
}

TEST_CASE("a log that cannot be made is a reason not to start", "[process]") {
  const RunFixture f;
  auto request = f.request("run", "true");
  request.log = f.dir.write("a-file", "") / "log";
  const auto exit = f.run(request);
  CHECK(exit.cause == Cause::not_started);
  CHECK(exit.error.find("cannot open log") == 0);
}

TEST_CASE("requests that make no sense are refused before anything starts", "[process]") {
  const RunFixture f;
  const auto kind_of_failure = [&](RunRequest request) {
    try {
      f.run(request);
    } catch (const util::Error& error) {
      return error.kind();
    }
    return util::ErrorKind::internal;
  };
  auto request = f.request("run", "true");
  request.env["A"] = std::string("a\0b", 3);
  CHECK(kind_of_failure(request) == util::ErrorKind::invalid_request);
  request = f.request("run", "true");
  request.argv.clear();
  CHECK(kind_of_failure(request) == util::ErrorKind::invalid_request);
  CHECK_FALSE(std::filesystem::exists(f.run_dir("run")));
}

TEST_CASE("a run directory that cannot be made is an error of start", "[process]") {
  const RunFixture f;
  auto request = f.request("run", "true");
  request.directory = f.dir.write("a-file", "") / "run";
  CHECK_THROWS_AS(f.run(request), util::Error);
}

TEST_CASE("what could not be found again, because its disk has no room for its pid, is not begun",
          "[process]") {
  const RunFixture f;
  // The lock and the request fill the two pages of this disk, which only the shim sees.
  std::filesystem::create_directories(f.dir.path() / "runs");
  const auto small = f.dir.path() / "small-disk";
  util::write_file(small, "#!/bin/sh\nexec unshare -m " + std::string(::geteuid() == 0 ? "" : "-r ") +
                              "sh -c 'mount -t tmpfs -o size=8k tmpfs " + (f.dir.path() / "runs").string() +
                              " && exec " + test::shim() + " \"$@\"' shim \"$@\"\n");
  std::filesystem::permissions(small, std::filesystem::perms::owner_all);
  const auto body = [&](auto executor) {
    return RunFixture::start_and_wait(executor, f.request("run", "touch ran"), small);
  };
  std::string why;
  try {
    run_coro(body);
  } catch (const util::Error& error) {
    why = error.what();
  }
  CHECK(why.find("cannot keep room for") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(f.dir.path() / "ran"));
}

TEST_CASE("a service's output goes to its log, as it comes, behind what is there", "[process]") {
  const RunFixture f;
  f.dir.write("logs/run.log", "before\n");
  auto request = f.request("run", "echo out; echo err >&2");
  request.capture = Capture::append;
  request.truncate_log = false;
  const auto exit = f.run(request);
  CHECK(exit.ok());
  CHECK(exit.out_tail.empty());
  CHECK(f.log_text("run") == "before\nout\nerr\n");
}

TEST_CASE("logs and run directories are the owner's only, request.json says what was asked", "[process]") {
  const RunFixture f;
  f.run("true");
  struct stat log {
  }, directory{};
  ::stat(f.log("run").c_str(), &log);
  ::stat(f.run_dir("run").c_str(), &directory);
  CHECK((log.st_mode & 0777) == 0600);
  CHECK((directory.st_mode & 0777) == 0700);
  const auto request = nlohmann::json::parse(util::read_file(f.run_dir("run") / "request.json"));
  CHECK(request["argv"] == nlohmann::json({"/bin/sh", "-c", "true"}));
  CHECK(request["env"]["PATH"] == "/usr/bin:/bin");
}
