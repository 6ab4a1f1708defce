// The program itself, against a daemon that the test plays.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <future>

#include "client/text.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/client/fake_daemon.hpp"
#include "tests/unit/client/screen.hpp"

using namespace stackd::client;
using nlohmann::json;
using stackd::test::Asked;
using stackd::test::FakeDaemon;
using stackd::test::says;

namespace {

struct Result {
  int code = -1;
  std::string out, err;
};

class Program {
public:
  Program(const stackd::test::TempDir& directory, const std::vector<std::string>& arguments,
          std::vector<std::string> environment = {})
      : out_(directory.write("out", "")), err_(directory.write("err", "")) {
    std::string program =
        (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "stackctl").string();
    environment.push_back("STACKD_SOCKET=" + (directory.path() / "s").string());
    environment.push_back("STACKD_HOME=" + (directory.path() / "home").string());
    if (environment.front().find("STACKD_AUTOSTART") != 0) environment.push_back("STACKD_AUTOSTART=0");
    for (const char* kept : {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS"})
      if (const char* value = std::getenv(kept)) environment.push_back(std::string(kept) + "=" + value);
    std::vector<char*> argv{program.data()}, envp;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    for (auto& entry : environment) envp.push_back(entry.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    std::filesystem::create_directories(directory.path() / "work");
    std::string work = (directory.path() / "work").string();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(::open(out_.c_str(), O_WRONLY), 1);
      ::dup2(::open(err_.c_str(), O_WRONLY), 2);
      ::dup2(::open("/dev/null", O_RDONLY), 0);
      if (::chdir(work.c_str()) == 0) ::execve(program.c_str(), argv.data(), envp.data());
      ::_exit(99);
    }
  }

  void interrupt() { ::kill(pid_, SIGINT); }
  Result wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read(out_), read(err_)};
  }

private:
  static std::string read(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  std::filesystem::path out_, err_;
  pid_t pid_ = 0;
};

Result run(const stackd::test::TempDir& directory, const std::vector<std::string>& arguments,
           const std::vector<std::string>& environment = {"X=1"}) {
  return Program(directory, arguments, environment).wait();
}

json stack_in(const stackd::test::TempDir& directory) {
  return {{"id", "demo-1"},
          {"name", "demo"},
          {"directory", (directory.path() / "work").string()},
          {"status", "up"},
          {"services",
           {{{"name", "db"},
             {"kind", "container"},
             {"status", "ready"},
             {"ports",
              {{{"key", "5432"}, {"host_ip", "127.0.0.1"}, {"host_port", 9000}, {"container_port", 5432}}}}},
            {{"name", "api"},
             {"kind", "process"},
             {"status", "ready"},
             {"pid", 42},
             {"ports", {{{"key", "port"}, {"host_port", 9001}, {"url", "http://localhost:9001"}}}}}}},
          {"last_operation", {{"id", "op1"}, {"kind", "up"}, {"state", "succeeded"}, {"duration_ms", 1234}}}};
}

json operation(const std::string& state, const std::string& kind = "up") {
  json document{{"id", "op1"}, {"stack", "demo-1"}, {"kind", kind}, {"state", state}};
  if (state == "failed")
    document["error"] = {
        {"code", "failed"}, {"message", "cannot run after_up[0]: exit code 3"}, {"details", {"boom"}}};
  return document;
}

// A daemon with one stack, whose next operation ends as `outcome` says.
class Demo {
public:
  explicit Demo(std::string outcome = "succeeded")
      : outcome_(std::move(outcome)),
        daemon_((directory.path() / "s").string(),
                [this](const Asked& asked, FakeDaemon::Reply& reply) { answer(asked, reply); }) {}

