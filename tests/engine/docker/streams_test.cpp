#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "daemon/async/deadline.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/docker/context.hpp"
#include "daemon/util/fd.hpp"
#include "tests/engine/docker/engine_fixture.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using test::Bench;
using test::kind_of;
using test::with_engine;
using util::ErrorKind;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    result.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return result;
}

}  // namespace

TEST_CASE("C11.1: the events show a container's start and end with its exit code", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    async::TaskGroup tasks(bench.executor);
    async::Signal changed(bench.executor);
    std::vector<docker::Event> seen;
    // Events since a moment before are sent first, so that none is missed, however late the stream opens.
    const auto since = std::to_string(std::time(nullptr) - 1);
    tasks.spawn("events", [&]() -> awaitable<void> {
      auto filters = bench.mine();
      filters.emplace_back("type", "container");
      co_await bench.engine.events(filters, since, [&](const docker::Event& event) {
        seen.push_back(event);
        changed.notify();
      });
    });
    const auto body19 = bench.container({"sh", "-c", "exit 5"});
    const auto id = co_await bench.run("", body19);
    const auto find = [&](std::string_view action) {
      return std::find_if(seen.begin(), seen.end(),
                          [&](const auto& event) { return event.action == action; });
    };
    while (find("die") == seen.end()) {
      const auto got40 = co_await changed.wait_for(20s);
      REQUIRE(got40);
    }
    const auto die = find("die");
    CHECK(die->type == "container");
    CHECK(die->id == id);
    CHECK(die->attributes.at("exitCode") == "5");
    CHECK(die->attributes.at("name") == bench.name);
    CHECK(die->attributes.at("stackd-test") == bench.name);
    CHECK(find("start") < die);
    CHECK(find("start")->time_nano < die->time_nano);
    CHECK(find("create") < find("start"));
    tasks.cancel_all();
    co_await tasks.join();
  });
}

TEST_CASE("Cancelling streams leaves no descriptor open", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    auto& engine = bench.engine;
    const auto body20 = bench.container({"sleep", "infinity"});
    const auto id = co_await bench.run("", body20);
    const docker::ExecConfig config21{.argv = {"true"}};
    co_await engine.exec(id, config21);  // all connections there will be are warm
    const auto before = test::open_descriptors();
    async::TaskGroup tasks(bench.executor);
    int opened = 0;
    tasks.spawn("events", [&]() -> awaitable<void> {
      ++opened;
      const docker::Filters filters22{};
      co_await engine.events(filters22, std::nullopt, [](const docker::Event&) {});
    });
    tasks.spawn("wait", [&]() -> awaitable<void> {
      ++opened;
      co_await engine.wait_container(id);
    });
    tasks.spawn("logs", [&]() -> awaitable<void> {
      ++opened;
      const docker::LogOptions options23{.follow = true};
      docker::OutputSink nothing = [](docker::Stream, std::string_view) -> awaitable<void> { co_return; };
      co_await engine.logs(id, false, options23, nothing);
    });
    bool running = false;
    async::Signal printed(bench.executor);
    tasks.spawn("exec", [&]() -> awaitable<void> {
      ++opened;
      docker::OutputSink sink = [&](docker::Stream, std::string_view) -> awaitable<void> {
        running = true;
        printed.notify();
        co_return;
      };
      const docker::ExecConfig config24{.argv = {"sh", "-c", "echo up; sleep 1000"}};
      co_await engine.exec(id, config24, sink);
    });
    while (!running) {
      const auto got41 = co_await printed.wait_for(20s);
      REQUIRE(got41);
    }
    CHECK(opened == 4);
    CHECK(test::open_descriptors() >= before + 3);
    tasks.cancel_all();
    co_await tasks.join();
    CHECK(test::open_descriptors() <= before);
  });
}

