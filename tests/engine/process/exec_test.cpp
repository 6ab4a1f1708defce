// Exec runs against a real engine: what the command is given, what is reported, and that nothing is left (C2,
// X9, E1-E3).
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "daemon/process/runs.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shim.hpp"
#include "tests/support/test_engine.hpp"
#include "tests/unit/daemon/process/run_support.hpp"

using namespace stackd;
using namespace stackd::process;
using namespace stackd::test;

namespace {

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot run " + command);
  char buffer[4096];
  while (const auto n = ::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, n);
  ::pclose(pipe);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string docker(const std::string& arguments) {
  return output_of("docker -H " + engine_host() + " " + arguments);
}

// A container of the test's own that sleeps; removed with the fixture. The command line tool sets the scene,
// the code under test speaks to the engine itself.
struct Container : RunFixture {
  std::string id = docker("run -d --init --network none --label dev.stackd.test=process -e FROM_IMAGE=kept " +
                          test_image() + " sleep 600");
  ~Container() { docker("rm -f " + id + " 2>&1"); }

  RunRequest exec(const std::string& name, const std::string& command) const {
    auto exec = request(name, command);
    exec.place = Place::exec;
    exec.cwd.clear();
    exec.env.clear();
    exec.container = id;
    exec.engine_host = engine_host();
    exec.api_version = "1.41";
    return exec;
  }
  // Command lines of the container's processes, as its host sees them.
  std::string processes() const { return docker("top " + id + " -eo pid,args"); }
  bool runs(const std::string& command) const { return processes().find(command) != std::string::npos; }
};

}  // namespace

TEST_CASE("C2.1: an exec's output and code are those of its command", "[process][engine]") {
  const Container c;
  auto request = c.exec("run", "echo out; echo err >&2; exit 7");
  request.log_header = "# header";
  const auto exit = c.run(request);
  CHECK(exit.cause == Cause::exited);
  CHECK(exit.code == 7);
  CHECK(exit.out_tail == "out\n");
  CHECK(exit.err_tail == "err\n");
  const auto log = c.log_text("run");
  CHECK(log.substr(0, 9) == "# header\n");
  CHECK(log.find("out\n") != std::string::npos);
  CHECK(log.find("err\n") != std::string::npos);
  const auto started = nlohmann::json::parse(util::read_file(c.run_dir("run") / "started.json"));
  CHECK(started["exec"].get<std::string>().size() == 64);
}

TEST_CASE("C2.2, C2.3: an exec's user, directory and environment are the request's, over the container's",
          "[process][engine]") {
  const Container c;
  auto request = c.exec("run", "id -u; pwd; echo $FROM_IMAGE $ADDED");
  CHECK(c.run(request).out_tail == "0\n/\nkept\n");
  request.directory = c.run_dir("second");
  request.user = "65534";
  request.cwd = "/tmp";
  request.env = {{"ADDED", "it's \"here\""}, {"FROM_IMAGE", "changed"}};
  CHECK(c.run(request).out_tail == "65534\n/tmp\nchanged it's \"here\"\n");
}

TEST_CASE("C2.10: with a tty the output is one raw stream", "[process][engine]") {
  const Container c;
  auto request = c.exec("run", "tty >/dev/null && echo terminal; echo err >&2");
  request.tty = true;
  CHECK(c.run(request).out_tail == "terminal\r\nerr\r\n");
}

TEST_CASE("T1: a command that the container does not have ends with 127", "[process][engine]") {
  const Container c;
  auto request = c.exec("run", "");
  request.argv = {"no-such-command"};
  const auto exit = c.run(request);
  CHECK(exit.cause == Cause::exited);
  CHECK(exit.code == 127);
  CHECK(exit.out_tail.find("no-such-command") != std::string::npos);
}

