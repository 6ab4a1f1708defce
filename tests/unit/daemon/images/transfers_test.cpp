#include "daemon/images/transfers.hpp"

#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::images;
using namespace std::chrono_literals;
using util::Error;
using util::ErrorKind;

TEST_CASE("a passing fault is tried again, later each time, and not for ever", "[images][transfers]") {
  const auto busy = "cannot pull image a: toomanyrequests: too many of them";
  CHECK(pause_after(1, busy) == 1s);
  CHECK(pause_after(2, busy) == 2s);
  CHECK(pause_after(4, busy) == 8s);
  CHECK_FALSE(pause_after(5, busy));
  CHECK(pause_after(1, "read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer") == 1s);
  CHECK(pause_after(1, "received unexpected HTTP status: 503 Service Unavailable") == 1s);
  CHECK_FALSE(pause_after(1, "manifest unknown"));
  CHECK_FALSE(pause_after(1, "unauthorized: authentication required"));
}

TEST_CASE("the registry's own delay is kept, and one that is too long is told at once",
          "[images][transfers]") {
  CHECK(pause_after(1, "toomanyrequests: retry-after: 7s, allowed: 44000/minute") == 7s);
  CHECK(pause_after(1, "toomanyrequests: retry-after: 411.525us, allowed: 44000/minute") == 1s);
  CHECK_FALSE(pause_after(1, "toomanyrequests: retry-after: 1h"));
}

TEST_CASE("a refused pull names the registry, whose login it was, and the command that helps",
          "[images][transfers]") {
  const Error refused(ErrorKind::engine, "cannot pull image r.example/a: no basic auth credentials");
  CHECK(
      std::string(explained(refused, "r.example", {std::nullopt, "/home/ann/.docker/config.json"}).what()) ==
      "cannot pull image r.example/a: no basic auth credentials (registry r.example, asked without a login, "
      "since "
      "/home/ann/.docker/config.json has none); `docker login r.example` makes one");
  const dotdocker::Found ann{dotdocker::Login{"ann", "secret", "", ""}, "docker-credential-pass"};
  const std::string text = explained(refused, "docker.io", ann).what();
  CHECK(text.find("asked as 'ann' of docker-credential-pass") != std::string::npos);
  CHECK(text.find("`docker login` renews it") != std::string::npos);
  CHECK(text.find("secret") == std::string::npos);
  const Error other(ErrorKind::engine, "manifest unknown");
  CHECK(std::string(explained(other, "r", ann).what()) == "manifest unknown");
}
