#include "client/http_message.hpp"

#include "client/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd::client;

namespace {

// The body after feeding `bytes` in two parts; `used` is how many of them belonged to it.
std::string decode_in_two(const Head& head, const std::string& bytes, std::size_t cut, std::size_t& used,
                          bool& done) {
  BodyDecoder decoder(head);
  std::string body;
  used = decoder.feed(std::string_view(bytes).substr(0, cut), body);
  if (used == cut) used += decoder.feed(std::string_view(bytes).substr(cut), body);
  done = decoder.done();
  return body;
}

}  // namespace

TEST_CASE("a head's status and headers are read, whatever the case of their names", "[client]") {
  Head head = parse_head("HTTP/1.1 404 Not Found\r\nContent-Type:  text/plain \r\nX-EMPTY:\r\n");
  CHECK(head.status == 404);
  CHECK(head.header("content-type") == "text/plain");
  CHECK(head.header("x-empty").empty());
  CHECK(head.header("absent").empty());
}

TEST_CASE("what is no HTTP answer is refused", "[client]") {
  CHECK_THROWS_AS(parse_head("SSH-2.0-OpenSSH_9.2"), TransportError);
  CHECK_THROWS_AS(parse_head("HTTP/1.1 abc"), TransportError);
  CHECK_THROWS_AS(parse_head("HTTP/1.1 200 OK\r\nno colon here"), TransportError);
}

TEST_CASE("a chunked body is the same wherever it is cut, and what follows it is left", "[client]") {
  Head head = parse_head("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked");
  const std::string body = "5;name=value\r\nhello\r\nA\r\n, \r\nworld!\r\n0\r\nTrailer: x\r\n\r\n";
  const std::string bytes = body + "HTTP/1.1 200";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    std::size_t used = 0;
    bool done = false;
    INFO("cut at " << cut);
    CHECK(decode_in_two(head, bytes, cut, used, done) == "hello, \r\nworld!");
    CHECK(used == body.size());
    CHECK(done);
  }
}

TEST_CASE("a body of a known length ends there", "[client]") {
  Head head = parse_head("HTTP/1.1 200 OK\r\nContent-Length: 5");
  for (std::size_t cut = 0; cut <= 8; ++cut) {
    std::size_t used = 0;
    bool done = false;
    CHECK(decode_in_two(head, "helloXYZ", cut, used, done) == "hello");
    CHECK(used == 5);
    CHECK(done);
  }
  CHECK(BodyDecoder(parse_head("HTTP/1.1 200 OK\r\nContent-Length: 0")).done());
  CHECK(BodyDecoder(parse_head("HTTP/1.1 204 No Content")).done());
}

TEST_CASE("a body without a length ends with its connection", "[client]") {
  BodyDecoder decoder(parse_head("HTTP/1.1 200 OK"));
  std::string body;
  decoder.feed("some", body);
  decoder.feed(" text", body);
  CHECK(body == "some text");
  CHECK_FALSE(decoder.done());
  CHECK(decoder.ends_with_connection());
}

TEST_CASE("broken framing is an error, not a guess", "[client]") {
  Head head = parse_head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked");
  std::string body;
  CHECK_THROWS_AS(BodyDecoder(head).feed("xyz\r\n", body), TransportError);
  CHECK_THROWS_AS(BodyDecoder(head).feed("\r\n", body), TransportError);
  CHECK_THROWS_AS(BodyDecoder(head).feed("3\r\nabcd\r\n", body), TransportError);
  CHECK_THROWS_AS(BodyDecoder(head).feed(std::string(10'000, '0'), body), TransportError);
  CHECK_THROWS_AS(BodyDecoder(parse_head("HTTP/1.1 200 OK\r\nContent-Length: -1")), TransportError);
}
