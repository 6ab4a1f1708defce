// Commands in containers over the API: the answer with everything, and frames on an upgraded connection.
#include "proto/frames.hpp"
#include "tests/unit/daemon/api/fixture.hpp"

using namespace stackd;
using proto::Frame;
using test::ApiFixture;

namespace {

// A client that speaks frames.
class FrameClient {
public:
  FrameClient(const ApiFixture& fixture, const std::string& body) : client_(fixture.client()) {
    client_.request("POST", "/v1/stacks/shop/exec", body,
                    "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: stackd-stream\r\n");
    head = client_.head();
  }

  void send(Frame kind, std::string_view data) { client_.send(proto::frame(kind, data)); }
  void hang_up() { client_.close(); }

  proto::FrameReader::Read next() {
    for (;;) {
      if (auto frame = reader_.next()) return std::move(*frame);
      reader_.feed(client_.read_bytes(1));
    }
  }

  test::Answer head;

private:
  test::HttpClient client_;
  proto::FrameReader reader_;
};

}  // namespace

TEST_CASE("A command without frames is answered with its end and its output", "[api]") {
  ApiFixture fixture;
  const auto answer =
      fixture.client().post("/v1/stacks/shop/exec", R"({"service": "db", "command": ["ls"]})");
  CHECK(answer.status == 200);
  const auto result = nlohmann::json::parse(answer.body).get<proto::ExecResult>();
  CHECK(result.exit_code == 7);
  CHECK(result.output == "db");
}

TEST_CASE("On an upgraded connection frames go both ways, and the last tells of the end", "[api]") {
  ApiFixture fixture;
  FrameClient client(fixture, R"({"service": "db", "command": ["cat"], "input": true, "tty": true})");
  CHECK(client.head.status == 101);
  CHECK(client.head.header("upgrade") == "stackd-stream");
  const auto started = client.next();
  CHECK(started.kind == Frame::started);
  CHECK(nlohmann::json::parse(started.data)["container"] == "shop-db-1");

  client.send(Frame::resize, R"({"rows": 40, "columns": 120})");
  client.send(Frame::input, "abc");
  client.send(Frame::input, "!wrong");
  const auto out = client.next();
  CHECK((out.kind == Frame::output && out.data == "abc"));
  const auto err = client.next();
  CHECK((err.kind == Frame::errors && err.data == "!wrong"));
  CHECK(fixture.on_loop([](auto& services) { return services.exec.size.columns; }) == 120);

  client.send(Frame::input, "");
  const auto ended = client.next();
  CHECK(ended.kind == Frame::ended);
  CHECK(nlohmann::json::parse(ended.data)["exit_code"] == 7);
}

TEST_CASE("What goes wrong before the upgrade is an answer as any, after it a frame", "[api]") {
  ApiFixture fixture;
  FrameClient client(fixture, R"({"service": "db", "command": ["cat"], "input": true})");
  client.next();
  client.send(Frame::input, "fail");
  const auto failed = client.next();
  CHECK(failed.kind == Frame::failed);
  CHECK(nlohmann::json::parse(failed.data)["code"] == "engine-error");

  fixture.on_loop([](auto& services) {
    services.refusal = util::Error(util::ErrorKind::failed, "service \"db\" is not running");
  });
  const FrameClient refused(fixture, R"({"service": "db", "command": ["cat"]})");
  CHECK(refused.head.status == 500);
}

TEST_CASE("A client that lets go, breaks the rules or goes away ends the call", "[api]") {
  ApiFixture fixture;
  const auto body = R"({"service": "db", "command": ["cat"], "input": true})";
  {
    FrameClient client(fixture, body);
    client.next();
    client.send(Frame::detach, "");
    const auto ended = client.next();
    CHECK(ended.kind == Frame::ended);
    CHECK(!nlohmann::json::parse(ended.data).contains("exit_code"));
  }
  FrameClient broken(fixture, body);
  broken.next();
  broken.send(Frame::ended, "{}");
  FrameClient gone(fixture, body);
  gone.next();
  gone.hang_up();
  fixture.until([](const auto& services) { return services.streaming == 0; });
}
