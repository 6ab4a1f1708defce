#include "daemon/docker/request.hpp"

#include "daemon/docker/address.hpp"
#include "daemon/docker/http.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using docker::parse_address;
using util::ErrorKind;

namespace {

template <class F>
ErrorKind kind_of_error(F f) {
  try {
    f();
  } catch (const util::Error& e) {
    return e.kind();
  }
  FAIL("nothing was thrown");
  return ErrorKind::internal;
}

}  // namespace

TEST_CASE("DOCKER_HOST may name a socket or a tcp address, and is a socket by default", "[docker]") {
  CHECK(parse_address("").path == "/var/run/docker.sock");
  CHECK(parse_address("unix:///run/user/1000/podman/podman.sock").path ==
        "/run/user/1000/podman/podman.sock");
  const auto tcp = parse_address("tcp://engine.local:2376");
  CHECK(tcp.path.empty());
  CHECK(tcp.host == "engine.local");
  CHECK(tcp.port == "2376");
  CHECK(parse_address("tcp://10.0.0.1").port == "2375");
  const auto v6 = parse_address("tcp://[::1]:99/");
  CHECK(v6.host == "::1");
  CHECK(v6.port == "99");
}

TEST_CASE("A DOCKER_HOST that cannot be used says what was expected", "[docker]") {
  const std::string too_long = "unix:///" + std::string(200, 'x');
  const char* host =
      GENERATE("ssh://me@host", "unix://relative", "unix://", "tcp://", "tcp://host:port", "tcp://a b:1",
               "tcp://host:1\r\nX-Evil: 1", "tcp://[::1", "/var/run/docker.sock");
  INFO(host);
  CHECK(kind_of_error([&] { parse_address(host); }) == ErrorKind::invalid_request);
  CHECK(kind_of_error([&] { parse_address(too_long); }) == ErrorKind::invalid_request);
}

TEST_CASE("Names cannot leave their place in a request", "[docker]") {
  CHECK(docker::segment("web_1.a-b~c") == "web_1.a-b~c");
  CHECK(docker::segment("ghcr.io/me/app:1@sha256:ab") == "ghcr.io/me/app:1@sha256:ab");
  CHECK(docker::segment("a b?c#d\r\n") == "a%20b%3Fc%23d%0D%0A");
  docker::Query query;
  query.add("name", "a&b=c/d").add_if(false, "no").add_if(true, "yes").add("tail", "all");
  CHECK(query.str() == "?name=a%26b%3Dc%2Fd&yes=1&tail=all");
}

TEST_CASE("Filters of one key are one list", "[docker]") {
  docker::Query query;
  query.filters({{"label", "a=b"}, {"name", "^/x$"}, {"label", "c"}});
  CHECK(query.str() ==
        "?filters=%7B%22label%22%3A%5B%22a%3Db%22%2C%22c%22%5D%2C%22name%22%3A%5B%22%5E%2Fx%24%22%5D%7D");
  docker::Query none;
  none.filters({});
  CHECK(none.str().empty());
}

TEST_CASE("A request's head has what the engine needs and nothing twice", "[docker]") {
  docker::Request get{.what = "x", .path = "/info"};
  CHECK(docker::request_head(get, "1.41", "docker", false) ==
        "GET /v1.41/info HTTP/1.1\r\nHost: docker\r\nUser-Agent: stackd/" STACKD_VERSION "\r\n\r\n");
  docker::Request post{.what = "x", .method = "POST", .path = "/a", .body = "{}", .versioned = false};
  CHECK(docker::request_head(post, "", "h:1", false).find("POST /a HTTP/1.1\r\nHost: h:1\r\n") == 0);
  CHECK(docker::request_head(post, "", "h:1", false)
            .find("Content-Type: application/json\r\nContent-Length: 2\r\n\r\n") != std::string::npos);
  docker::Request empty{.what = "x", .method = "POST", .path = "/a"};
  CHECK(docker::request_head(empty, "1.41", "h", false).find("Content-Length: 0\r\n") != std::string::npos);
  docker::Request exec{.what = "x", .method = "POST", .path = "/a", .body = "{}", .upgrade = true};
  CHECK(docker::request_head(exec, "1.41", "h", false).find("Connection: Upgrade\r\nUpgrade: tcp\r\n") !=
        std::string::npos);
  const auto chunked = docker::request_head(empty, "1.41", "h", true);
  CHECK(chunked.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(chunked.find("Content-Length") == std::string::npos);
}

TEST_CASE("A stop is given its whole grace period, however long, before the engine counts as hung",
          "[docker]") {
  using std::chrono::minutes;
  using std::chrono::seconds;
  CHECK(docker::stop_limit(std::nullopt, 3600) > minutes(60));
  CHECK(docker::stop_limit(3600, 5) > minutes(60));
  CHECK(docker::stop_limit(5, 3600) < minutes(60));
  CHECK(docker::stop_limit(std::nullopt, std::nullopt) > seconds(10));
  CHECK(docker::stop_limit(2147483647, std::nullopt) > seconds(2147483647));
  CHECK_FALSE(docker::stop_limit(-1, 5).has_value());
  CHECK_FALSE(docker::stop_limit(std::nullopt, -1).has_value());
}

TEST_CASE("Ids are short in messages, names are whole", "[docker]") {
  CHECK(docker::brief(std::string(64, 'a')) == std::string(12, 'a'));
  CHECK(docker::brief("my-container") == "my-container");
  CHECK(docker::brief(std::string(64, 'z')) == std::string(64, 'z'));
}

TEST_CASE("The API spoken is the lower of both sides', and an engine too old is refused", "[docker]") {
  CHECK(docker::choose_api("unix:///x", "1.41") == "1.41");
  CHECK(docker::choose_api("unix:///x", "1.45") == "1.45");
  CHECK(docker::choose_api("unix:///x", "1.51") == "1.51");
  CHECK(docker::choose_api("unix:///x", "1.99") == "1.51");
  CHECK(docker::choose_api("unix:///x", "2.0") == "1.51");
  for (const auto* old : {"1.40", "1.9", "", "x"}) {
    INFO(old);
    CHECK(kind_of_error([&] { docker::choose_api("unix:///x", old); }) == ErrorKind::unsupported);
  }
}

TEST_CASE("The engine's words are in the error, whatever they are wrapped in", "[docker]") {
  const auto docker_error =
      docker::engine_error("cannot start container web", 409, R"({"message":"name is taken"})");
  CHECK(docker_error.kind() == ErrorKind::conflict);
  CHECK(std::string(docker_error.what()) == "cannot start container web: name is taken");
  CHECK(docker::engine_error("x", 404, "{}").kind() == ErrorKind::not_found);
  CHECK(docker::engine_error("x", 500, "{}").kind() == ErrorKind::engine);
  CHECK(std::string(docker::engine_error("x", 500, "").what()) == "x: the engine answered with status 500");
  CHECK(std::string(docker::engine_error("x", 502, " bad gateway\n").what()) == "x: bad gateway");
  CHECK(std::string(docker::engine_error("x", 500, R"({"cause":"why","message":""})").what()) == "x: why");
}
