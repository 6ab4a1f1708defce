#include "client/api.hpp"

#include "client/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/client/fake_daemon.hpp"

using namespace stackd;
using namespace stackd::client;
using namespace std::chrono_literals;
using stackd::test::Asked;
using stackd::test::FakeDaemon;

namespace {

std::string socket_in(const stackd::test::TempDir& directory) {
  return (directory.path() / "s").string();
}

nlohmann::json operation() {
  return {{"id", "op1"}, {"stack", "demo-1"}, {"kind", "up"}, {"state", "running"}};
}

}  // namespace

TEST_CASE("A question whose answer is lost is asked again", "[client]") {
  stackd::test::TempDir directory;
  std::atomic<int> asked = 0;
  FakeDaemon daemon(socket_in(directory), [&](const Asked&, FakeDaemon::Reply& reply) {
    if (++asked < 3) return reply.cut();
    reply.json({{"stacks", nlohmann::json::array()}});
  });
  Api api({.socket = daemon.socket()});
  CHECK(api.stacks().empty());
  CHECK(asked == 3);
}

TEST_CASE("A wish whose answer is lost is sent again under the same key, another under another", "[client]") {
  stackd::test::TempDir directory;
  std::atomic<int> asked = 0;
  FakeDaemon daemon(socket_in(directory), [&](const Asked&, FakeDaemon::Reply& reply) {
    if (++asked == 1) return reply.cut();
    reply.json(operation(), 202);
  });
  Api api({.socket = daemon.socket()});
  CHECK(api.up({.directory = "/somewhere"}).id == "op1");
  CHECK(api.down("demo", {}).id == "op1");
  const auto all = daemon.asked();
  REQUIRE(all.size() == 3);
  CHECK(all[0].key.size() == 16);
  CHECK(all[1].key == all[0].key);
  CHECK(all[1].body == all[0].body);
  CHECK(all[2].key != all[0].key);
}

TEST_CASE("A daemon that is lost before it has answered is waited for", "[client]") {
  stackd::test::TempDir directory;
  std::atomic<bool> second = false;
  FakeDaemon* self = nullptr;
  FakeDaemon daemon(socket_in(directory), [&](const Asked&, FakeDaemon::Reply& reply) {
    if (second) reply.json(operation(), 202);
  });
  self = &daemon;
  std::thread restarter([&] {
    self->wait_for("/v1/stacks");
    self->stop();
    second = true;
    std::this_thread::sleep_for(100ms);  // the time it is away for: the client must be seen to wait
    self->start();
  });
  Api api({.socket = daemon.socket()});
  CHECK(api.up({.directory = "/somewhere"}).id == "op1");
  restarter.join();
}

TEST_CASE("One that stays away is given up, and one that never was there is not waited for", "[client]") {
  stackd::test::TempDir directory;
  {
    FakeDaemon daemon(socket_in(directory), [](const Asked&, FakeDaemon::Reply& reply) { reply.cut(); });
    Api api({.socket = daemon.socket()}, nullptr, 50ms);
    CHECK_THROWS_AS(api.stacks(), TransportError);
    CHECK(daemon.asked().size() > 1);
  }
  Api api({.socket = socket_in(directory)});
  const auto began = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(api.stacks(), TransportError);
  CHECK(std::chrono::steady_clock::now() - began < 10s);
}

TEST_CASE("What cannot be said twice is said once, and nonsense is not asked for again", "[client]") {
  stackd::test::TempDir directory;
  FakeDaemon daemon(socket_in(directory), [](const Asked& asked, FakeDaemon::Reply& reply) {
    if (asked.method == "DELETE") return reply.cut();
    reply.nonsense();
  });
  Api api({.socket = daemon.socket()});
  CHECK_THROWS_AS(api.remove("/v1/stacks/demo"), TransportError);
  CHECK_THROWS_AS(api.stacks(), TransportError);
  CHECK(daemon.asked().size() == 2);
}
