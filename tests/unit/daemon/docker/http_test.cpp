#include "daemon/docker/http.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "daemon/async/task_group.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_coro.hpp"
#include "tests/unit/daemon/docker/fake_engine.hpp"

using namespace stackd;
using docker::Http;
using docker::Request;
using test::FakeEngine;
using test::http_answer;
using util::ErrorKind;
using namespace std::chrono_literals;

namespace {

awaitable<docker::Answer> get(Http& http, std::string path, std::string method = "GET") {
  Request request{.what = "cannot do it", .method = std::move(method), .path = std::move(path)};
  co_return co_await http.call(std::move(request));
}

// The kind and text of what a call throws; "" when it throws nothing.
struct Thrown {
  std::optional<ErrorKind> kind;
  std::string text;
};
awaitable<Thrown> thrown_by(awaitable<docker::Answer> call) {
  try {
    co_await std::move(call);
  } catch (const util::Error& e) {
    co_return Thrown{e.kind(), e.what()};
  }
  co_return Thrown{};
}

// Waits until the server's threads have seen what the client did.
awaitable<bool> eventually(std::function<bool()> condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) co_return true;
    co_await async::sleep_for(5ms);
  }
  co_return false;
}

}  // namespace

TEST_CASE("The version is negotiated once, and many calls at the same time wait for it", "[docker]") {
  FakeEngine engine([](auto& peer, const std::string& request, int) {
    return peer.send(http_answer(200, request.substr(0, request.find(" HTTP"))));
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    CHECK_FALSE(http.known_version());
    async::TaskGroup tasks(executor);
    int answers = 0;
    for (int i = 0; i < 20; ++i)
      tasks.spawn("get", [&]() -> awaitable<void> {
        const auto answer = co_await get(http, "/x");
        CHECK(answer.body == "GET /v1.45/x");
        ++answers;
      });
    co_await tasks.join();
    CHECK(answers == 20);
    CHECK(engine.negotiations() == 1);
    const auto version = co_await http.version();
    CHECK(version.version == "9.9");
    CHECK(version.api_version == "1.45");
    CHECK(version.podman);
    CHECK(engine.negotiations() == 1);
  });
}

TEST_CASE("Requests one after the other share a connection", "[docker]") {
  FakeEngine engine([](auto& peer, const std::string&, int) { return peer.send(http_answer(204, "")); });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    for (int i = 0; i < 10; ++i) co_await get(http, "/x", i % 2 ? "POST" : "GET");
    CHECK(engine.connections() == 1);
  });
}

TEST_CASE("A connection that the engine closed while it was idle costs nothing, even for a POST",
          "[docker]") {
  FakeEngine engine([](auto& peer, const std::string&, int) {
    peer.send(http_answer(200, "{}"));
    return false;
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    for (int i = 0; i < 3; ++i) {
      co_await get(http, "/x", "POST");
      const auto got1 = co_await eventually([&] { return engine.open_connections() == 0; });
      CHECK(got1);
    }
    // Each time the engine may have been another one.
    CHECK(engine.negotiations() == 3);
  });
}

TEST_CASE("A dropped connection makes the version be negotiated again", "[docker]") {
  FakeEngine engine([](auto& peer, const std::string& request, int) {
    peer.send(http_answer(200, request.substr(0, request.find(" HTTP"))));
    return false;
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    const auto got2 = co_await get(http, "/x");
    CHECK(got2.body == "GET /v1.45/x");
    engine.set_api("1.42");
    const auto got3 = co_await eventually([&] { return engine.open_connections() == 0; });
    CHECK(got3);
    const auto got4 = co_await get(http, "/x");
    CHECK(got4.body == "GET /v1.42/x");
    CHECK(http.known_version()->api_version == "1.42");
  });
}

