// Requests that no client would send: the server answers or hangs up, and goes on serving others.
#include <random>

#include "tests/unit/daemon/http/fixture.hpp"

using namespace stackd;
using test::ServerFixture;

namespace {

constexpr const char* k_seeds[] = {
    "GET /echo/x?q=a%20b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "POST /echo/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 14\r\n"
    "Connection: close\r\n\r\n{\"a\": [1, 2]}\n",
    "POST /echo/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    "4\r\nabcd\r\n3;x=y\r\nefg\r\n0\r\n\r\n",
    "HEAD /count?lines=2 HTTP/1.0\r\n\r\nGET /count?lines=1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"};

constexpr const char* k_tokens[] = {"\r\n",
                                    "\n",
                                    "\r",
                                    " ",
                                    ":",
                                    "%",
                                    "%00",
                                    "%zz",
                                    "../",
                                    "?",
                                    "&",
                                    "=",
                                    "HTTP/9.9",
                                    "Content-Length: -1\r\n",
                                    "Content-Length: 99999999999999999999\r\n",
                                    "Transfer-Encoding: chunked\r\n",
                                    "Expect: 100-continue\r\n",
                                    "Upgrade: h2c\r\n",
                                    "\xff",
                                    "ffffffffffffffff\r\n",
                                    "0\r\n\r\n"};

std::string damaged(std::mt19937& random, std::string text) {
  const auto below = [&](std::size_t count) { return count == 0 ? 0 : random() % count; };
  for (std::size_t times = 1 + below(3); times > 0; --times) {
    const auto at = below(text.size());
    switch (below(4)) {
      case 0:
        text.erase(at, 1 + below(12));
        break;
      case 1:
        text.insert(at, k_tokens[below(std::size(k_tokens))]);
        break;
      case 2:
        if (!text.empty()) text[at] = static_cast<char>(below(256));
        break;
      default:
        text.insert(at, text.substr(below(text.size()), 1 + below(30)));
    }
  }
  return text;
}

}  // namespace

TEST_CASE("Damaged requests are answered or hung up on, and others are served as before", "[http][fuzz]") {
  ServerFixture fixture;
  std::mt19937 random(11);
  int answered = 0;
  for (int i = 0; i < 600; ++i) {
    const auto text = damaged(random, k_seeds[i % std::size(k_seeds)]);
    CAPTURE(text);
    auto client = fixture.client();
    client.send(text);
    client.finish_sending();  // whatever it still waits for does not come
    try {
      const auto status = client.answer().status;
      CHECK((status >= 100 && status < 600));  // 100 when it was asked to go on
      CHECK(status != 500);
      ++answered;
    } catch (const std::exception&) {
      // It hung up without an answer.
    }
    if (i % 50 == 0) CHECK(fixture.client().get("/echo/well").body == "GET well 0 - ");
  }
  CHECK(answered > 100);
  fixture.until_sessions(0);
}
