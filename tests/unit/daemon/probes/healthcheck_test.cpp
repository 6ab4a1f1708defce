// A container's healthcheck as stackd runs it, against an engine that the test plays.
#include "daemon/probes/healthcheck.hpp"

#include <atomic>

#include "daemon/async/signal.hpp"
#include "daemon/async/task_group.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_coro.hpp"
#include "tests/unit/daemon/docker/fake_engine.hpp"

namespace stackd::probes {
namespace {

TEST_CASE("a healthcheck that is out of time is ended in the container before there is another") {
  std::atomic<int> created = 0;
  std::mutex mutex;
  std::vector<std::string> bodies;
  test::FakeEngine fake([&](test::FakeEngine::Peer& peer, const std::string& request, int) {
    if (request.find("/containers/c1/exec ") != std::string::npos) {
      const std::lock_guard lock(mutex);
      bodies.push_back(request);
      return peer.send(test::http_answer(201, "{\"Id\":\"e" + std::to_string(++created) + "\"}"));
    }
    if (request.find("/start ") != std::string::npos) {
      peer.send("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
      if (created < 3) peer.read_to_end();  // hangs until the client has gone
      return false;
    }
    return peer.send(test::http_answer(200, R"({"Running":false,"ExitCode":0})"));
  });
  std::vector<std::string> ended;
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    docker::Engine engine(executor, fake.host());
    auto end = [&](std::string exec, std::string mark) -> awaitable<void> {
      const auto so_far = created.load();
      co_await async::sleep_for(std::chrono::milliseconds(50));
      CHECK(created == so_far);  // no other beside it
      const std::lock_guard lock(mutex);
      CHECK(bodies.back().find(mark) != std::string::npos);
      ended.push_back(exec);
    };
    const std::vector<std::string> check{"CMD", "check"};
    auto healthy = until_healthy(engine, "c1", check, std::chrono::milliseconds(300), end);
    co_await std::move(healthy);
  };
  test::run_coro([&](auto executor) { return body(executor); });
  CHECK(ended == std::vector<std::string>{"e1", "e2"});
}

TEST_CASE("a healthcheck that is under way when nobody waits for it any more is ended too") {
  std::atomic<bool> started = false;
  test::FakeEngine fake([&](test::FakeEngine::Peer& peer, const std::string& request, int) {
    if (request.find("/c1/exec ") != std::string::npos)
      return peer.send(test::http_answer(201, R"({"Id":"e1"})"));
    started = true;
    peer.send("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    peer.read_to_end();
    return false;
  });
  std::vector<std::string> ended;
  const auto body = [&](asio::any_io_executor executor) -> awaitable<void> {
    docker::Engine engine(executor, fake.host());
    auto end = [&](std::string exec, std::string) -> awaitable<void> {
      co_await async::sleep_for(std::chrono::milliseconds(20));
      ended.push_back(exec);
    };
    const std::vector<std::string> check{"CMD", "check"};
    async::TaskGroup probing(executor);
    probing.spawn("probe", [&] { return until_healthy(engine, "c1", check, std::chrono::hours(1), end); });
    while (!started) co_await async::sleep_for(std::chrono::milliseconds(1));
    probing.cancel_all();
    co_await probing.join();
  };
  test::run_coro([&](auto executor) { return body(executor); });
  CHECK(ended == std::vector<std::string>{"e1"});
}

}  // namespace
}  // namespace stackd::probes
