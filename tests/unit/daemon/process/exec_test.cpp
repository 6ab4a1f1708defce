// Exec runs against an engine of the test's own, that answers in ways a real one does only sometimes. (What a
// real one does is in tests/engine/process.)
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "daemon/process/runs.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/process/run_support.hpp"

using namespace stackd;
using namespace stackd::process;
using namespace stackd::test;

namespace {

std::string response(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string frame(char stream, const std::string& text) {
  std::string head{
      stream, 0, 0, 0, 0, 0, static_cast<char>(text.size() >> 8), static_cast<char>(text.size())};
  return head + text;
}

constexpr char k_upgraded[] = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

// Answers each path with its texts in turn (the last one again and again), in small pieces, and closes.
class FakeEngine {
public:
  FakeEngine(std::filesystem::path socket, std::map<std::string, std::vector<std::string>> answers)
      : answers_(std::move(answers)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 8) != 0)
      throw std::runtime_error("cannot listen");
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeEngine() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  // What was sent to a path, the last time.
  std::string body_of(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return bodies_[path];
  }

private:
  void serve() {
    for (;;) {
      const util::Fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer) return;
      const auto request = read_request(peer.get());
      const auto from = request.find(' ') + 1;
      const auto path = request.substr(from, request.find(' ', from) - from);
      {
        const std::lock_guard lock(mutex_);
        bodies_[path] = request.substr(request.find("\r\n\r\n") + 4);
      }
      auto& texts = answers_[path];
      if (texts.empty()) texts.push_back(response("404 Not Found", R"({"message":"no such thing"})"));
      for (std::size_t at = 0; at < texts.front().size(); at += 5)
        ::send(peer.get(), texts.front().data() + at, std::min<std::size_t>(5, texts.front().size() - at),
               MSG_NOSIGNAL);
      if (texts.size() > 1) texts.erase(texts.begin());
    }
  }

  static std::string read_request(int peer) {
    std::string text;
    char buffer[4096];
    for (;;) {
      const auto head = text.find("\r\n\r\n");
      if (head != std::string::npos) {
        const auto length = text.find("Content-Length: ");
        const auto size = length < head ? std::stoul(text.substr(length + 16)) : 0;
        if (text.size() >= head + 4 + size) return text;
      }
      const auto n = ::recv(peer, buffer, sizeof buffer, 0);
      if (n <= 0) return text;
      text.append(buffer, static_cast<std::size_t>(n));
    }
  }

  std::map<std::string, std::vector<std::string>> answers_;
  std::mutex mutex_;  // guards the next
  std::map<std::string, std::string> bodies_;
  util::Fd listener_;
  std::thread thread_;
};

constexpr char k_create[] = "/v1.41/containers/box/exec", k_start[] = "/v1.41/exec/e1/start",
               k_inspect[] = "/v1.41/exec/e1/json";

struct ExecFixture : RunFixture {
  RunRequest exec() const {
    auto exec = request("run", "true");
    exec.place = Place::exec;
    exec.engine_host = "unix://" + (dir.path() / "engine.sock").string();
    exec.api_version = "1.41";
    exec.container = "box";
    exec.cwd = "/srv";
    exec.user = "me";
    exec.env = {{"A", "b c"}};
    return exec;
  }
  std::filesystem::path socket() const { return dir.path() / "engine.sock"; }
};

std::string ended(int code) {
  return response("200 OK",
                  R"({"ID":"e1","Running":false,"ExitCode":)" + std::to_string(code) +
                      R"(,"ProcessConfig":{"arguments":["\"Running\":true,{"],"Running":true},"Pid":7})");
}

}  // namespace

TEST_CASE("C2.1: an exec is asked for as it was requested", "[process]") {
  const ExecFixture f;
  FakeEngine engine(f.socket(), {{k_create, {response("201 Created", R"({"Id":"e1"})")}},
                                 {k_start, {k_upgraded}},
                                 {k_inspect, {ended(0)}}});
  CHECK(f.run(f.exec()).ok());
  const auto body = nlohmann::json::parse(engine.body_of(k_create));
  CHECK(body["Cmd"] == nlohmann::json({"/bin/sh", "-c", "true"}));
  CHECK(body["User"] == "me");
  CHECK(body["WorkingDir"] == "/srv");
  CHECK(body["Env"][0] == "A=b c");
  CHECK(body["AttachStdin"] == false);
  CHECK(body["Tty"] == false);
  CHECK(nlohmann::json::parse(engine.body_of(k_start))["Detach"] == false);
}

