#include "daemon/docker/decode.hpp"

#include "tests/support/catch.hpp"

using namespace stackd::docker;
using stackd::docker::json;

TEST_CASE("A container of the list is read, its name without the slash", "[docker]") {
  const auto summary = decode_container_summary(json::parse(R"json({
    "Id": "f00", "Names": ["/web-1"], "Image": "busybox:local", "ImageID": "sha256:1", "State": "running",
    "Status": "Up 3 seconds (healthy)", "Labels": {"a": "b", "n": null},
    "NetworkSettings": {"Networks": {"x": {"NetworkID": "n1"}, "y": {"NetworkID": ""}, "z": null}}})json"));
  CHECK(summary.id == "f00");
  CHECK(summary.name == "web-1");
  CHECK(summary.image == "busybox:local");
  CHECK(summary.image_id == "sha256:1");
  CHECK(summary.state == "running");
  CHECK(summary.status == "Up 3 seconds (healthy)");
  CHECK(summary.labels == Labels{{"a", "b"}});
  CHECK(summary.network_ids == std::vector<std::string>{"n1"});
}

TEST_CASE("Whatever an engine leaves out, or has as null, is empty", "[docker]") {
  for (const auto* text : {"{}", "null", "[]", "\"x\"", "17"}) {
    const auto value = json::parse(text);
    INFO(text);
    CHECK(decode_container_summary(value).name.empty());
    CHECK(decode_container(value).networks.empty());
    CHECK(decode_image(value).env.empty());
    CHECK(decode_image_summary(value).id.empty());
    CHECK(decode_network(value).containers.empty());
    CHECK(decode_volume(value).name.empty());
    CHECK(decode_usage(value).cpu_percent == 0);
    CHECK_FALSE(decode_exec(value).exit_code);
  }
  const auto nulls = decode_container(json::parse(
      R"({"State": null, "Config": {"Env": null, "Labels": null, "Healthcheck": null}, "Mounts": null,
          "NetworkSettings": {"Networks": null, "Ports": null}})"));
  CHECK(nulls.env.empty());
  CHECK(decode_container_summary(json::parse(R"({"Names": null, "NetworkSettings": null})")).name.empty());
}

TEST_CASE("A container's details are read from all the places they are in", "[docker]") {
  const auto details = decode_container(json::parse(R"({
    "Id": "f00", "Name": "/db", "Image": "sha256:2", "RestartCount": 3,
    "State": {"Status": "exited", "Running": false, "Paused": false, "Restarting": false, "OOMKilled": true, "Pid": 0,
      "ExitCode": 137, "Error": "no such file", "StartedAt": "s", "FinishedAt": "f",
      "Health": {"Status": "unhealthy", "Log": [{"Output": "old"}, {"Output": "new"}]}},
    "Config": {"Image": "postgres:16", "Tty": true, "User": "1000", "WorkingDir": "/w", "Env": ["A=b"],
      "Labels": {"l": "m"}, "Healthcheck": {"Test": ["CMD", "true"]}},
    "Mounts": [{"Type": "volume", "Name": "data", "Source": "/var/lib/x", "Destination": "/data"}],
    "NetworkSettings": {
      "Ports": {"5432/tcp": [{"HostIp": "0.0.0.0", "HostPort": "9001"}, {"HostIp": "::", "HostPort": "9001"},
                             {"HostIp": "", "HostPort": "9002"}], "9/udp": null},
      "Networks": {"n": {"NetworkID": "id1", "IPAddress": "172.18.0.2"}, "m": {"NetworkID": "id2", "IPAddress": ""}}}})"));
  CHECK(details.id == "f00");
  CHECK(details.name == "db");
  CHECK(details.image == "postgres:16");
  CHECK(details.image_id == "sha256:2");
  CHECK(details.state == "exited");
  CHECK(details.oom_killed);
  CHECK_FALSE(details.running);
  CHECK(details.tty);
  CHECK(details.exit_code == 137);
  CHECK(details.error == "no such file");
  CHECK(details.health == "unhealthy");
  CHECK(details.health_output == "new");
  CHECK(details.restart_count == 3);
  CHECK(details.user == "1000");
  CHECK(details.working_dir == "/w");
  CHECK(details.env == std::vector<std::string>{"A=b"});
  CHECK(details.healthcheck == std::vector<std::string>{"CMD", "true"});
  CHECK(details.networks == std::map<std::string, std::string>{{"n", "id1"}, {"m", "id2"}});
  CHECK(details.addresses == std::map<std::string, std::string>{{"n", "172.18.0.2"}});
  CHECK(details.host_ports.at("5432/tcp") == std::vector<int>{9001, 9002});
  CHECK(details.host_ports.at("9/udp").empty());
  REQUIRE(details.mounts.size() == 1);
  CHECK(details.mounts[0].name == "data");
  CHECK(details.mounts[0].destination == "/data");
}

TEST_CASE("Health none is no health, and Podman's name for it is known", "[docker]") {
  CHECK(decode_container(json::parse(R"({"State": {"Health": {"Status": "none"}}})")).health.empty());
  CHECK(decode_container(json::parse(R"({"State": {"Healthcheck": {"Status": "starting"}}})")).health ==
        "starting");
}