TEST_CASE("An image is built from a directory, without what .dockerignore names", "[docker][engine]") {
  const test::TempDir dir;
  dir.write("Dockerfile",
            "FROM " + test::test_image() +
                " AS base\nARG WHO\nARG UNSET=kept\nENV WHO=$WHO-$UNSET\nCOPY . /in/\n"
                "RUN echo building $WHO\nFROM base AS last\nLABEL x=y\nCMD [\"find\", \"/in\"]\n"
                "FROM scratch AS never\n");
  dir.write(".dockerignore", "*.log\n!keep.log\n");
  dir.write("a.log", "a");
  dir.write("keep.log", "k");
  dir.write("sub/b.txt", "b");
  std::filesystem::create_symlink("b.txt", dir.path() / "sub/link");
  with_engine([&](Bench& bench) -> awaitable<void> {
    auto& engine = bench.engine;
    const auto tag = bench.name + ":one";
    docker::BuildOptions options{.target = "last", .tags = {tag}, .labels = {{"stackd-test", bench.name}}};
    options.args = {{"WHO", "me"}, {"UNSET", std::nullopt}};
    std::vector<std::string> output;
    auto context = docker::open_context(bench.executor, {.directory = dir.path()});
    options.dockerfile = context.dockerfile;
    docker::LineSink sink = [&](std::string line) -> awaitable<void> {
      output.push_back(std::move(line));
      co_return;
    };
    const auto id = co_await engine.build_image(context.source, options, sink);
    CHECK(id.starts_with("sha256:"));
    CHECK(std::find(output.begin(), output.end(), "building me-kept") != output.end());
    CHECK(std::none_of(output.begin(), output.end(), [](const auto& line) { return line.empty(); }));

    const auto image = co_await engine.inspect_image(tag);
    REQUIRE(image);
    CHECK(image->id == id);
    CHECK(image->tags == std::vector<std::string>{tag});
    CHECK(image->labels.at("stackd-test") == bench.name);
    CHECK(image->labels.at("x") == "y");
    CHECK(image->command == std::vector<std::string>{"find", "/in"});

    auto body = bench.container({"find", "/in"});
    body["Image"] = id;
    const auto container = co_await bench.run("", body);
    const auto got42 = co_await engine.wait_container(container);
    CHECK(got42 == 0);
    std::string out;
    docker::OutputSink log = [&](docker::Stream, std::string_view piece) -> awaitable<void> {
      out += piece;
      co_return;
    };
    const docker::LogOptions options25{};
    co_await engine.logs(container, false, options25, log);
    auto found = lines_of(out);
    std::sort(found.begin(), found.end());
    CHECK(found == std::vector<std::string>{"/in", "/in/.dockerignore", "/in/Dockerfile", "/in/keep.log",
                                            "/in/sub", "/in/sub/b.txt", "/in/sub/link"});

    co_await engine.tag_image(id, bench.name, "two");
    const auto got43 = co_await engine.list_images(bench.mine());
    CHECK(got43.at(0).tags.size() == 2);
    const auto got44 = co_await kind_of(engine.remove_image(id));
    CHECK(got44 == ErrorKind::conflict);  // two names, and a container
    co_await engine.remove_container(container, true, true);
    co_await engine.remove_image(bench.name + ":two");
    co_await engine.remove_image(tag);
    co_await engine.remove_image(tag);
    const auto got45 = co_await engine.inspect_image(id);
    CHECK_FALSE(got45);
  });
}

TEST_CASE("An image is built FROM scratch with an inline Dockerfile, and COPY sees the directory only",
          "[docker][engine]") {
  const test::TempDir dir;
  dir.write("only", "o");
  with_engine([&](Bench& bench) -> awaitable<void> {
    docker::BuildOptions options{.tags = {bench.name + ":scratch"}, .labels = {{"stackd-test", bench.name}}};
    auto context = docker::open_context(
        bench.executor,
        {.directory = dir.path(), .dockerfile_inline = "FROM scratch\nCOPY . /\nCMD [\"/only\"]\n"});
    options.dockerfile = context.dockerfile;
    const auto id = co_await bench.engine.build_image(context.source, options, nullptr);
    auto body = bench.container({"/only"});
    body["Image"] = id;
    body["HostConfig"]["Init"] = false;  // with an init the start succeeds, and the command fails inside
    const auto container = co_await bench.engine.create_container(bench.name, body);
    const auto got46 = co_await kind_of(bench.engine.start_container(container));
    CHECK(got46 == ErrorKind::engine);  // no program; it is there
    auto again = docker::open_context(
        bench.executor,
        {.directory = dir.path(), .dockerfile_inline = "FROM scratch\nCOPY . /\nCMD [\"/only\"]\n"});
    options.dockerfile = again.dockerfile;
    const auto got47 = co_await bench.engine.build_image(again.source, options, nullptr);
    CHECK(got47 == id);
  });
}

