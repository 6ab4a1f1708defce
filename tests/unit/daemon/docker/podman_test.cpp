// What Podman's compatible API does in its own way. (The fake engine says that it is Podman.)
#include <nlohmann/json.hpp>

#include "daemon/docker/decode.hpp"
#include "daemon/docker/engine.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_coro.hpp"
#include "tests/unit/daemon/docker/fake_engine.hpp"

using namespace stackd;
using docker::decode_event;
using test::FakeEngine;
using test::http_answer;

TEST_CASE("Podman's own names of container events are Docker's", "[docker]") {
  const auto action = [](const std::string& type, const std::string& name, const std::string& attributes) {
    const auto line = R"({"Type": ")" + type + R"(", "Action": ")" + name +
                      R"(", "Actor": {"ID": "1", "Attributes": {)" + attributes + "}}}";
    return decode_event(line)->action;
  };
  CHECK(action("container", "died", "") == "die");
  CHECK(action("container", "die", "") == "die");
  CHECK(action("container", "remove", "") == "destroy");
  CHECK(action("volume", "remove", "") == "remove");
  CHECK(action("container", "health_status", R"("health_status": "healthy")") == "health_status: healthy");
  CHECK(action("container", "health_status: unhealthy", "") == "health_status: unhealthy");
}

TEST_CASE("Podman is told the grace period of ten seconds that Docker gives without being told", "[docker]") {
  FakeEngine engine([](auto& peer, const std::string& request, int) {
    const auto grace = request.find("\"StopTimeout\":");
    const auto said = grace == std::string::npos ? "none" : request.substr(grace + 14, 2);
    return peer.send(http_answer(201, R"({"Id": ")" + said + R"("})"));
  });
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    docker::Engine client(executor, engine.host());
    const nlohmann::json plain{{"Image", "a"}}, own{{"Image", "a"}, {"StopTimeout", 25}};
    const auto first = co_await client.create_container("one", plain);
    CHECK(first == "10");
    const auto second = co_await client.create_container("two", own);
    CHECK(second == "25");
  });
}
