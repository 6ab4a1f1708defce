#include "daemon/http/server.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/daemon/http/fixture.hpp"

using namespace stackd;
using test::HttpClient;
using test::ServerFixture;
using namespace std::chrono_literals;

TEST_CASE("A connection serves one request after another", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.get("/echo/me?q=a%20b");
    CHECK(answer.status == 200);
    CHECK(answer.body == "GET me 0 a b ");
    CHECK(answer.header("x-content-type-options") == "nosniff");
  }
  CHECK(client.post("/echo/me", "{\"a\":1}").body == "POST me 7 - {\"a\":1}");
  CHECK(fixture.loop.call([&] { return fixture.server->counters().sessions; }) == 1);
}

TEST_CASE("Requests that were sent without waiting are answered in order", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.send(
      "GET /echo/1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /echo/2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
      "GET /echo/3 HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.answer().body == "GET 1 0 - ");
  CHECK(client.answer().body == "POST 2 2 - hi");
  CHECK(client.answer().body == "GET 3 0 - ");
}

TEST_CASE("Garbage behind a good request gets a 400 and ends the connection", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.send("GET /echo/1 HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03\x01 nonsense\r\n\r\n");
  CHECK(client.answer().status == 200);
  const auto refused = client.answer();
  CHECK(refused.status == 400);
  CHECK(refused.header("connection") == "close");
  CHECK(refused.body.find("invalid-request|cannot read the request") == 0);
  CHECK(client.closed());
}

TEST_CASE("A target may be absolute, as a proxy is asked", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.send("GET http://localhost/echo/me?q=x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(client.answer().body == "GET me 0 x ");
}

TEST_CASE("Malformed requests are refused with 400", "[http]") {
  ServerFixture fixture;
  for (const auto* bad :
       {"GET\r\n\r\n", "GET /echo/1 HTTP/9.9\r\n\r\n", "GET /echo/1 HTTP/1.1\r\nNo colon\r\n\r\n",
        "POST /echo/1 HTTP/1.1\r\nContent-Length: ten\r\n\r\n",
        "POST /echo/1 HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST /echo/1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
    CAPTURE(bad);
    auto client = fixture.client();
    client.send(bad);
    CHECK(client.answer().status == 400);
    CHECK(client.closed());
  }
  auto client = fixture.client();
  CHECK(client.get("/echo/%zz").status == 400);
  CHECK(client.get("/echo/ok").status == 200);  // that one was a whole request: the connection goes on
}

TEST_CASE("An unknown path is 404, a wrong method 405 with what is allowed", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  CHECK(client.get("/nowhere").status == 404);
  client.request("DELETE", "/echo/me");
  const auto answer = client.answer();
  CHECK(answer.status == 405);
  CHECK(answer.header("allow") == "GET, HEAD, POST");
  CHECK(client.get("/echo/me").status == 200);
}

TEST_CASE("HEAD answers with the headers of GET and no body", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.request("HEAD", "/echo/me");
  const auto head = client.answer(true);
  CHECK(head.status == 200);
  CHECK(head.header("content-length") == std::to_string(std::string("HEAD me 0 - ").size()));
  client.request("HEAD", "/nowhere");
  CHECK(client.answer(true).status == 404);
  client.request("HEAD", "/count");
  CHECK(client.answer(true).header("x-lines") == "3");
  CHECK(client.get("/echo/me").body == "GET me 0 - ");
}

TEST_CASE("A body may be 8 MB and no more", "[http]") {
  ServerFixture fixture;
  const std::string largest(8 * 1024 * 1024, 'x');
  auto client = fixture.client();
  CHECK(client.post("/echo/me", largest).body.find("POST me 8388608 ") == 0);

  client.send("POST /echo/me HTTP/1.1\r\nHost: x\r\nContent-Length: 8388609\r\n\r\n" + largest + "x");
  const auto refused = client.answer();
  CHECK(refused.status == 413);
  CHECK(client.closed());

  // The same when the length is not said beforehand.
  auto chunked = fixture.client();
  chunked.send("POST /echo/me HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 9; ++i) chunked.send("100000\r\n" + std::string(1 << 20, 'y') + "\r\n");
  CHECK(chunked.answer().status == 413);
}

TEST_CASE("A chunked body is put together", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.send(
      "POST /echo/me HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  CHECK(client.answer().body == "POST me 5 - abcde");
}

TEST_CASE("A head that is too large is refused with 431", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.send("GET /echo/me HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(20000, 'x') + "\r\n\r\n");
  CHECK(client.answer().status == 431);
}

TEST_CASE("Who asks before sending the body is told to go on", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.send("POST /echo/me HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(client.answer().status == 100);
  client.send("hi");
  CHECK(client.answer().body == "POST me 2 - hi");

  auto too_much = fixture.client();
  too_much.send(
      "POST /echo/me HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n\r\n");
  CHECK(too_much.answer().status == 413);
}

TEST_CASE("A client that sends nothing, or half a request, is dropped when its time is up", "[http]") {
  http::Limits limits;
  limits.idle = 100ms;
  limits.body = 100ms;
  ServerFixture fixture(limits);
  auto silent = fixture.client();
  CHECK(silent.closed());
  auto slow = fixture.client();
  slow.send("GET /echo/me HT");
  CHECK(slow.closed());
  auto slow_body = fixture.client();
  slow_body.send("POST /echo/me HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  CHECK(slow_body.closed());
  fixture.until_sessions(0);
}

TEST_CASE("A client that sends a byte at a time is served", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  for (const char c : std::string("POST /echo/me HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"))
    client.send({&c, 1});
  CHECK(client.answer().body == "POST me 2 - hi");
}

TEST_CASE("A client that asked for the end, or speaks HTTP/1.0, gets it", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.request("GET", "/echo/me", "", "Host: x\r\nConnection: close\r\n");
  CHECK(client.answer().header("connection") == "close");
  CHECK(client.closed());
  auto old = fixture.client();
  old.send("GET /count HTTP/1.0\r\n\r\n");
  const auto answer = old.answer();
  CHECK(answer.header("transfer-encoding").empty());
  CHECK(answer.body == "line 0\nline 1\nline 2\n");
}

TEST_CASE("A client that stops sending is still answered", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.request("GET", "/wait");
  client.finish_sending();
  fixture.until_running(1);
  fixture.release();
  CHECK(client.answer().body == "held");
}

TEST_CASE("A handler runs to its end though its client went away", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.request("GET", "/hold");
  fixture.until_running(1);
  client.close();
  auto other = fixture.client();
  CHECK(other.get("/echo/me").status == 200);
  CHECK(fixture.running() == 1);
  fixture.release();
  fixture.until_running(0);
}

TEST_CASE("A handler that only waits ends when its client goes away", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  client.request("GET", "/wait");
  fixture.until_running(1);
  client.close();
  fixture.until_running(0);
  fixture.until_sessions(0);
}

TEST_CASE("What a handler throws is shown by the layer above, once", "[http]") {
  ServerFixture fixture;
  auto client = fixture.client();
  const auto answer = client.get("/fail");
  CHECK(answer.status == 500);
  CHECK(answer.body == "it broke");
  CHECK(client.get("/echo/me").status == 200);
  CHECK(fixture.loop.call([&] { return fixture.failures; }) == 1);
}

TEST_CASE("Stopping ends idle connections and streams at once, and lets answers be finished", "[http]") {
  ServerFixture fixture;
  auto idle = fixture.client();
  CHECK(idle.get("/echo/me").status == 200);
  auto stream = fixture.client();
  stream.request("GET", "/tick");
  stream.head();
  CHECK(stream.chunk() == "first\n");
  auto busy = fixture.client();
  busy.request("GET", "/hold");
  fixture.until_running(2);

  bool stopped = false;
  std::thread stopping([&] {
    fixture.stop(10s);
    stopped = true;
  });
  CHECK(idle.closed());
  CHECK(stream.closed());
  CHECK_THROWS(fixture.client());
  fixture.release();
  const auto answer = busy.answer();
  CHECK(answer.body == "held");
  CHECK(answer.header("connection") == "close");
  stopping.join();
  CHECK(stopped);
  CHECK(fixture.running() == 0);
}

TEST_CASE("Stopping cancels what takes longer than its grace", "[http]") {
  ServerFixture fixture;
  auto busy = fixture.client();
  busy.request("GET", "/hold");
  fixture.until_running(1);
  fixture.stop(10ms);
  CHECK(busy.closed());
  CHECK(fixture.running() == 0);
}

TEST_CASE("When all places are taken, the connection that has been idle longest gives its up", "[http]") {
  http::Limits limits;
  limits.sessions = 3;
  ServerFixture fixture(limits);
  auto busy = fixture.client();
  busy.request("GET", "/hold");
  fixture.until_running(1);
  auto first = fixture.client(), second = fixture.client();
  CHECK(first.get("/echo/1").status == 200);
  CHECK(second.get("/echo/2").status == 200);
  CHECK(first.get("/echo/1").status == 200);  // now the second has been idle longer
  auto another = fixture.client();
  CHECK(another.get("/echo/4").body == "GET 4 0 - ");
  CHECK(second.closed());
  CHECK(first.get("/echo/1").status == 200);
  fixture.release();
  CHECK(busy.answer().body == "held");
}

TEST_CASE("Connections that are answered keep their places: more than the limit wait for their turn",
          "[http]") {
  http::Limits limits;
  limits.sessions = 2;
  ServerFixture fixture(limits);
  auto first = fixture.client(), second = fixture.client(), third = fixture.client();
  first.request("GET", "/hold");
  second.request("GET", "/tick");
  fixture.until_running(2);
  third.request("GET", "/echo/3");
  CHECK(fixture.loop.call([&] { return fixture.server->counters().sessions; }) == 2);
  fixture.release();
  CHECK(first.answer().body == "held");
  CHECK(third.answer().body == "GET 3 0 - ");  // the first is idle now, and leaves
  CHECK(first.closed());
}

TEST_CASE("A client with 512 idle connections leaves room for others", "[http]") {
  ServerFixture fixture;
  std::vector<HttpClient> idle;
  for (int i = 0; i < 512; ++i) idle.push_back(fixture.client());
  fixture.until_sessions(512);
  for (int i = 0; i < 20; ++i) CHECK(fixture.client().get("/echo/me").status == 200);
}

TEST_CASE("TCP asks for the token, a loopback Host and no Origin", "[http]") {
  ServerFixture fixture;
  const auto port = fixture.loop.call([&] {
    CHECK_THROWS_AS(fixture.server->listen(http::Listener::tcp("127.0.0.1:0")), util::Error);
    fixture.server->set_token("secret");
    auto listener = http::Listener::tcp("127.0.0.1:0");
    const auto number = listener.port();
    fixture.server->listen(std::move(listener));
    return number;
  });
  const auto ask = [&](const std::string& headers) {
    auto client = HttpClient::tcp(port);
    client.request("GET", "/echo/me", "", headers);
    return client.answer();
  };
  CHECK(ask("Host: 127.0.0.1\r\nAuthorization: Bearer secret\r\n").body == "GET me 0 - ");
  const auto without = ask("Host: 127.0.0.1\r\n");
  CHECK(without.status == 401);
  CHECK(without.header("www-authenticate") == "Bearer");
  CHECK(without.body.find("denied|") == 0);
  CHECK(ask("Host: 127.0.0.1\r\nAuthorization: Bearer wrong\r\n").status == 401);
  CHECK(ask("Host: evil.example\r\nAuthorization: Bearer secret\r\n").status == 403);
  CHECK(ask("Authorization: Bearer secret\r\n").status == 403);
  CHECK(ask("Host: localhost\r\nAuthorization: Bearer secret\r\nOrigin: http://localhost\r\n").status == 403);
  CHECK(fixture.client().get("/echo/me").status == 200);  // the Unix socket asks for none of it
}

TEST_CASE("Another user is refused on the Unix socket", "[http]") {
  if (::geteuid() != 0) return;  // only root can become someone else
  ServerFixture fixture;
  // The file's mode keeps others out already; it is opened up to see the second door.
  REQUIRE(::chmod(fixture.directory.path().c_str(), 0755) == 0);
  REQUIRE(::chmod((fixture.directory.path() / "run").c_str(), 0755) == 0);
  REQUIRE(::chmod(fixture.socket().c_str(), 0666) == 0);
  const auto child = ::fork();
  if (child == 0) {
    int status = 0;
    if (::setuid(65534) == 0) {
      try {
        auto client = fixture.client();
        client.request("GET", "/echo/me");
        status = client.answer().status;
      } catch (const std::exception&) {
      }
    }
    ::_exit(status == 403 ? 0 : 1);
  }
  int result = 0;
  REQUIRE(::waitpid(child, &result, 0) == child);
  CHECK(WIFEXITED(result));
  CHECK(WEXITSTATUS(result) == 0);
}
