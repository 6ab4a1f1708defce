#include <fcntl.h>

#include "tests/support/run_coro.hpp"
#include "tests/unit/daemon/http/fixture.hpp"

using namespace stackd;
using test::ServerFixture;
using namespace std::chrono_literals;

TEST_CASE("A stream comes in chunks as it is written, and the connection goes on after it", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  const auto counted = client.get("/count?lines=3");
  CHECK(counted.header("transfer-encoding") == "chunked");
  CHECK(counted.header("x-lines") == "3");
  CHECK(counted.body == "line 0\nline 1\nline 2\n");
  CHECK(client.get("/count?lines=0").body.empty());
  CHECK(client.get("/echo/me").status == 200);
}

TEST_CASE("What a stream writes is seen at once", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.request("GET", "/tick");
  CHECK(client.head().status == 200);
  CHECK(client.chunk() == "first\n");
  for (int i = 0; i < 3; ++i) {
    fixture.until_running(1);
    fixture.release();
    CHECK(client.chunk() == "more\n");
  }
}

TEST_CASE("A client that goes away in the middle of a stream leaves no task", "[http]") {
  ServerFixture fixture;
  {
    auto client = fixture.client();
    client.request("GET", "/tick");
    client.head();
    client.chunk();
    fixture.until_running(1);
  }
  fixture.until_running(0);
  fixture.until_sessions(0);
}

TEST_CASE("A client that only stopped sending keeps its stream until it is gone", "[http]") {
  ServerFixture fixture;
  {
    auto client = fixture.client();
    client.request("GET", "/tick");
    client.finish_sending();
    client.head();
    CHECK(client.chunk() == "first\n");
    fixture.release();
    CHECK(client.chunk() == "more\n");
  }
  fixture.until_running(0);
  fixture.until_sessions(0);
}

TEST_CASE("Over TCP too a stream ends with its client", "[http]") {
  ServerFixture fixture;
  const auto port = fixture.loop.call([&] {
    fixture.server->set_token("secret");
    auto listener = http::Listener::tcp("127.0.0.1:0");
    const auto number = listener.port();
    fixture.server->listen(std::move(listener));
    return number;
  });
  {
    auto client = test::HttpClient::tcp(port);
    client.request("GET", "/tick", "", "Host: localhost\r\nAuthorization: Bearer secret\r\n");
    client.head();
    fixture.until_running(1);
  }
  fixture.until_running(0);
}

TEST_CASE("A request sent during a stream is answered after it", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.send("GET /count?lines=2 HTTP/1.1\r\nHost: x\r\n\r\nGET /echo/next HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.answer().body == "line 0\nline 1\n");
  CHECK(client.answer().body == "GET next 0 - ");
}

TEST_CASE("A client that floods a stream with bytes is dropped", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.request("GET", "/tick");
  client.head();
  fixture.until_running(1);
  client.send(std::string(200 * 1024, 'x'));
  fixture.until_running(0);
  fixture.until_sessions(0);
}

TEST_CASE("An error before the stream is an answer, an error within cuts it off", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  CHECK(client.get("/fail").status == 500);
  client.request("GET", "/fail?late=1");
  CHECK(client.head().status == 200);
  CHECK_THROWS([&] {
    while (!client.chunk().empty()) {
    }
  }());  // no last chunk came
}

TEST_CASE("A slow reader holds the writer back, and loses nothing", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  constexpr int lines = 200000;
  client.request("GET", "/count?lines=" + std::to_string(lines));
  // Nothing is read yet: the handler waits, and the loop serves others meanwhile.
  CHECK(fixture.client().get("/echo/me").status == 200);
  std::string expected;
  for (int i = 0; i < lines; ++i) expected += "line " + std::to_string(i) + "\n";
  CHECK(client.answer().body == expected);
}
