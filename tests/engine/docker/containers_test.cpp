#include "daemon/async/task_group.hpp"
#include "daemon/docker/context.hpp"
#include "tests/engine/docker/engine_fixture.hpp"

using namespace stackd;
using docker::Stream;
using test::Bench;
using test::kind_of;
using test::with_engine;
using util::ErrorKind;

TEST_CASE("The engine tells its version", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    const auto version = co_await bench.engine.version();
    CHECK_FALSE(version.version.empty());
    CHECK(version.api_version.starts_with("1."));
    CHECK(version.os == "linux");
    CHECK_FALSE(version.arch.empty());
    CHECK(bench.engine.known_version()->api_version == version.api_version);
  });
}

TEST_CASE("A container goes its whole way, and every wish may come twice", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    auto& engine = bench.engine;
    auto body = bench.container({"sleep", "infinity"});
    body["Env"] = {"A=b"};
    body["User"] = "0:0";
    body["WorkingDir"] = "/tmp";
    const auto id = co_await engine.create_container(bench.name, body);
    auto details = co_await engine.inspect_container(id);
    REQUIRE(details);
    CHECK(details->name == bench.name);
    CHECK(details->state == "created");
    CHECK(details->image == test::test_image());
    CHECK(details->image_id.starts_with("sha256:"));
    CHECK(details->working_dir == "/tmp");
    CHECK(details->user == "0:0");
    CHECK(details->labels.at("stackd-test") == bench.name);
    CHECK(std::find(details->env.begin(), details->env.end(), "A=b") != details->env.end());

    co_await engine.start_container(id);
    co_await engine.start_container(id);
    details = co_await engine.inspect_container(bench.name);  // by name too
    REQUIRE(details);
    CHECK(details->running);
    CHECK(details->pid > 0);
    const auto list = co_await engine.list_containers(bench.mine());
    REQUIRE(list.size() == 1);
    CHECK(list[0].id == id);
    CHECK(list[0].name == bench.name);
    CHECK(list[0].state == "running");

    co_await engine.stop_container(id, 1);
    co_await engine.stop_container(id, 1);
    co_await engine.kill_container(id, "SIGTERM");
    details = co_await engine.inspect_container(id);
    REQUIRE(details);
    CHECK(details->state == "exited");
    const auto got24 = co_await engine.wait_container(id);
    CHECK(got24 == details->exit_code);

    co_await engine.rename_container(id, bench.name + "-old");
    const auto got25 = co_await engine.inspect_container(id);
    CHECK(got25->name == bench.name + "-old");
    co_await engine.remove_container(id, false, true);
    co_await engine.remove_container(id, false, true);
    const auto got26 = co_await engine.inspect_container(id);
    CHECK_FALSE(got26);
  });
}

TEST_CASE("wait_container ends with the exit code, also when it waited before the end", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    const auto body1 = bench.container({"sh", "-c", "sleep 0.3; exit 7"});
    const auto failing = co_await bench.run("-2", body1);
    const auto got27 = co_await bench.engine.wait_container(failing);
    CHECK(got27 == 7);
    const auto got28 = co_await bench.engine.wait_container(failing);
    CHECK(got28 == 7);
  });
}