  stackd::test::TempDir directory;
  std::vector<Asked> asked() { return daemon_.asked(); }
  FakeDaemon& daemon() { return daemon_; }

private:
  void answer(const Asked& asked, FakeDaemon::Reply& reply) {
    if (asked.method == "POST" && asked.target == "/v1/stacks" && outcome_ == "unchanged") {
      json document = operation("succeeded");
      document["unchanged"] = true;
      return reply.json(document);
    }
    if (asked.method == "POST" && asked.target == "/v1/stacks" && outcome_ == "invalid")
      return reply.problem(422, "invalid-stack-file", "cannot use stackd.yaml",
                           {{"errors", {"stackd.yaml:3:5: unknown key 'imgae': did you mean 'image'?"}}});
    if (asked.method == "POST" && outcome_ == "conflict")
      return reply.problem(409, "conflict", "an up of this stack runs", {{"operation", "op0"}});
    if (asked.method == "POST" && asked.target == "/v1/validate")
      return reply.json({{"valid", false},
                         {"name", "demo"},
                         {"errors",
                          {{{"file", "a.yaml"}, {"line", 1}, {"column", 1}, {"message", "no"}},
                           {{"file", "a.yaml"}, {"line", 2}, {"column", 1}, {"message", "nor this"}}}}});
    if (asked.target == "/v1/commands")
      return reply.json({{"commands",
                          {{{"name", "seed"},
                            {"description", "Fills the database"},
                            {"command", "./seed \"$1\""},
                            {"directory", directory.path().string()},
                            {"env_group", "stack"}}}}});
    if (asked.target.find("/v1/environment") == 0) return surroundings(asked, reply);
    if (asked.method == "POST") return reply.json(operation("running"), 202);
    if (asked.target == "/v1/stacks") return reply.json({{"stacks", {stack_in(directory)}}});
    if (asked.target == "/v1/stacks/demo-1") return reply.json(stack_in(directory));
    if (asked.target.find("/v1/stacks/demo-1/env") == 0)
      return reply.json({{"environment", {{"GREETING", "it's me"}, {"bad-name", "x"}, {"PORT", "9001"}}}});
    if (asked.target.find("/v1/stacks/demo-1/logs") == 0) return logs(reply);
    if (asked.target == "/v1/operations/op1/events") return events(reply);
    if (asked.target == "/v1/operations/op1") return reply.json(operation(outcome_));
    reply.problem(404, "not-found", "nothing at " + asked.target);
  }

  void surroundings(const Asked& asked, FakeDaemon::Reply& reply) {
    json document{{"stack", "demo-1"},
                  {"name", ""},
                  {"directory", std::filesystem::canonical(directory.path() / "work").string()},
                  {"environment", {{"GREETING", "it's me"}}}};
    if (asked.target.find("command=") != std::string::npos)
      document["command"] = "echo \"$GREETING $1 $#\"; exit 9";
    reply.json(document);
  }

  static void logs(FakeDaemon::Reply& reply) {
    reply.begin_stream("application/x-ndjson");
    std::string text = json{{"service", "db"}, {"text", "one"}, {"at", "T1"}}.dump() + "\n" +
                       json{{"service", "api"}, {"text", "two"}, {"at", "T2"}}.dump() + "\n";
    reply.part(text.substr(0, 10));  // a line may come in parts
    reply.part(text.substr(10));
    reply.end_stream();
  }

  void events(FakeDaemon::Reply& reply) {
    reply.begin_stream("text/event-stream");
    reply.event(1, "op1", "service.status", {{"service", "db"}, {"status", "ready"}});
    if (outcome_ == "cancelled") daemon_.wait_for("/cancel");
    reply.event(
        2, "op1", "hook.started",
        {{"run", "r1"}, {"phase", "after_up"}, {"index", 0}, {"command", "./migrate.sh"}, {"place", "host"}});
    bool good = outcome_ == "succeeded";
    reply.event(3, "op1", "hook.ended",
                {{"run", "r1"},
                 {"phase", "after_up"},
                 {"index", 0},
                 {"state", good ? "succeeded" : "failed"},
                 {"exit_code", good ? 0 : 3},
                 {"duration_ms", 1200},
                 {"stderr_tail", "a warning"},
                 {"log", "/state/after_up-0.log"}});
    reply.event(4, "op1", "operation.ended", {{"state", outcome_}});
    reply.end_stream();
  }

