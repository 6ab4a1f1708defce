#include "daemon/http/access.hpp"
#include "daemon/http/router.hpp"
#include "daemon/http/target.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using http::Request;

TEST_CASE("A target is taken apart, its query decoded", "[http]") {
  const auto target = http::parse_target("/v1/stacks/a%20b/logs?tail=10&service=web%26db&follow&since=1+m");
  REQUIRE(target);
  CHECK(target->path == "/v1/stacks/a%20b/logs");
  CHECK(target->query ==
        http::Parameters{{"tail", "10"}, {"service", "web&db"}, {"follow", ""}, {"since", "1 m"}});
}

TEST_CASE("Of an absolute target the path counts, and its authority is known", "[http]") {
  const auto target = http::parse_target("HTTP://Localhost:80/v1/ping?x=1");
  REQUIRE(target);
  CHECK(target->path == "/v1/ping");
  CHECK(target->query == http::Parameters{{"x", "1"}});
  CHECK(http::authority_of("HTTP://Localhost:80/v1/ping?x=1") == "Localhost:80");
  CHECK(http::authority_of("/v1/ping").empty());
  for (const auto* bare : {"http://localhost", "http://localhost?x=1"})
    CHECK(http::parse_target(bare)->path == "/");
}

TEST_CASE("A target that cannot be decoded is none", "[http]") {
  for (const auto* bad : {"", "v1", "*", "elsewhere/v1", "https://elsewhere/v1", "http:/v1", "http://x/a%2",
                          "/a%2", "/a%zz", "/a%00b", "/ok?x=%", "/ok?%=1"})
    CHECK_FALSE(http::parse_target(bad));
}

TEST_CASE("A route's names match one decoded segment each", "[http]") {
  const http::Router router(
      {{"GET", "/v1/stacks", {}}, {"GET", "/v1/stacks/{id}/logs", {}}, {"POST", "/v1/stacks/{id}/down", {}}});
  const auto match = router.find("GET", "/v1/stacks/a%2Fb/logs");
  REQUIRE(match.route == &router.routes()[1]);
  CHECK(match.values == http::Parameters{{"id", "a/b"}});
  CHECK(router.find("GET", "/v1/stacks/a/b/logs").route == nullptr);
  CHECK(router.find("GET", "/v1/stacks//logs").route == nullptr);
  CHECK(router.find("GET", "/v1/stacks/").route == nullptr);
}

TEST_CASE("HEAD finds the GET route, another method says which there are", "[http]") {
  const http::Router router({{"GET", "/v1/stacks/{id}", {}}, {"DELETE", "/v1/stacks/{id}", {}}});
  CHECK(router.find("HEAD", "/v1/stacks/x").route == &router.routes()[0]);
  const auto put = router.find("PUT", "/v1/stacks/x");
  CHECK(put.route == nullptr);
  CHECK(put.allow == "DELETE, GET, HEAD");
  CHECK(router.find("PUT", "/v2").allow.empty());
}

TEST_CASE("Only the daemon's user and root may use the Unix socket", "[http]") {
  CHECK_FALSE(http::check_peer(1000, 1000));
  CHECK_FALSE(http::check_peer(0, 1000));
  const auto other = http::check_peer(1001, 1000);
  REQUIRE(other);
  CHECK(other->status == 403);
  CHECK(other->detail.find("1001") != std::string::npos);
  CHECK(http::check_peer(std::nullopt, 0));
}

TEST_CASE("Only loopback hosts are served over TCP", "[http]") {
  for (const auto* good :
       {"localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:7070", "127.9.9.9", "[::1]", "[::1]:7070"})
    CHECK(http::is_loopback_host(good));
  for (const auto* bad : {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "128.0.0.1",
                          "[::2]", "[::1", "[::1]x", "10.0.0.1:127"})
    CHECK_FALSE(http::is_loopback_host(bad));
}

TEST_CASE("A request over TCP needs the token, a loopback Host and no Origin", "[http]") {
  Request request;
  request.headers = {{"Host", "127.0.0.1:7070"}, {"Authorization", "Bearer secret"}};
  CHECK_FALSE(http::check_tcp_request(request, "secret"));
  CHECK(http::check_tcp_request(request, "secret2")->status == 401);
  CHECK(http::check_tcp_request(request, "")->status == 401);
  request.headers[1].second = "Basic secret";
  CHECK(http::check_tcp_request(request, "secret")->status == 401);
  request.headers[1].second = "bearer secret";
  request.headers[0].second = "evil.example";
  CHECK(http::check_tcp_request(request, "secret")->status == 403);
  request.headers[0].second = "localhost";
  CHECK_FALSE(http::check_tcp_request(request, "secret"));
  request.path = "http://evil.example/v1/ping";
  CHECK(http::check_tcp_request(request, "secret")->status == 403);
  request.path = "http://localhost/v1/ping";
  CHECK_FALSE(http::check_tcp_request(request, "secret"));
  request.headers.emplace_back("Origin", "http://localhost");
  CHECK(http::check_tcp_request(request, "secret")->status == 403);
}

TEST_CASE("Tokens are equal only when all of them is", "[http]") {
  CHECK(http::equal_in_constant_time("abc", "abc"));
  CHECK(http::equal_in_constant_time("", ""));
  for (const auto* other : {"", "ab", "abd", "abcd", "abcabc"})
    CHECK_FALSE(http::equal_in_constant_time("abc", other));
  CHECK_FALSE(http::equal_in_constant_time("abcabc", "abc"));
}
