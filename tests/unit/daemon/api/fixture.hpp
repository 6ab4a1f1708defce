// The whole API on a socket in a temporary directory, with a fake Manager behind it.
#pragma once

#include <memory>

#include "daemon/api/routes.hpp"
#include "daemon/http/server.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/loop_thread.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/daemon/api/fake_manager.hpp"

namespace stackd::test {

class ApiFixture {
public:
  explicit ApiFixture(api::Options options = {}) {
    loop.call([&] {
      services = std::make_unique<stacks::Parts>(loop.executor());
      proto::Stack shop;
      shop.id = "shop-1";
      shop.name = "shop";
      shop.status = "up";
      services->stacks = {shop};
      services->info.version = "1.2.3";
      services->info.engine_state = "unreachable";
      manager = std::make_unique<stacks::Manager>(*services);
      server = std::make_unique<http::Server>(loop.executor(), api::make_router(*manager, options),
                                              api::error_pages());
      server->listen(http::Listener::unix_socket(socket()));
    });
  }
  ~ApiFixture() {
    loop.run<void>([this]() -> awaitable<void> { co_await server->stop(); });
    loop.call([&] {
      server.reset();
      manager.reset();
      services.reset();
    });
  }

  std::string socket() const { return (directory.path() / "stackd.sock").string(); }
  HttpClient client() const { return HttpClient::unix_socket(socket()); }
  // Looks at or changes the fake on the loop's thread.
  template <class F>
  auto on_loop(F f) {
    return loop.call([this, f] { return f(*services); });
  }
  void until(std::function<bool(const stacks::Parts&)> holds) {
    loop.run<void>([this, holds]() -> awaitable<void> {
      while (!holds(*services)) co_await async::sleep_for(std::chrono::milliseconds(1));
    });
  }

  TempDir directory;
  LoopThread loop;
  std::unique_ptr<stacks::Parts> services;
  std::unique_ptr<stacks::Manager> manager;
  std::unique_ptr<http::Server> server;
};

inline nlohmann::json json_of(const Answer& answer) {
  return nlohmann::json::parse(answer.body);
}

}  // namespace stackd::test