TEST_CASE("an exec's large output comes whole, and its log keeps the newest megabyte", "[process][engine]") {
  const Container c;
  const auto exit = c.run(c.exec("run", "seq 1 500000; echo end"));
  CHECK(exit.ok());
  const auto log = c.log_text("run");
  CHECK(log.size() <= 1'000'000);
  CHECK(log.size() > 990'000);
  CHECK(log.substr(log.size() - 11) == "500000\nend\n");
}

TEST_CASE("E3: a paused container refuses the exec, with the engine's words", "[process][engine]") {
  const Container c;
  docker("pause " + c.id);
  const auto exit = c.run(c.exec("run", "true"));
  docker("unpause " + c.id);
  CHECK(exit.cause == Cause::not_started);
  CHECK(exit.error.find("paused") != std::string::npos);
}

TEST_CASE("a container that is not there, and an engine that does not answer, are reasons not to start",
          "[process][engine]") {
  const RunFixture f;
  auto request = f.request("run", "true");
  request.place = Place::exec;
  request.container = "stackd-no-such-container";
  request.engine_host = engine_host();
  auto exit = f.run(request);
  CHECK(exit.cause == Cause::not_started);
  CHECK(exit.error.find("No such container") != std::string::npos);

  request.directory = f.run_dir("second");
  request.engine_host = "unix:///no/such/engine.sock";
  exit = f.run(request);
  CHECK(exit.cause == Cause::not_started);
  CHECK(exit.error.find("the engine does not answer") == 0);

  request.directory = f.run_dir("third");
  request.engine_host = "tcp://localhost:1";
  exit = f.run(request);
  CHECK(exit.cause == Cause::not_started);
  CHECK(exit.error.find("Connection refused") != std::string::npos);
}

TEST_CASE("E1: an exec survives the death of its starter, with its output and its code",
          "[process][engine]") {
  const Container c;
  const auto request =
      c.exec("run", "echo before; while [ ! -e /go ]; do sleep 0.1; done; echo after; exit 9");
  const pid_t starter = ::fork();
  if (starter == 0) {
    run_coro([&](auto executor) { return RunFixture::only_start(executor, request); });
    ::_exit(0);
  }
  int status = -1;
  REQUIRE(::waitpid(starter, &status, 0) == starter);
  REQUIRE(status == 0);
  docker("exec " + c.id + " touch /go");
  const auto exit =
      run_coro([&](auto executor) { return RunFixture::only_wait(executor, request.directory); });
  CHECK(exit.cause == Cause::exited);
  CHECK(exit.code == 9);
  CHECK(exit.out_tail == "before\nafter\n");
}

namespace {

// In sessions of their own, orphaned, deaf to TERM.
constexpr char k_stubborn_exec[] = R"(
trap '' TERM
setsid sh -c 'trap "" TERM; sleep 1111' &
(setsid sh -c 'trap "" TERM; sleep 2222' &)
(sh -c 'trap "" TERM; sleep 3333' &)
echo ready
while :; do sleep 1; done)";

}  // namespace

TEST_CASE("X9: a timeout ends the process tree inside the container, and nothing else there",
          "[process][engine]") {
  const Container c;
  docker("exec -d " + c.id + " sleep 4444");
  auto request = c.exec("run", k_stubborn_exec);
  request.timeout = 2s;
  request.grace = 300ms;
  const auto exit = c.run(request);
  CHECK(exit.cause == Cause::timed_out);
  CHECK(exit.code == 137);
  CHECK(exit.error.empty());
  CHECK(exit.out_tail == "ready\n");
  const auto left = c.processes();
  for (const auto* gone : {"sleep 1111", "sleep 2222", "sleep 3333", "while :"})
    CHECK(left.find(gone) == std::string::npos);
  CHECK(left.find("sleep 4444") != std::string::npos);
  CHECK(left.find("sleep 600") != std::string::npos);
}

TEST_CASE("X9: end() right after the start finds the process all the same", "[process][engine]") {
  const Container c;
  const auto request = c.exec("run", "sleep 1234");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<RunExit> {
    async::FileThread files;
    Runs runs(executor, test::shim(), files);
    co_await runs.start(request);
    co_return co_await runs.end(request.directory, 5s);
  };
  const auto exit = run_coro([&](auto executor) { return body(executor); });
  CHECK(exit.cause == Cause::ended);
  CHECK(exit.error.empty());
  CHECK_FALSE(c.runs("sleep 1234"));
}