TEST_CASE("A GET that a kept-alive connection swallowed is sent again, a POST is not", "[docker]") {
  std::atomic<int> seen = 0;
  FakeEngine engine([&](auto& peer, const std::string&, int connection) {
    ++seen;
    return connection > 1 && peer.send(http_answer(200, "{}"));
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    co_await http.version();  // leaves connection 1 idle
    const auto method = std::string("GET");
    const auto got5 = co_await get(http, "/x", method);
    CHECK(got5.status == 200);
    CHECK(seen == 2);
    // One to ask for the version again, for it may be another engine now, and a fresh one for the request.
    CHECK(engine.connections() == 3);
  });
  seen = 0;
  FakeEngine other([&](auto&, const std::string&, int) {
    ++seen;
    return false;
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, other.host());
    co_await http.version();
    const auto thrown = co_await thrown_by(get(http, "/x", "POST"));
    CHECK(thrown.kind == ErrorKind::no_engine);
    CHECK(thrown.text.starts_with("cannot do it: the Docker engine at " + other.host() +
                                  " broke off the connection"));
    CHECK(seen == 1);
  });
}

TEST_CASE("A GET is not sent again and again", "[docker]") {
  std::atomic<int> seen = 0;
  FakeEngine engine([&](auto&, const std::string&, int) {
    ++seen;
    return false;
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    co_await http.version();
    const auto got6 = co_await thrown_by(get(http, "/x"));
    CHECK(got6.kind == ErrorKind::no_engine);
    CHECK(seen == 2);
  });
}

TEST_CASE("An answer that is cut short is an error", "[docker]") {
  const std::string answer =
      GENERATE("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a\"", "HTTP/1.1 200 OK\r\nTrans",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n");
  FakeEngine engine([&](auto& peer, const std::string&, int) {
    peer.send(answer);
    return false;
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    const auto got7 = co_await thrown_by(get(http, "/x"));
    CHECK(got7.kind == ErrorKind::no_engine);
  });
}

TEST_CASE("Answers are read however they are framed and cut", "[docker]") {
  const std::string body(5000, 'b');
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 50; ++i) chunked += "64\r\n" + body.substr(0, 100) + "\r\n";
  chunked += "0\r\n\r\n";
  const std::string until_close = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body;
  FakeEngine engine([&](auto& peer, const std::string& request, int) {
    const auto asked = [&](const char* path) { return request.find(path) != std::string::npos; };
    const std::string answer = asked("/chunked") ? chunked
                               : asked("/sized") ? http_answer(200, body)
                                                 : until_close;
    for (std::size_t at = 0; at < answer.size(); at += 37)
      if (!peer.send(std::string_view(answer).substr(at, 37))) return false;
    return !asked("/until-close");
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    for (const char* path : {"/chunked", "/sized", "/chunked"}) {
      const auto got8 = co_await get(http, path);
      CHECK(got8.body == body);
    }
    CHECK(engine.connections() == 1);
    const auto got9 = co_await get(http, "/until-close");
    CHECK(got9.body == body);
  });
}

TEST_CASE("A silent engine is given up after the request's limit", "[docker]") {
  FakeEngine engine([](auto& peer, const std::string&, int) {
    peer.read_to_end();
    return false;
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    Request request{.what = "cannot wait", .path = "/x", .limit = 30ms};
    const auto thrown = co_await thrown_by(http.call(std::move(request)));
    CHECK(thrown.kind == ErrorKind::timed_out);
    CHECK(thrown.text == "cannot wait: the Docker engine did not answer within 30ms");
    const auto got10 = co_await eventually([&] { return engine.open_connections() == 0; });
    CHECK(got10);
  });
}

TEST_CASE("A limit holds for the body too, and a slow stream's for each piece", "[docker]") {
  FakeEngine engine([](auto& peer, const std::string&, int) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    peer.read_to_end();
    return false;
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    Request request{.what = "cannot wait", .path = "/x", .limit = 30ms};
    const auto got11 = co_await thrown_by(http.call(request));
    CHECK(got11.kind == ErrorKind::timed_out);
    const auto body = co_await http.open(request);
    const auto got12 = co_await body->next();
    CHECK(got12 == "half");
    std::optional<ErrorKind> kind;
    try {
      co_await body->next();
    } catch (const util::Error& e) {
      kind = e.kind();
    }
    CHECK(kind == ErrorKind::timed_out);
  });
}

