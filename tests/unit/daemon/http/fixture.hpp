// A server with a few routes on a socket in a temporary directory.
#pragma once

#include <memory>

#include "daemon/async/shielded.hpp"
#include "daemon/async/signal.hpp"
#include "daemon/http/server.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/loop_thread.hpp"
#include "tests/support/temp_dir.hpp"

namespace stackd::test {

class ServerFixture {
public:
  explicit ServerFixture(http::Limits limits = {}) {
    loop.call([&] {
      released = std::make_unique<async::Signal>(loop.executor());
      server = std::make_unique<http::Server>(loop.executor(), http::Router(routes()), pages(), limits);
      server->listen(http::Listener::unix_socket(socket()));
    });
  }
  ~ServerFixture() {
    stop();
    loop.call([&] {
      server.reset();
      released.reset();
    });
  }

  std::string socket() const { return (directory.path() / "run" / "stackd.sock").string(); }
  HttpClient client() const { return HttpClient::unix_socket(socket()); }
  void stop(std::chrono::milliseconds grace = std::chrono::seconds(5)) {
    loop.run<void>([this, grace]() -> awaitable<void> { co_await server->stop(grace); });
  }
  // Handlers of /wait, /tick and /hold that run now; asked on the loop.
  int running() {
    return loop.call([&] { return running_; });
  }
  void until_running(int count) {
    loop.run<void>([this, count]() -> awaitable<void> {
      while (running_ != count) co_await async::sleep_for(std::chrono::milliseconds(1));
    });
  }
  void until_sessions(std::size_t count) {
    loop.run<void>([this, count]() -> awaitable<void> {
      while (server->counters().sessions != count) co_await async::sleep_for(std::chrono::milliseconds(1));
    });
  }
  void release() {
    loop.call([&] { released->notify(); });
  }

  TempDir directory;
  LoopThread loop;
  std::unique_ptr<async::Signal> released;
  std::unique_ptr<http::Server> server;
  int failures = 0;  // what pages().failed saw

private:
  struct Running {
    int& count;
    explicit Running(int& c) : count(c) { ++count; }
    ~Running() { --count; }
  };

  static http::Response text(std::string body, int status = 200) {
    return {status, "text/plain", std::move(body), {}};
  }

  http::ErrorPages pages() {
    http::ErrorPages pages;
    pages.refused = [](int status, util::ErrorKind kind, std::string detail) {
      return text(std::string(util::code_of(kind)) + "|" + detail, status);
    };
    pages.failed = [this](const http::Request&, std::exception_ptr error) {
      ++failures;
      try {
        std::rethrow_exception(error);
      } catch (const std::exception& e) {
        return text(e.what(), 500);
      }
    };
    return pages;
  }

  awaitable<http::Response> hold() {
    Running running(running_);
    co_await released->wait();
    co_return text("held");
  }
  awaitable<void> tick(http::ResponseWriter& writer) {
    Running running(running_);
    writer.start("text/plain");
    co_await writer.write("first\n");
    for (;;) {
      co_await released->wait();
      co_await writer.write("more\n");
    }
  }
  static awaitable<void> count(http::Request request, http::ResponseWriter& writer) {
    const int lines = std::stoi(std::string(request.parameter("lines").value_or("3")));
    writer.start("text/plain", {{"X-Lines", std::to_string(lines)}});
    for (int i = 0; i < lines; ++i) co_await writer.write("line " + std::to_string(i) + "\n");
  }
  static awaitable<void> fail(http::Request request, http::ResponseWriter& writer) {
    if (request.parameter("late")) {
      writer.start("text/plain");
      co_await writer.write("half");
    }
    throw std::runtime_error("it broke");
  }
  static awaitable<http::Response> echo(http::Request request) {
    co_return text(request.method + " " + request.path_value("name") + " " +
                   std::to_string(request.body.size()) + " " +
                   std::string(request.parameter("q").value_or("-")) + " " + request.body.substr(0, 32));
  }

  std::vector<http::Route> routes() {
    const auto held = [this](http::Request) { return hold(); };
    const auto ticking = [this](http::Request, http::ResponseWriter& writer) { return tick(writer); };
    return {{"GET", "/echo/{name}", echo},
            {"POST", "/echo/{name}", echo},
            {"GET", "/hold", held},
            {"GET", "/wait", held, nullptr, true},
            {"GET", "/tick", nullptr, ticking},
            {"GET", "/count", nullptr, count},
            {"GET", "/fail", nullptr, fail}};
  }

  int running_ = 0;
};

}  // namespace stackd::test