TEST_CASE("an exec's frames are put together whatever pieces they come in", "[process]") {
  const ExecFixture f;
  FakeEngine engine(f.socket(), {{k_create, {response("201 Created", R"({"Id":"e1"})")}},
                                 {k_start,
                                  {k_upgraded + frame(1, "out\n") + frame(2, std::string(300, 'e')) +
                                   frame(1, "") + frame(1, "more\n")}},
                                 {k_inspect, {ended(3)}}});
  const auto exit = f.run(f.exec());
  CHECK(exit.cause == Cause::exited);
  CHECK(exit.code == 3);
  CHECK(exit.out_tail == "out\nmore\n");
  CHECK(exit.err_tail == std::string(300, 'e'));
  CHECK(f.log_text("run") == "out\n" + std::string(300, 'e') + "more\n");
}

TEST_CASE("an exec whose output has ended is waited for until the engine has its code", "[process]") {
  const ExecFixture f;
  const auto running = response("200 OK", R"({"Running":true,"ExitCode":null,"Pid":0})");
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "11\r\n{\"Running\":false,\r\n10\r\n\"ExitCode\" : 42 }\r\n0\r\n\r\n";
  FakeEngine engine(f.socket(), {{k_create, {response("201 Created", R"({"Id":"e1"})")}},
                                 {k_start, {k_upgraded}},
                                 {k_inspect, {running, running, "", running, chunked}}});
  const auto exit = f.run(f.exec());
  CHECK(exit.cause == Cause::exited);
  CHECK(exit.code == 42);
}

TEST_CASE("an engine's refusals are reasons not to start, in its own words", "[process]") {
  const ExecFixture f;
  const auto refusal = response("409 Conflict", R"({"message":"the \"box\" is\u0020paused\n"})");
  {
    FakeEngine engine(f.socket(), {{k_create, {refusal}}});
    const auto exit = f.run(f.exec());
    CHECK(exit.cause == Cause::not_started);
    CHECK(exit.error == "the \"box\" is paused\n");
  }
  std::filesystem::remove(f.socket());
  FakeEngine engine(f.socket(),
                    {{k_create, {response("201 Created", R"({"Id":"e1"})")}}, {k_start, {refusal}}});
  auto request = f.exec();
  request.directory = f.run_dir("second");
  CHECK(f.run(request).cause == Cause::not_started);
}

TEST_CASE("an exec that the engine has forgotten is lost", "[process]") {
  const ExecFixture f;
  FakeEngine engine(f.socket(), {{k_create, {response("201 Created", R"({"Id":"e1"})")}},
                                 {k_start, {k_upgraded + frame(1, "begun\n")}}});
  const auto exit = f.run(f.exec());
  CHECK(exit.cause == Cause::lost);
  CHECK(exit.error == "the engine lost the exec: no such thing");
  CHECK(exit.out_tail == "begun\n");
}

TEST_CASE("X9: a pid that /proc does not place in the container is never signalled, and that is said",
          "[process]") {
  const ExecFixture f;
  // This test's own pid, as an engine on another machine might name it by chance.
  const auto running = response(
      "200 OK", R"({"Running":true,"ExitCode":null,"ContainerID":"0123456789abcdef0123456789abcdef","Pid":)" +
                    std::to_string(::getpid()) + "}");
  FakeEngine engine(f.socket(), {{k_create, {response("201 Created", R"({"Id":"e1"})")}},
                                 {k_start, {k_upgraded}},
                                 {k_inspect, {running}}});
  auto request = f.exec();
  request.timeout = 200ms;
  request.grace = 0ms;
  const auto exit = f.run(request);
  CHECK(exit.cause == Cause::timed_out);
  CHECK(exit.error == "the process may still run in the container");
}

TEST_CASE("an engine host that is neither unix:// nor tcp:// is refused", "[process]") {
  const ExecFixture f;
  auto request = f.exec();
  request.engine_host = "ssh://somewhere";
  CHECK_THROWS_AS(f.run(request), util::Error);
}