TEST_CASE("Errors have the kind of the engine's answer and its words", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    auto& engine = bench.engine;
    std::string text;
    const auto got29 = co_await kind_of(engine.start_container("no-such-container"), &text);
    CHECK(got29 == ErrorKind::not_found);
    CHECK(text.starts_with("cannot start container no-such-container: "));
    CHECK(text.find("no-such-container", 40) != std::string::npos);
    const auto body2 = bench.container({"true"});

    co_await engine.create_container(bench.name, body2);
    const auto body3 = bench.container({"true"});
    const auto got30 = co_await kind_of(engine.create_container(bench.name, body3), &text);
    CHECK(got30 == ErrorKind::conflict);
    CHECK(text.find("already in use") != std::string::npos);

    auto unknown = bench.container({"true"});
    unknown["Image"] = "stackd-test/none:none";
    const auto got31 = co_await kind_of(engine.create_container("", unknown));
    CHECK(got31 == ErrorKind::not_found);
    const auto body4 = bench.container({"/no/such/command"});

    const auto broken = co_await engine.create_container(bench.name + "-2", body4);
    // With an init the command fails inside the container; without, the start itself does.
    auto no_init = bench.container({"/no/such/command"});
    no_init["HostConfig"]["Init"] = false;
    const auto refused = co_await engine.create_container(bench.name + "-3", no_init);
    const auto got32 = co_await kind_of(engine.start_container(refused), &text);
    CHECK(got32 == ErrorKind::engine);
    CHECK(text.find("/no/such/command") != std::string::npos);
    const docker::ExecConfig config5{.argv = {"true"}};
    const auto got33 = co_await kind_of(engine.exec(broken, config5));
    CHECK(got33 == ErrorKind::conflict);
    const auto got34 = co_await kind_of(engine.unpause_container("no-such-container"));
    CHECK(got34 == ErrorKind::not_found);
    const auto got35 = co_await engine.inspect_image("stackd-test/none:none");
    CHECK_FALSE(got35);
    const auto got36 = co_await engine.inspect_exec("0123456789abcdef");
    CHECK_FALSE(got36);
  });
}

TEST_CASE("An exec has its exit code and both streams, as the user and with the environment asked for",
          "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    auto& engine = bench.engine;
    auto body = bench.container({"sleep", "infinity"});
    body["Env"] = {"KEPT=1", "CHANGED=1"};
    const auto id = co_await bench.run("", body);

    docker::ExecConfig config{
        .argv = {"sh", "-c", "echo $KEPT $CHANGED $ADDED; id -u; pwd; echo oops >&2; exit 3"},
        .env = {"CHANGED=2", "ADDED=3"},
        .user = "1234",
        .working_dir = "/bin"};
    const auto result = co_await engine.exec(id, config);
    CHECK(result.exit_code == 3);
    CHECK(result.out == "1 2 3\n1234\n/bin\n");
    CHECK(result.err == "oops\n");

    std::string out, err;
    docker::OutputSink sink = [&](Stream stream, std::string_view piece) -> awaitable<void> {
      (stream == Stream::out ? out : err) += piece;
      co_return;
    };
    const auto streamed = co_await engine.exec(id, config, sink);
    CHECK(streamed.exit_code == 3);
    CHECK(streamed.out.empty());
    CHECK(out == result.out);
    CHECK(err == result.err);
    const docker::ExecConfig config6{.argv = {"sh", "-c", "tty >&2"}, .tty = true};

    const auto with_tty = co_await engine.exec(id, config6);
    CHECK(with_tty.exit_code == 0);
    CHECK(with_tty.out.find("/dev/") != std::string::npos);
    const docker::ExecConfig config7{.argv = {"/no/such/command"}};
    const auto missing = co_await engine.exec(id, config7);
    CHECK((missing.exit_code == 126 || missing.exit_code == 127));
    CHECK(missing.out.find("/no/such/command") != std::string::npos);
    const docker::ExecConfig config8{.argv = {"sh", "-c", "seq 1 200000"}};
    const auto many = co_await engine.exec(id, config8);
    CHECK(many.out.size() == 1288895);
    CHECK(many.out.ends_with("199999\n200000\n"));
  });
}