TEST_CASE("After a 101 the bare bytes come, those too that came with the head", "[docker]") {
  std::atomic<bool> asked = false;  // the handler has a thread of its own, where nothing may be CHECKed
  FakeEngine engine([&](auto& peer, const std::string& request, int) {
    asked = request.find("Upgrade: tcp\r\n") != std::string::npos;
    peer.send("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly");
    peer.send(" and late");
    return false;
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    Request request{.what = "cannot run", .method = "POST", .path = "/x", .upgrade = true};
    const auto body = co_await http.open(std::move(request));
    std::string all;
    for (auto piece = co_await body->next(); !piece.empty(); piece = co_await body->next()) all += piece;
    CHECK(all == "early and late");
    CHECK(asked);
    const auto got13 = co_await body->next();
    CHECK(got13.empty());
  });
}

TEST_CASE("Cancelling a call closes its connection", "[docker]") {
  std::atomic<bool> closed = false;
  FakeEngine engine([&](auto& peer, const std::string&, int) {
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    closed = peer.read_to_end().empty();
    return false;
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    async::TaskGroup tasks(executor);
    std::string got;
    tasks.spawn("stream", [&]() -> awaitable<void> {
      Request request{.what = "cannot follow", .path = "/x", .limit = std::nullopt};
      const auto body = co_await http.open(std::move(request));
      for (;;) got += co_await body->next();
    });
    const auto got14 = co_await eventually([&] { return got == "abc"; });
    CHECK(got14);
    CHECK_FALSE(closed);
    tasks.cancel_all();
    co_await tasks.join();
    const auto got15 = co_await eventually([&] { return closed && engine.open_connections() == 0; });
    CHECK(got15);
  });
}

TEST_CASE("Idle connections are closed after a while, and all when nobody needs the engine", "[docker]") {
  FakeEngine engine([](auto& peer, const std::string&, int) { return peer.send(http_answer(200, "{}")); });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    int dropped = 0;
    const auto pool = std::make_shared<docker::Pool>(executor, 30ms, [&] { ++dropped; });
    for (int i = 0; i < 3; ++i) {
      auto connection = std::make_shared<docker::Connection>(executor);
      const auto got16 = co_await connection->connect(docker::parse_address(engine.host()));
      CHECK_FALSE(got16);
      const auto got17 = co_await connection->send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
      CHECK_FALSE(got17);
      const auto got18 = co_await connection->read_head();
      CHECK_FALSE(got18);
      CHECK(connection->ended());
      pool->put(std::move(connection));
    }
    CHECK(pool->size() == 3);
    CHECK(pool->take() != nullptr);  // goes away at once
    const auto got19 =
        co_await eventually([&] { return pool->size() == 0 && engine.open_connections() == 0; });
    CHECK(got19);
    CHECK(dropped == 0);
  });
  {
    // An Http that goes away takes its connections along.
    test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
      {
        Http http(executor, engine.host());
        co_await get(http, "/x");
        CHECK(engine.open_connections() == 1);
      }
      const auto got20 = co_await eventually([&] { return engine.open_connections() == 0; });
      CHECK(got20);
    });
  }
}

TEST_CASE("No socket, and nobody behind one, say where the engine was looked for and what to do",
          "[docker]") {
  const test::TempDir dir;
  const auto host = "unix://" + (dir.path() / "none.sock").string();
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, host);
    const auto thrown = co_await thrown_by(get(http, "/x"));
    CHECK(thrown.kind == ErrorKind::no_engine);
    CHECK(thrown.text ==
          "cannot reach the Docker engine at " + host +
              ": No such file or directory; is it running, and may this user open the socket?");
    Http tcp(executor, "tcp://127.0.0.1:1");
    const auto refused = co_await thrown_by(get(tcp, "/x"));
    CHECK(refused.kind == ErrorKind::no_engine);
    CHECK(refused.text ==
          "cannot reach the Docker engine at tcp://127.0.0.1:1: Connection refused; is it running, and "
          "does it listen there?");
  });
}