TEST_CASE("A failing build says which step, in the builder's words, with its last output",
          "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    docker::BuildOptions options{.tags = {bench.name + ":bad"}, .labels = {{"stackd-test", bench.name}}};
    const std::string text =
        "FROM " + test::test_image() + "\nRUN echo nearly there; printf 'no newline' >&2; exit 9\n";
    auto context = docker::open_context(bench.executor, {.dockerfile_inline = text});
    std::vector<std::string> output, details;
    std::string message;
    std::optional<ErrorKind> kind;
    docker::LineSink sink = [&](std::string line) -> awaitable<void> {
      output.push_back(std::move(line));
      co_return;
    };
    try {
      co_await bench.engine.build_image(context.source, options, sink);
    } catch (const util::Error& e) {
      kind = e.kind();
      message = e.what();
      details = e.details();
    }
    CHECK(kind == ErrorKind::failed);
    CHECK(message.starts_with("cannot build image " + bench.name + ":bad: "));
    CHECK(message.find("non-zero code: 9") != std::string::npos);
    // (The two streams come as they like: on one line even.)
    const auto last = [](const auto& line) { return line.find("nearly there") != std::string::npos; };
    CHECK(std::any_of(details.begin(), details.end(), last));
    CHECK(details == output);

    auto invalid = docker::open_context(bench.executor, {.dockerfile_inline = "FROM scratch\nNONSENSE\n"});
    std::string refused;
    const auto got48 = co_await kind_of(bench.engine.build_image(invalid.source, options, nullptr), &refused);
    CHECK(got48 == ErrorKind::engine);
    CHECK(refused.find("NONSENSE") != std::string::npos);
  });
}

TEST_CASE("Pulling what is nowhere to be had fails with the reference in the message", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    std::string text;
    const auto got49 =
        co_await kind_of(bench.engine.pull_image("127.0.0.1:1/none/none:1", "", "", nullptr), &text);
    CHECK(got49);
    CHECK(text.starts_with("cannot pull image 127.0.0.1:1/none/none:1: "));
  });
}

TEST_CASE("Networks and volumes are found by label, and removing them twice is fine", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    auto& engine = bench.engine;
    const nlohmann::json network{{"Name", bench.name}, {"Driver", "bridge"}, {"Labels", bench.labels()}};
    const auto id = co_await engine.create_network(network);
    const auto networks = co_await engine.list_networks(bench.mine());
    REQUIRE(networks.size() == 1);
    CHECK(networks[0].id == id);
    CHECK(networks[0].name == bench.name);
    CHECK(networks[0].driver == "bridge");

    const nlohmann::json volume{{"Name", bench.name}, {"Labels", bench.labels()}};
    co_await engine.create_volume(volume);
    co_await engine.create_volume(volume);
    const auto got50 = co_await engine.list_volumes(bench.mine());
    CHECK(got50.size() == 1);
    const auto got51 = co_await engine.inspect_volume(bench.name);
    CHECK(got51->labels.at("stackd-test") == bench.name);

    auto body = bench.container({"sleep", "infinity"});
    body["HostConfig"]["NetworkMode"] = bench.name;
    body["HostConfig"]["Binds"] = {bench.name + ":/data"};
    body["ExposedPorts"] = {{"80/tcp", nlohmann::json::object()}};
    body["HostConfig"]["PortBindings"] = {{"80/tcp", {{{"HostIp", "127.0.0.1"}, {"HostPort", ""}}}}};
    const auto container = co_await bench.run("", body);
    const auto details = co_await engine.inspect_container(container);
    REQUIRE(details);
    CHECK(details->networks.at(bench.name) == id);
    CHECK_FALSE(details->addresses.at(bench.name).empty());
    CHECK(details->host_ports.at("80/tcp").size() == 1);
    REQUIRE(details->mounts.size() == 1);
    CHECK(details->mounts[0].name == bench.name);
    CHECK(details->mounts[0].destination == "/data");
    const auto got52 = co_await engine.list_containers(bench.mine());
    CHECK(got52.at(0).network_ids == std::vector<std::string>{id});
    const auto got53 = co_await engine.inspect_network(id);
    CHECK(got53->containers.at(container) == bench.name);

    const nlohmann::json second{
        {"Name", bench.name + "-2"}, {"Driver", "bridge"}, {"Labels", bench.labels()}};
    const auto other = co_await engine.create_network(second);
    const nlohmann::json endpoint{{"Container", container}, {"EndpointConfig", {{"Aliases", {"alias"}}}}};
    co_await engine.connect_network(other, endpoint);
    const auto got54 = co_await engine.inspect_container(container);
    CHECK(got54->networks.size() == 2);

    const auto got55 = co_await kind_of(engine.remove_network(id));
    CHECK(got55 == ErrorKind::conflict);
    const auto got56 = co_await kind_of(engine.remove_volume(bench.name));
    CHECK(got56 == ErrorKind::conflict);
    co_await engine.remove_container(container, true, true);
    for (int i = 0; i < 2; ++i) {
      co_await engine.remove_network(id);
      co_await engine.remove_volume(bench.name);
    }
    const auto got57 = co_await engine.inspect_network(id);
    CHECK_FALSE(got57);
    const auto got58 = co_await engine.inspect_volume(bench.name);
    CHECK_FALSE(got58);
  });
}

