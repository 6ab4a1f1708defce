// Both sides of a connection in one loop, over a pair of sockets.
#include "daemon/images/builder/grpc.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <optional>

#include <wire.pb.h>
#include "daemon/images/builder/file_sync.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using namespace stackd::builder;

namespace {

struct Client : Handler {
  std::vector<std::string> messages;
  std::optional<Status> end;
  std::function<void(Stream&, std::string_view)> each;
  Loop* loop = nullptr;
  void on_message(Stream& stream, std::string_view message) override {
    messages.emplace_back(message);
    if (each) each(stream, message);
  }
  void on_end(Stream&, const Status& status) override {
    end = status;
    loop->stop();
  }
};

struct Echo : Handler {
  void on_message(Stream& stream, std::string_view message) override {
    if (message == "bad") return stream.finish({Code::not_found, "no \"such\" thing: 100%"});
    stream.send("<" + std::string(message) + ">");
  }
  void on_peer_end(Stream& stream) override { stream.finish(); }
};

struct Pair {
  Loop loop;
  std::optional<Connection> server, client;

  explicit Pair(Connection::Accept accept) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    server.emplace(loop, Upgraded{util::Fd(ends[0]), ""}, std::move(accept), nullptr);
    client.emplace(loop, Upgraded{util::Fd(ends[1]), ""}, nullptr, nullptr);
  }
};

std::unique_ptr<Handler> echo(Stream&, const std::string& path) {
  return path == "/echo" ? std::make_unique<Echo>() : nullptr;
}

// The end of a call goes away with the call: what is left of it.
struct Ended {
  std::vector<std::string> messages;
  Status status;
};
Ended run(Pair& pair, const std::string& path, const std::vector<std::string>& messages,
          std::function<void(Stream&, std::string_view)> each = nullptr) {
  auto kept = std::make_shared<Ended>();
  struct Keeper : Client {
    std::shared_ptr<Ended> kept;
    void on_end(Stream& stream, const Status& status) override {
      kept->messages = std::move(this->messages);
      kept->status = status;
      Client::on_end(stream, status);
    }
  };
  auto handler = std::make_unique<Keeper>();
  handler->kept = kept;
  handler->loop = &pair.loop;
  handler->each = std::move(each);
  auto& stream = pair.client->call(path, std::move(handler));
  for (const auto& message : messages) stream.send(message);
  if (!messages.empty()) stream.finish();
  pair.loop.run();
  return *kept;
}

std::string packet(wire::Packet::Type type, std::uint32_t id = 0) {
  wire::Packet packet;
  packet.set_type(type);
  packet.set_id(id);
  return packet.SerializeAsString();
}

}  // namespace

TEST_CASE("messages of any size go both ways, and a call ends with its status", "[builder][grpc]") {
  Pair pair(echo);
  const std::string large(9'000'000, 'x');
  const auto ended = run(pair, "/echo", {"one", "", large});
  CHECK(ended.status.ok());
  REQUIRE(ended.messages.size() == 3);
  CHECK(ended.messages[0] == "<one>");
  CHECK(ended.messages[1] == "<>");
  CHECK(ended.messages[2].size() == large.size() + 2);
}

TEST_CASE("a refusal comes with its words, and an unknown call is told as one", "[builder][grpc]") {
  Pair refusing(echo);
  const auto refused = run(refusing, "/echo", {"bad"});
  CHECK(refused.status.code == Code::not_found);
  CHECK(refused.status.message == "no \"such\" thing: 100%");
  Pair unknowing(echo);
  CHECK(run(unknowing, "/nothing", {"x"}).status.code == Code::unimplemented);
}

TEST_CASE("of a directory the list comes first, then the files that are asked for", "[builder][files]") {
  const test::TempDir dir;
  dir.write("a", std::string(100'000, 'a'));
  dir.write("b/c", "text of c");
  Pair pair([&](Stream& stream, const std::string&) { return send_directory(stream, dir.path().string()); });
  std::vector<std::string> paths;
  std::map<std::uint32_t, std::string> data;
  int over = 0;
  const auto each = [&](Stream& stream, std::string_view message) {
    wire::Packet got;
    REQUIRE(got.ParseFromArray(message.data(), static_cast<int>(message.size())));
    if (got.type() == wire::Packet::STAT && got.has_stat()) paths.push_back(got.stat().path());
    if (got.type() == wire::Packet::STAT && !got.has_stat()) {
      stream.send(packet(wire::Packet::REQUEST, 2));
      stream.send(packet(wire::Packet::REQUEST, 0));
    }
    if (got.type() == wire::Packet::DATA) data[got.id()] += got.data();
    if (got.type() == wire::Packet::DATA && got.data().empty() && ++over == 2)
      stream.send(packet(wire::Packet::FIN));
    if (got.type() == wire::Packet::FIN) stream.finish();
  };
  const auto ended = run(pair, "/files", {}, each);
  CHECK(ended.status.ok());
  CHECK(paths == std::vector<std::string>{"a", "b", "b/c"});
  CHECK(data[0] == std::string(100'000, 'a'));
  CHECK(data[2] == "text of c");
}

TEST_CASE("a text that changes has another time, or the builder would take the one that it has",
          "[builder][files]") {
  const auto time_of = [](const std::string& text) {
    Pair pair([&](Stream&, const std::string&) { return send_texts({{"Dockerfile", text}}); });
    std::int64_t time = 0;
    const auto each = [&](Stream& stream, std::string_view message) {
      wire::Packet got;
      got.ParseFromArray(message.data(), static_cast<int>(message.size()));
      if (got.has_stat()) time = got.stat().modified();
      if (got.type() == wire::Packet::STAT && !got.has_stat()) stream.send(packet(wire::Packet::FIN));
      if (got.type() == wire::Packet::FIN) stream.finish();
    };
    run(pair, "/files", {}, each);
    return time;
  };
  CHECK(time_of("FROM one") > 0);
  CHECK(time_of("FROM one") == time_of("FROM one"));
  CHECK(time_of("FROM one") != time_of("FROM two"));
}

TEST_CASE("percent codes are there and back", "[builder][grpc]") {
  CHECK(percent_encoded("a b%\n\xc3\xa9") == "a b%25%0A%C3%A9");
  CHECK(percent_decoded("a b%25%0A%C3%A9") == "a b%\n\xc3\xa9");
  CHECK(percent_decoded("100%") == "100%");
  CHECK(percent_decoded("%zz") == "%zz");
}