TEST_CASE("X9: a user who may use the engine but not signal root's processes ends them by a second exec",
          "[process][engine]") {
  if (::geteuid() != 0) {
    WARN("not checked: needs root, to become somebody else");
    return;
  }
  // Whatever group the engine was told to let in.
  struct stat engine {};
  REQUIRE(::stat(engine_socket().c_str(), &engine) == 0);
  const Container c;
  // The build's own may lie where nobody else may look.
  const auto program = c.dir.path() / "stackd-shim";
  std::filesystem::copy_file(test::shim(), program);
  // (One that has left tree and session is known by its environment, which only root can read.)
  std::string command = k_stubborn_exec;
  const std::string unfindable = "(setsid sh -c 'trap \"\" TERM; sleep 2222' &)\n";
  command.erase(command.find(unfindable), unfindable.size());
  auto request = c.exec("run", command);
  request.timeout = 2s;
  request.grace = 300ms;
  std::filesystem::permissions(c.dir.path(), std::filesystem::perms::all);
  const pid_t somebody = ::fork();
  if (somebody == 0) {
    if (::setgroups(1, &engine.st_gid) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(2);
    try {
      const auto exit =
          run_coro([&](auto executor) { return RunFixture::start_and_wait(executor, request, program); });
      if (exit.cause == Cause::timed_out && exit.error.empty() && exit.code == 137) ::_exit(0);
      std::fprintf(stderr, "cause %d, code %d: %s\n", static_cast<int>(exit.cause), exit.code,
                   exit.error.c_str());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(1);
  }
  int status = -1;
  REQUIRE(::waitpid(somebody, &status, 0) == somebody);
  CHECK(status == 0);
  for (const auto* gone : {"sleep 1111", "sleep 3333", "while :"}) CHECK_FALSE(c.runs(gone));
}

TEST_CASE("an exec whose shim is killed is ended in its container before it counts as lost",
          "[process][engine]") {
  const Container c;
  auto request = c.exec("lost", "(sleep 7777 &); echo begun; exec sleep 7778");
  request.grace = 300ms;
  const auto body = [&](asio::any_io_executor executor) -> awaitable<RunExit> {
    async::FileThread files;
    Runs runs(executor, test::shim(), files);
    co_await runs.start(request);
    const bool begun = co_await eventually(executor, [&] {
      const auto started = util::read_file_if_there(request.directory / "started.json").value_or("{}");
      return nlohmann::json::parse(started).value("pid", 0) > 0 && c.runs("sleep 7777") &&
             c.runs("sleep 7778");
    });
    CHECK(begun);
    ::kill(std::stoi(util::read_file(request.directory / "lock")), SIGKILL);
    co_return co_await runs.wait(request.directory);
  };
  const auto exit = run_coro([&](auto executor) { return body(executor); });
  CHECK(exit.cause == Cause::lost);
  CHECK_FALSE(c.runs("sleep 7778"));
  CHECK_FALSE(c.runs("sleep 7777"));
}

TEST_CASE("an exec whose container is killed ends with what the engine says", "[process][engine]") {
  const Container c;
  const auto request = c.exec("run", "echo ready; sleep 1000");
  const auto body = [&](asio::any_io_executor executor) -> awaitable<RunExit> {
    async::FileThread files;
    Runs runs(executor, test::shim(), files);
    co_await runs.start(request);
    const bool ready = co_await eventually(executor, [&] { return c.log_text("run") == "ready\n"; });
    CHECK(ready);
    docker("kill " + c.id);
    co_return co_await runs.wait(request.directory);
  };
  const auto exit = run_coro([&](auto executor) { return body(executor); });
  CHECK_FALSE(exit.ok());
  CHECK((exit.cause == Cause::lost || exit.code == 137));
}