  std::string outcome_;
  FakeDaemon daemon_;
};

}  // namespace

TEST_CASE("daemon stop is a request; a process that a server only names is left alone", "[client]") {
  stackd::test::TempDir directory;
  const auto home = directory.path() / "home";
  directory.write("home/lock", "");
  directory.write("work/x", "");
  const pid_t bystander = ::fork();
  if (bystander == 0) {
    ::open((home / "lock").c_str(), O_RDONLY);  // even if it has the file open: it does not hold the lock
    ::pause();
    ::_exit(0);
  }
  for (const bool knows : {true, false}) {
    INFO(knows);
    FakeDaemon* self = nullptr;
    std::thread stopping;
    std::promise<void> stops;
    auto begun = stops.get_future();
    FakeDaemon daemon((directory.path() / "s").string(), [&](const Asked& asked, FakeDaemon::Reply& reply) {
      if (asked.target == "/v1/info") return reply.json({{"pid", bystander}, {"home", home.string()}});
      if (!knows || asked.target != "/v1/shutdown") return reply.problem(404, "not-found", "no such path");
      reply.json({{"stopping", true}}, 202);
      stopping = std::thread([&] { self->stop(); });
      stops.set_value();
    });
    self = &daemon;
    const Result result = run(directory, {"daemon", "stop"});
    CHECK(result.code == (knows ? 0 : 1));
    // The answer may be read before the thread that sent it has gone on.
    if (knows && begun.wait_for(std::chrono::seconds(20)) == std::future_status::ready) stopping.join();
  }
  CHECK(::waitpid(bystander, nullptr, WNOHANG) == 0);
  ::kill(bystander, SIGKILL);
  ::waitpid(bystander, nullptr, 0);
}

TEST_CASE("up sends where it is, its files and its whole environment", "[client]") {
  Demo demo;
  demo.directory.write("work/a.yaml", "services: {}\n");
  Result result = run(demo.directory,
                      {"-f", "a.yaml", "-p", "shop", "up", "db", "--profile", "ci", "--build", "--scale",
                       "db=2", "--scale", "api=1", "--pull", "always", "--timeout", "2m", "--keep"},
                      {"GREETING=hello=you", "BAD=\xFF"});
  CHECK(result.code == 0);
  json body = json::parse(demo.asked()[0].body);
  std::string work = (std::filesystem::canonical(demo.directory.path()) / "work").string();
  CHECK(body["directory"] == work);
  CHECK(body["files"] == json{work + "/a.yaml"});
  CHECK(body["project_name"] == "shop");
  CHECK(body["profile"] == "ci");
  CHECK(body["services"] == json{"db"});
  CHECK(body["environment"]["GREETING"] == "hello=you");
  CHECK_FALSE(body["environment"].contains("BAD"));
  CHECK(body["options"]["scale"] == json{{"db", 2}, {"api", 1}});
  CHECK(body["options"]["timeout_ms"] == 120'000);
  CHECK(body["options"]["pull"] == "always");
  CHECK(body["options"]["build"] == true);
  CHECK(body["options"]["keep"] == true);
}

TEST_CASE("up shows hooks whatever they did, and services with their ports and URLs", "[client]") {
  Demo demo;
  Result result = run(demo.directory, {"up"});
  CHECK(result.code == 0);
  CHECK(result.err.empty());
  CHECK(says(result.out, "db: ready\n"));
  CHECK(says(result.out, "✓ after_up[0] ./migrate.sh (1.2s)\n    a warning\n"));
  CHECK(says(result.out, "127.0.0.1:9000->5432"));
  CHECK(says(result.out, "http://localhost:9001"));
  CHECK_FALSE(says(result.out, "\x1b"));
}

TEST_CASE("a failed up says what failed, and where its log is", "[client]") {
  Demo demo("failed");
  Result result = run(demo.directory, {"up"});
  CHECK(result.code == 1);
  CHECK(says(result.out, "✗ after_up[0] ./migrate.sh failed with exit code 3 (1.2s)\n"));
  CHECK_FALSE(says(result.out, "a warning"));  // X35: what made it fail is said once, at the end
  CHECK(says(result.err, "stackctl: cannot run after_up[0]: exit code 3\n"));
  CHECK(says(result.err, "boom\n"));
}

TEST_CASE("-f before the command and --scale before a service take one word each", "[client]") {
  Demo demo("unchanged");
  demo.directory.write("work/a.yaml", "services: {}\n");
  const Result result = run(demo.directory, {"-f", "a.yaml", "up", "--scale", "web=2", "web"});
  CHECK(result.code == 0);
  const auto body = json::parse(demo.asked()[0].body);
  CHECK(body["services"] == json{"web"});
  CHECK(body["options"]["scale"]["web"] == 2);
  CHECK(body["files"].size() == 1);
}

TEST_CASE("an up that finds nothing to do needs two requests and says so", "[client]") {
  Demo demo("unchanged");
  Result result = run(demo.directory, {"up"});
  CHECK(result.code == 0);
  CHECK(says(result.out, "nothing to do"));
  CHECK(demo.asked().size() == 2);
}

TEST_CASE("mistakes in a stack file come one a line, with exit code 2", "[client]") {
  Demo demo("invalid");
  Result result = run(demo.directory, {"up"});
  CHECK(result.code == 2);
  CHECK(result.out.empty());
  CHECK(says(result.err, "stackctl: cannot use stackd.yaml\n"));
  CHECK(says(result.err, "stackd.yaml:3:5: unknown key 'imgae': did you mean 'image'?\n"));
  result = run(demo.directory, {"validate"});
  CHECK(result.code == 2);
  CHECK(says(result.err, "a.yaml:1:1: no\na.yaml:2:1: nor this\n"));
}

TEST_CASE("--json gives an event a line and the operation last", "[client]") {
  Demo demo;
  for (const char* verb : {"up", "down", "restart"}) {
    Result result = run(demo.directory, {verb, "--json"});
    CHECK(result.code == 0);
    auto lines = lines_of(result.out);
    REQUIRE(lines.size() == 5);
    CHECK(json::parse(lines[0])["kind"] == "service.status");
    CHECK(json::parse(lines[3])["kind"] == "operation.ended");
    CHECK(json::parse(lines[4])["state"] == "succeeded");
  }
}

TEST_CASE("--detach prints the operation and leaves", "[client]") {
  Demo demo;
  Result result = run(demo.directory, {"up", "--detach"});
  CHECK(result.code == 0);
  CHECK(result.out == "op1\n");
}

TEST_CASE("Ctrl-C during up cancels it: exit code 130", "[client]") {
  Demo demo("cancelled");
  Program program(demo.directory, {"up"}, {"X=1"});
  REQUIRE(demo.daemon().wait_for("/events"));
  // The handler is in place before the stream is asked for.
  program.interrupt();
  Result result = program.wait();
  CHECK(result.code == 130);
  CHECK(says(result.out, "cancelling"));
}

TEST_CASE("a conflict is exit code 6 and names the operation that runs", "[client]") {
  Demo demo("conflict");
  Result result = run(demo.directory, {"restart"});
  CHECK(result.code == 6);
  CHECK(says(result.err, "op0"));
}

TEST_CASE("without a daemon, and none to be started, the exit code is 3", "[client]") {
  stackd::test::TempDir directory;
  Result result = run(directory, {"status"});
  CHECK(result.code == 3);
  CHECK(says(result.err, "STACKD_AUTOSTART=0"));
  CHECK(run(directory, {"daemon", "status"}).code == 3);
  Result version = run(directory, {"version"});
  CHECK(version.code == 0);
  CHECK(says(version.out, "not running"));
}

TEST_CASE("a daemon that cannot be started says why, from its log", "[client]") {
  stackd::test::TempDir directory;
  auto fake = directory.write("bin/stackd", "#!/bin/sh\necho 'cannot open state.db: no space' >&2\nexit 1\n");
  std::filesystem::permissions(fake, std::filesystem::perms::owner_all);
  // One that is beside the program would be taken first.
  if (std::filesystem::exists(std::filesystem::read_symlink("/proc/self/exe").parent_path() / "stackd"))
    return;
  Result result =
      run(directory, {"ls"}, {"STACKD_AUTOSTART=1", "PATH=" + (directory.path() / "bin").string() + ":/bin"});
  CHECK(result.code == 3);
  CHECK(says(result.err, "no space"));
}

TEST_CASE("status, ls, urls and env show the stack of the directory", "[client]") {
  Demo demo;
  Result status = run(demo.directory, {"status"});
  CHECK(status.code == 0);
  CHECK(says(status.out, "demo is up"));
  CHECK(says(status.out, "last operation: up succeeded in 1.2s (op1)"));
  CHECK(says(run(demo.directory, {"ls"}).out, "demo-1"));
  CHECK(run(demo.directory, {"urls"}).out == "http://localhost:9001  api\n");
  CHECK(run(demo.directory, {"env"}).out == "export GREETING='it'\\''s me'\nexport PORT='9001'\n");
  CHECK(json::parse(run(demo.directory, {"--json", "status"}).out)["id"] == "demo-1");
  CHECK(json::parse(run(demo.directory, {"ls", "--json"}).out)["stacks"].size() == 1);
}

TEST_CASE("a command elsewhere has no stack: exit code 5", "[client]") {
  Demo demo;
  Result result = run(demo.directory, {"-C", "/", "status"});
  CHECK(result.code == 5);
  CHECK(says(result.err, "no stack here: "));
  CHECK(run(demo.directory, {"-C", "/", "-p", "demo", "status"}).code == 0);
  CHECK(run(demo.directory, {"status", "-p", "other"}).code == 5);
}

TEST_CASE("logs name the service before each line", "[client]") {
  Demo demo;
  CHECK(run(demo.directory, {"logs"}).out == "db  | one\napi | two\n");
  CHECK(run(demo.directory, {"logs", "-t", "--tail", "5", "db"}).out == "db  | T1 one\napi | T2 two\n");
  CHECK(demo.asked().back().target == "/v1/stacks/demo-1/logs?tail=5&service=db&timestamps=1");
  CHECK(lines_of(run(demo.directory, {"logs", "-f", "--json"}).out).size() == 2);
  CHECK(says(demo.asked().back().target, "follow=1"));
}

TEST_CASE("exec runs a command with the stack's environment in its directory, and gives its code",
          "[client]") {
  Demo demo;
  std::string work = (std::filesystem::canonical(demo.directory.path()) / "work").string();
  Result result = run(demo.directory, {"exec", "--env-group", "db", "sh", "-c",
                                       "echo \"$GREETING $PWD $1\"; exit 7", "-", "-la"});
  CHECK(result.code == 7);
  CHECK(result.out == "it's me " + work + " -la\n");
  CHECK(demo.asked().back().target == "/v1/environment?group=db");
  CHECK(run(demo.directory, {"exec", "sh", "-c", "echo \"${HOME-nothing}\""}).out ==
        "nothing\n");  // no more than the daemon said
  CHECK(run(demo.directory, {"exec", "--", "sh", "-c", "kill -9 $$"}).code == 137);
  CHECK(run(demo.directory, {"exec", "no-such-command"}).code == 127);
  CHECK(run(demo.directory, {"exec", "/etc/passwd"}).code == 126);
  CHECK(run(demo.directory, {"exec", "ls", "--json"}).code == 2);  // ls's own mistake, not ours
  CHECK(run(demo.directory, {"exec"}).code == 2);
}

TEST_CASE("L6.8: run runs one of the file's commands with arguments, and says which there are", "[client]") {
  Demo demo;
  Result result = run(demo.directory, {"run", "seed", "a b", "--json"});
  CHECK(result.code == 9);
  CHECK(result.out == "it's me a b 2\n");
  CHECK(demo.asked().back().target == "/v1/environment?command=seed");
  CHECK(run(demo.directory, {"run", "seed", "--", "--help"}).out == "it's me --help 1\n");
  for (const std::vector<std::string>& help : {std::vector<std::string>{"run"}, {"run", "--help"}}) {
    Result shown = run(demo.directory, help);
    CHECK(shown.code == 0);
    CHECK(says(shown.out, "seed  Fills the database"));
  }
  CHECK(says(run(demo.directory, {"run", "seed", "--help"}).out, "./seed \"$1\""));
  CHECK(says(run(demo.directory, {"run", "sed", "--help"}).err, "did you mean 'seed'?"));
  CHECK(run(demo.directory, {"run", "--bogus"}).code == 2);
}

TEST_CASE("bad usage is exit code 2, help is 0", "[client]") {
  stackd::test::TempDir directory;
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{},
                                                {"statsu"},
                                                {"--bogus"},
                                                {"up", "--bogus"},
                                                {"up", "--pull", "sometimes"},
                                                {"up", "--scale", "db"},
                                                {"up", "--timeout", "soon"},
                                                {"down", "-t", "x"},
                                                {"-C", "/no/such/directory", "ls"},
                                                {"-f", "/no/file", "up"},
                                                {"--host", "ftp://x", "ls"},
                                                {"--host", "http://127.0.0.1", "ls"},
                                                {"--host", "http://192.0.2.1:7777", "ls"},
                                                {"--host", "http://localhost.example:7777", "ls"},
                                                {"completion", "csh"},
                                                {"status", "extra"}}) {
    INFO(join(wrong, " "));
    CHECK(run(directory, wrong).code == 2);
  }
  CHECK(says(run(directory, {"statuz"}).err, "did you mean 'status'?"));
  CHECK(run(directory, {"--help"}).code == 0);
  CHECK(says(run(directory, {"up", "--help"}).out, "--force-recreate"));
  CHECK(says(run(directory, {"help", "down"}).out, "--rmi"));
}

TEST_CASE("init writes a file once", "[client]") {
  stackd::test::TempDir directory;
  CHECK(run(directory, {"init"}).code == 0);
  CHECK(std::filesystem::file_size(directory.path() / "work/stackd.yaml") > 500);
  Result again = run(directory, {"init"});
  CHECK(again.code == 2);
  CHECK(says(again.err, "is there already"));
}