TEST_CASE("A socket that this user may not open is told apart", "[docker]") {
  FakeEngine engine([](auto& peer, const std::string&, int) { return peer.send(http_answer(200, "{}")); });
  REQUIRE(::chmod(engine.path().c_str(), 0) == 0);
  const bool root = ::geteuid() == 0;  // nothing is forbidden to root
  constexpr uid_t k_nobody = 65534;
  if (root) {
    REQUIRE(::chmod(engine.path().substr(0, engine.path().rfind('/')).c_str(), 0755) == 0);
    REQUIRE(::seteuid(k_nobody) == 0);
  }
  Thrown thrown;
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    thrown = co_await thrown_by(get(http, "/x"));
  });
  if (root) REQUIRE(::seteuid(0) == 0);
  CHECK(thrown.kind == ErrorKind::no_engine);
  CHECK(thrown.text.find("Permission denied; this user may not open the socket") != std::string::npos);
}

TEST_CASE("An engine that is too old is refused by its version", "[docker]") {
  FakeEngine engine([](auto& peer, const std::string&, int) { return peer.send(http_answer(200, "{}")); },
                    "1.40");
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    const auto thrown = co_await thrown_by(get(http, "/x"));
    CHECK(thrown.kind == ErrorKind::unsupported);
    CHECK(thrown.text.find("it speaks version \"1.40\" of the Docker API, and stackd needs 1.41") !=
          std::string::npos);
  });
}

TEST_CASE("A body is sent in chunks, and a refusal before its end is heard", "[docker]") {
  FakeEngine engine([](auto& peer, const std::string& request, int) {
    if (request.find("/refuse") != std::string::npos) {
      peer.send(http_answer(400, R"({"message":"no such option"})"));
      return false;
    }
    // What follows the head, to the last chunk.
    std::string body;
    for (auto piece = peer.read_some(); !piece.empty(); piece = peer.read_some()) {
      body += piece;
      if (body.ends_with("\r\n0\r\n\r\n")) break;
    }
    return peer.send(http_answer(200, body));
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    int pieces = 0;
    docker::BodySource three = [&]() -> awaitable<std::string> { co_return pieces++ < 3 ? "abc" : ""; };
    Request build{.what = "cannot build", .method = "POST", .path = "/build", .limit = std::nullopt};
    auto body = co_await http.open(std::move(build), three);
    const auto got21 = co_await body->next();
    CHECK(got21 == "3\r\nabc\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n");
    const auto got22 = co_await body->next();
    CHECK(got22 == "");

    docker::BodySource endless = []() -> awaitable<std::string> { co_return std::string(100000, 'x'); };
    Request refused{.what = "cannot build", .method = "POST", .path = "/refuse", .limit = std::nullopt};
    Thrown thrown;
    try {
      co_await http.open(std::move(refused), endless);
    } catch (const util::Error& e) {
      thrown = {e.kind(), e.what()};
    }
    CHECK(thrown.kind == ErrorKind::engine);
    CHECK(thrown.text == "cannot build: no such option");
  });
}

TEST_CASE("An error of the body's source ends the request with it", "[docker]") {
  FakeEngine engine([](auto& peer, const std::string&, int) {
    peer.read_to_end();
    return false;
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Http http(executor, engine.host());
    docker::BodySource broken = []() -> awaitable<std::string> {
      throw util::Error(ErrorKind::io, "cannot read /x");
      co_return "";
    };
    Request build{.what = "cannot build", .method = "POST", .path = "/build", .limit = std::nullopt};
    std::string text;
    try {
      co_await http.open(std::move(build), broken);
    } catch (const util::Error& e) {
      text = e.what();
    }
    CHECK(text == "cannot read /x");
    const auto got23 = co_await eventually([&] { return engine.open_connections() <= 1; });
    CHECK(got23);
  });
}