TEST_CASE("A container's own grace period is known, and that it has none", "[docker]") {
  CHECK(decode_container(json::parse(R"({"Config": {"StopTimeout": 1200}})")).stop_timeout == 1200);
  CHECK(decode_container(json::parse(R"({"Config": {"StopTimeout": 0}})")).stop_timeout == 0);
  CHECK_FALSE(decode_container(json::parse(R"({"Config": {"StopTimeout": null}})")).stop_timeout.has_value());
}

TEST_CASE("An image's configuration is read, with lists that may be strings", "[docker]") {
  const auto image = decode_image(json::parse(R"({"Id": "sha256:3", "RepoTags": ["a:1"], "RepoDigests": null,
    "Config": {"Cmd": ["sh"], "Entrypoint": "/init", "Shell": null, "User": "u", "WorkingDir": "/w", "Env": ["P=1"],
      "Volumes": {"/data": {}, "/x": {}}, "Healthcheck": {"Test": ["NONE"]}, "Labels": {"k": "v"}}})"));
  CHECK(image.id == "sha256:3");
  CHECK(image.tags == std::vector<std::string>{"a:1"});
  CHECK(image.command == std::vector<std::string>{"sh"});
  CHECK(image.entrypoint == std::vector<std::string>{"/init"});
  CHECK(image.shell.empty());
  CHECK(image.user == "u");
  CHECK(image.volumes == std::vector<std::string>{"/data", "/x"});
  CHECK(image.healthcheck == std::vector<std::string>{"NONE"});
  CHECK(image.labels == Labels{{"k", "v"}});
}

TEST_CASE("An exec that runs has no exit code, whatever the field says", "[docker]") {
  CHECK_FALSE(decode_exec(json::parse(R"({"Running": true, "ExitCode": 0, "Pid": 12})")).exit_code);
  CHECK(decode_exec(json::parse(R"({"Running": true, "ExitCode": null, "Pid": 12})")).pid == 12);
  CHECK(decode_exec(json::parse(R"({"Running": false, "ExitCode": 3})")).exit_code == 3);
  CHECK_FALSE(decode_exec(json::parse(R"({"Running": false, "ExitCode": null})")).exit_code);
}

TEST_CASE("Usage is percent of one core, and memory without the page cache, on both cgroup versions",
          "[docker]") {
  const auto v2 = decode_usage(json::parse(R"({
    "cpu_stats": {"cpu_usage": {"total_usage": 3000}, "system_cpu_usage": 20000, "online_cpus": 4},
    "precpu_stats": {"cpu_usage": {"total_usage": 1000}, "system_cpu_usage": 12000},
    "memory_stats": {"usage": 1000, "stats": {"inactive_file": 300}}})"));
  CHECK(v2.cpu_percent == Approx(100));
  CHECK(v2.memory == 700);
  const auto v1 = decode_usage(json::parse(R"({
    "cpu_stats": {"cpu_usage": {"total_usage": 3000, "percpu_usage": [1, 2]}, "system_cpu_usage": 20000},
    "precpu_stats": {"cpu_usage": {"total_usage": 1000}, "system_cpu_usage": 12000},
    "memory_stats": {"usage": 1000, "stats": {"total_inactive_file": 400, "inactive_file": 1}}})"));
  CHECK(v1.cpu_percent == Approx(50));
  CHECK(v1.memory == 600);
  // A container that was stopped meanwhile has no second sample.
  CHECK(decode_usage(json::parse(R"({"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "precpu_stats":
    {"cpu_usage": {"total_usage": 5}}})"))
            .cpu_percent == 0);
}

TEST_CASE("C11.5: events are read in both spellings, data in their action kept", "[docker]") {
  const auto event = decode_event(R"({"status": "die", "id": "c1", "Type": "container", "Action": "die",
    "Actor": {"ID": "c1", "Attributes": {"exitCode": "3", "name": "web"}}, "time": 5, "timeNano": 5000000001})");
  REQUIRE(event);
  CHECK(event->type == "container");
  CHECK(event->action == "die");
  CHECK(event->id == "c1");
  CHECK(event->attributes.at("exitCode") == "3");
  CHECK(event->time_nano == 5000000001);

  const auto old = decode_event(R"({"status": "start", "id": "c2", "Type": "container", "time": 5})");
  REQUIRE(old);
  CHECK(old->action == "start");
  CHECK(old->id == "c2");
  CHECK(old->time_nano == 5000000000);

  CHECK(decode_event(R"({"Action": "health_status: healthy"})")->action == "health_status: healthy");
  CHECK_FALSE(decode_event("{}"));
  CHECK_FALSE(decode_event("{\"Action\": \"di"));
  CHECK_FALSE(decode_event(""));
}

TEST_CASE("Networks and volumes are read", "[docker]") {
  const auto network =
      decode_network(json::parse(R"({"Id": "n", "Name": "x", "Driver": "bridge", "Labels": {"a": "b"},
    "Containers": {"c1": {"Name": "web"}}})"));
  CHECK(network.id == "n");
  CHECK(network.driver == "bridge");
  CHECK(network.containers == std::map<std::string, std::string>{{"c1", "web"}});
  const auto volume =
      decode_volume(json::parse(R"({"Name": "v", "Driver": "local", "Mountpoint": "/m", "Labels": null})"));
  CHECK(volume.name == "v");
  CHECK(volume.mountpoint == "/m");
  CHECK(volume.labels.empty());
}
