// What the tests against a real engine share: a label of their own, and everything with it removed at the
// end.
#pragma once

#include <dirent.h>

#include <set>
#include <string>

#include "daemon/docker/engine.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_coro.hpp"
#include "tests/support/test_engine.hpp"

namespace stackd::test {

// A test's own name, the label it puts on what it makes, and the engine.
struct Bench {
  explicit Bench(asio::any_io_executor e) : executor(e), engine(e, engine_host()) {}

  asio::any_io_executor executor;
  docker::Engine engine;
  std::string name = "stackd-test-" + util::random_hex(10);

  docker::Filters mine() const { return {{"label", "stackd-test=" + name}}; }
  nlohmann::json labels() const { return {{"stackd-test", name}}; }
  nlohmann::json container(std::vector<std::string> command) const {
    return {{"Image", test_image()},
            {"Cmd", command},
            {"Labels", labels()},
            {"StopTimeout", 1},
            {"HostConfig", {{"Init", true}, {"NetworkMode", "none"}}}};
  }
  awaitable<std::string> run(std::string suffix, nlohmann::json body) {
    auto id = co_await engine.create_container(name + suffix, body);
    co_await engine.start_container(id);
    co_return id;
  }
  awaitable<void> clean() {
    for (const auto& container : co_await engine.list_containers(mine()))
      co_await engine.remove_container(container.id, true, true);
    for (const auto& network : co_await engine.list_networks(mine()))
      co_await engine.remove_network(network.id);
    for (const auto& volume : co_await engine.list_volumes(mine()))
      co_await engine.remove_volume(volume.name);
    for (const auto& image : co_await engine.list_images(mine())) co_await engine.remove_image(image.id);
  }
};

// Runs `body(bench)`, and cleans up however it ends.
template <class Body>
void with_engine(Body body) {
  run_coro(
      [&](asio::any_io_executor executor) -> awaitable<void> {
        Bench bench(executor);
        std::exception_ptr error;
        try {
          co_await body(bench);
        } catch (...) {
          error = std::current_exception();
        }
        co_await bench.clean();
        if (error) std::rethrow_exception(error);
      },
      std::chrono::seconds(240));
}

// The kind of Error that a call throws, nothing when it succeeds.
template <class T>
awaitable<std::optional<util::ErrorKind>> kind_of(awaitable<T> call, std::string* text = nullptr) {
  try {
    co_await std::move(call);
  } catch (const util::Error& e) {
    if (text) *text = e.what();
    co_return e.kind();
  }
  co_return std::nullopt;
}

// This process's open descriptors.
inline std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory)) ++count;
  ::closedir(directory);
  return count;
}

}  // namespace stackd::test
