// What the engine knows of, in our own structs: containers, images, networks, volumes, events. Plain data, no
// Asio.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stackd::docker {

using Labels = std::map<std::string, std::string>;

struct EngineVersion {
  std::string version;      // "20.10.24"
  std::string api_version;  // what is spoken: the lower of the engine's and k_newest_api
  std::string os, arch;
  bool podman = false;
};

struct ContainerSummary {
  std::string id, name, image, image_id;  // name without the leading slash
  std::string state;                      // created, running, paused, restarting, exited, dead, removing
  std::string status;                     // "Up 3 seconds (healthy)"
  std::string command;
  std::int64_t created = 0;  // seconds since 1970
  Labels labels;
  std::vector<std::string> network_ids;
  struct Port {
    std::string ip, protocol;
    int inside = 0, outside = 0;  // outside 0: only exposed
  };
  std::vector<Port> ports;
};

struct ContainerDetails {
  std::string id, name, image, image_id, state;  // image: as configured; image_id: sha256:…
  bool running = false, paused = false, restarting = false, oom_killed = false, tty = false;
  int exit_code = 0;
  std::string error;          // the engine's own text for a failed start
  std::string health;         // "", starting, healthy, unhealthy
  std::string health_output;  // last probe's
  std::string started_at, finished_at;
  int restart_count = 0;
  std::string restart_policy;  // no, always, unless-stopped, on-failure
  int restart_retries = 0;     // of on-failure
  int pid = 0;
  std::string user, working_dir;
  std::vector<std::string> env;
  std::vector<std::string> healthcheck;  // Test
  std::optional<int> stop_timeout;       // seconds, of its own; below 0: without end
  Labels labels;
  std::map<std::string, std::string> networks;  // name -> network id
  std::map<std::string, std::string>
      endpoints;  // network name -> its settings there, as the engine takes them
  std::map<std::string, std::string> addresses;  // network name -> IPv4
  struct Mount {
    std::string type, name, source, destination;
  };
  std::vector<Mount> mounts;
  std::map<std::string, std::vector<int>> host_ports;  // "5432/tcp" -> host ports
};

struct ImageDetails {
  std::string id;  // sha256:…
  std::vector<std::string> tags, digests;
  std::vector<std::string> command, entrypoint, shell;
  std::string user, working_dir;
  std::string tagged_at;             // when it last got its name, by a pull or a build
  std::string created_at, platform;  // "linux/amd64"
  std::int64_t size = 0;
  std::vector<std::string> env;
  std::vector<std::string> healthcheck;  // Test; empty when none
  std::vector<std::string> volumes;
  Labels labels;
};

struct NetworkDetails {
  std::string id, name, driver;
  Labels labels;
  std::map<std::string, std::string> containers; /* id -> name */
};
struct VolumeDetails {
  std::string name, driver, mountpoint;
  Labels labels;
  std::string created_at;
};

// `top`-like figures: cpu in percent of one core, memory in bytes.
struct Usage {
  double cpu_percent = 0;
  std::int64_t memory = 0, memory_limit = 0;
  std::int64_t network_in = 0, network_out = 0, block_in = 0, block_out = 0;  // since its start
  int pids = 0;
};

struct Event {
  std::string type, action;  // "container", "die"; health and exec events carry data in the action (C11.5)
  std::string id;
  std::map<std::string, std::string> attributes;  // name, image, exitCode, labels
  std::int64_t time_nano = 0;
};

struct ExecConfig {
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::string user, working_dir;
  bool privileged = false, tty = false;
  bool input = false;  // for an Attached only
};
struct ExecResult {
  int exit_code = 0;
  std::string out, err;
};

// State of an exec that someone else started.
struct ExecState {
  bool running = false;
  std::optional<int> exit_code;
  int pid = 0;
};

struct ImageSummary {
  std::string id;
  std::vector<std::string> tags;
  Labels labels;
};

struct LogOptions {
  bool follow = false, timestamps = false;
  std::string tail = "all";  // "all" or a number
  std::string since;         // what the engine takes: seconds[.nanos]
};

struct BuildOptions {
  std::string dockerfile = "Dockerfile", target, network, platform;
  std::vector<std::string> tags, cache_from, extra_hosts;
  std::map<std::string, std::optional<std::string>> args;
  Labels labels;
  bool no_cache = false, pull = false;
};

enum class Stream { out, err };

// As the engine takes them: {"label", "a=b"}, {"name", "^/x$"}.
using Filters = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view k_oldest_api = "1.41";
constexpr std::string_view k_newest_api = "1.51";

}  // namespace stackd::docker