TEST_CASE("Logs are read with their streams, from the tail, and followed to the end", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    auto& engine = bench.engine;
    const auto body9 = bench.container({"sh", "-c", "echo one; echo two >&2; sleep 0.4; echo three"});
    const auto id = co_await bench.run("", body9);
    std::string out, err;
    docker::OutputSink sink = [&](Stream stream, std::string_view piece) -> awaitable<void> {
      (stream == Stream::out ? out : err) += piece;
      co_return;
    };
    const docker::LogOptions options10{.follow = true};
    co_await engine.logs(id, false, options10, sink);
    CHECK(out == "one\nthree\n");
    CHECK(err == "two\n");
    out.clear();
    const docker::LogOptions options11{.tail = "1"};
    co_await engine.logs(id, false, options11, sink);
    CHECK(out == "three\n");
    out.clear();
    const docker::LogOptions options12{.timestamps = true, .tail = "1"};
    co_await engine.logs(id, false, options12, sink);
    CHECK(out.ends_with("Z three\n"));
    out.clear();
    const docker::LogOptions options13{.since = "4000000000"};
    co_await engine.logs(id, false, options13, sink);
    CHECK(out.empty());

    auto body = bench.container({"sh", "-c", "echo out; echo err >&2"});
    body["Tty"] = true;
    const auto tty = co_await bench.run("-tty", body);
    co_await engine.wait_container(tty);
    const docker::LogOptions options14{};
    co_await engine.logs(tty, true, options14, sink);
    CHECK(out == "out\r\nerr\r\n");
  });
}

TEST_CASE("Files are put into a container that was not started yet", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    const auto body15 =
        bench.container({"sh", "-c", "stat -c '%a %u %g' /etc/stackd/key; cat /etc/stackd/key"});
    const auto id = co_await bench.engine.create_container(bench.name, body15);
    const auto archive = docker::make_tar({{"/etc/stackd/key", {"secret", 0440, 7, 8}}});
    co_await bench.engine.put_archive(id, "/", archive);
    co_await bench.engine.start_container(id);
    const auto got37 = co_await bench.engine.wait_container(id);
    CHECK(got37 == 0);
    std::string out;
    docker::OutputSink sink = [&](Stream, std::string_view piece) -> awaitable<void> {
      out += piece;
      co_return;
    };
    const docker::LogOptions options16{};
    co_await bench.engine.logs(id, false, options16, sink);
    CHECK(out == "440 7 8\nsecret");
  });
}

TEST_CASE("Usage of a busy container is about one core", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    const auto body17 = bench.container({"sh", "-c", "while :; do :; done"});
    const auto id = co_await bench.run("", body17);
    const auto usage = co_await bench.engine.usage(id);
    CHECK(usage.cpu_percent > 5);
    CHECK(usage.cpu_percent < 150);
    CHECK(usage.memory > 0);
    CHECK(usage.memory < 100'000'000);
  });
}

TEST_CASE("Twenty containers are created and started at the same time", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    async::TaskGroup tasks(bench.executor);
    int started = 0;
    for (int i = 0; i < 20; ++i)
      tasks.spawn("start", [&bench, &started, i]() -> awaitable<void> {
        const auto suffix = "-" + std::to_string(i);
        auto body = bench.container({"sleep", "infinity"});
        co_await bench.run(suffix, std::move(body));
        ++started;
      });
    co_await tasks.join();
    CHECK(started == 20);
    const auto list = co_await bench.engine.list_containers(bench.mine());
    CHECK(list.size() == 20);
    CHECK(std::all_of(list.begin(), list.end(), [](const auto& c) { return c.state == "running"; }));
    for (const auto& container : list)
      tasks.spawn("remove", [&bench, id = container.id]() -> awaitable<void> {
        co_await bench.engine.remove_container(id, true, true);
      });
    co_await tasks.join();
    const auto got38 = co_await bench.engine.list_containers(bench.mine());
    CHECK(got38.empty());
  });
}

TEST_CASE("E5: removing what is being removed waits for its end", "[docker][engine]") {
  with_engine([](Bench& bench) -> awaitable<void> {
    const auto body18 = bench.container({"sleep", "infinity"});
    const auto id = co_await bench.run("", body18);
    async::TaskGroup tasks(bench.executor);
    int removed = 0;
    for (int i = 0; i < 3; ++i)
      tasks.spawn("remove", [&]() -> awaitable<void> {
        co_await bench.engine.remove_container(id, true, true);
        const auto got39 = co_await bench.engine.inspect_container(id);
        CHECK_FALSE(got39);
        ++removed;
      });
    co_await tasks.join();
    CHECK(removed == 3);
  });
}