namespace {

// Passes a Unix socket on to the engine's, and can drop all connections, as an engine that is restarted does.
class Proxy {
public:
  Proxy() : path_((dir_.path() / "proxy.sock").string()), listener_(listen_on(path_)) {
    thread_ = std::thread([this] { run(); });
  }
  ~Proxy() {
    stop_ = true;
    thread_.join();
  }
  std::string host() const { return "unix://" + path_; }
  void drop_all() {
    drop_ = true;
    while (drop_) std::this_thread::yield();
  }
  int connections() const { return connections_; }

private:
  static int socket_to(const std::string& path, bool server) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* where = reinterpret_cast<sockaddr*>(&address);
    const int result = server ? ::bind(fd, where, sizeof address) : ::connect(fd, where, sizeof address);
    if (result != 0 || (server && ::listen(fd, 16) != 0))
      throw std::runtime_error("proxy: cannot use " + path);
    return fd;
  }
  static util::Fd listen_on(const std::string& path) { return util::Fd(socket_to(path, true)); }
  static bool copy(int from, int to) {
    char bytes[65536];
    const auto count = ::recv(from, bytes, sizeof bytes, 0);
    return count > 0 && ::send(to, bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL) == count;
  }
  void run() {
    std::vector<std::pair<util::Fd, util::Fd>> pairs;
    while (!stop_) {
      if (drop_) {
        pairs.clear();
        drop_ = false;
      }
      std::vector<pollfd> polled{{listener_.get(), POLLIN, 0}};
      for (const auto& [client, engine] : pairs) {
        polled.push_back({client.get(), POLLIN, 0});
        polled.push_back({engine.get(), POLLIN, 0});
      }
      ::poll(polled.data(), polled.size(), 5);
      for (std::size_t i = pairs.size(); i-- > 0;) {
        const int client = pairs[i].first.get(), engine = pairs[i].second.get();
        const bool open = (!polled[1 + 2 * i].revents || copy(client, engine)) &&
                          (!polled[2 + 2 * i].revents || copy(engine, client));
        if (!open) pairs.erase(pairs.begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (polled[0].revents) {
        util::Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        pairs.emplace_back(std::move(client), util::Fd(socket_to(test::engine_socket(), false)));
        ++connections_;
      }
    }
  }

  test::TempDir dir_;
  std::string path_;
  util::Fd listener_;
  std::atomic<bool> stop_ = false, drop_ = false;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

}  // namespace

TEST_CASE("Connections that were dropped are opened again, and the events say that they ended",
          "[docker][engine]") {
  Proxy proxy;
  test::run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    docker::Engine engine(executor, proxy.host());
    Bench bench(executor);
    const auto body26 = bench.container({"sleep", "infinity"});
    const auto id = co_await engine.create_container(bench.name, body26);
    const int at_first = proxy.connections();
    co_await engine.inspect_container(id);
    CHECK(proxy.connections() == at_first);

    async::TaskGroup tasks(executor);
    async::Signal ended(executor);
    std::optional<ErrorKind> kind;
    bool open = false;
    tasks.spawn("events", [&]() -> awaitable<void> {
      docker::Filters filters{{"container", id}};
      kind = co_await kind_of(engine.events(filters, "1", [&](const docker::Event&) {
        open = true;
        ended.notify();
      }));
      ended.notify();
    });
    co_await engine.start_container(id);
    while (!open) {
      const auto got59 = co_await ended.wait_for(20s);
      REQUIRE(got59);
    }
    proxy.drop_all();
    // A POST on a connection that was dropped this moment, before the loop heard of it.
    co_await engine.stop_container(id, 0);
    const auto got60 = co_await engine.inspect_container(id);
    CHECK(got60->state == "exited");
    while (!kind) {
      const auto got61 = co_await ended.wait_for(20s);
      REQUIRE(got61);
    }
    CHECK(kind == ErrorKind::no_engine);
    CHECK(proxy.connections() > at_first);
    co_await tasks.join();
    co_await engine.remove_container(id, true, true);
  });
}
