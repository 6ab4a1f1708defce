// Spec: one stack file (or several), loaded, merged, interpolated and checked. Immutable once made, and
// stored whole with the stack as JSON (model/json.hpp), so that `down` never needs the files again. Plain
// data, no behaviour. References with a dot (${services.db.host_port}) are still in its strings: only an up
// knows what they stand for (resolve/references.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/model/phases.hpp"
#include "daemon/model/probes.hpp"

namespace stackd::model {

using Milliseconds = std::chrono::milliseconds;

// Where something was written, for messages; line and column are 1-based.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

// A variable without a value is `nullopt`: in a stackd or lich env "remove this key" (L6.2), in a hook's
// environment a bare name (C1.3).
using Environment = std::map<std::string, std::optional<std::string>>;

// ---- hooks

enum class RunPolicy { standard, always, once, changed };

// One entry of a phase. `shell` (given to /bin/sh -c) or `argv` (used verbatim, C1.1), never both; a
// pre_start entry may have neither (the image's own command does the work).
struct Hook {
  Phase phase = Phase::before_up;
  int index = 0;        // 0-based in the composed list of its phase and service; part of its log's name
  int group = -1;       // entries with the same number >= 0 run at the same time (a list inside the list)
  std::string service;  // empty for a stack's hook
  std::string shell;
  std::vector<std::string> argv;
  std::string cwd;  // as written; relative to the stack's directory (host) or to the image's (container)
  Environment env;
  std::string env_group;
  std::string user;  // container hooks
  bool privileged = false;
  std::string image;  // pre_start
  bool per_replica = false;
  std::optional<Milliseconds> timeout;
  int retries = 0;
  Milliseconds retry_delay{1000};
  OnFailure on_failure = OnFailure::standard;
  RunPolicy run = RunPolicy::standard;
  std::vector<std::string> inputs;  // globs for run: changed
  std::string once_volume;          // once: volume:KEY: `run` is once, for as long as the volume is the same
  std::vector<std::string> cache;   // build hooks: directories that are kept between builds
  std::string run_in;               // "" the phase's own place, "host", a service's name
  std::string run_in_image;         // run_in: {image: …}
  // `if`: every one that is given must hold.
  std::vector<std::string> if_profile;
  std::vector<std::string> if_os;   // "linux"
  std::vector<std::string> if_env;  // NAME, !NAME or NAME=value
  std::string if_previous;          // "failed" or "succeeded": the stack's last operation
  Place place;

  // What people see: the shell text, or the words joined.
  std::string text() const;
};

// ---- readiness

struct Healthcheck {
  std::vector<std::string> test;  // as the engine takes it: {"CMD", …}, {"CMD-SHELL", text}, {"NONE"}
  std::optional<Milliseconds> interval, timeout, start_period, start_interval;
  std::optional<int> retries;
  bool disabled() const { return test.size() == 1 && test[0] == "NONE"; }
};

// ---- services

enum class ServiceKind { container, process, oneshot };
enum class Condition { started, healthy, completed_successfully, ready };  // ready: lich's only one (L1.4)

struct Dependency {
  Condition condition = Condition::started;
  bool required = true;
  bool restart = false;
};

// A port that stackd allocates or passes on. A fixed host port is `published`; "8000-8010" is a range to
// choose from.
struct Port {
  std::string key;  // how ${services.X.ports.<key>} names it: its name, else its place in the list ("0", "1")
  int target = 0;   // container port; 0 for a host process
  int published = 0;      // 0: allocate one
  int published_end = 0;  // of a range; 0 when there is none
  std::string host_ip;
  std::string protocol = "tcp";
  std::string app_protocol;
  std::string mode = "ingress";
  std::string env;  // variable that carries the host port (lich: published_env / env)
  Place place;
};

struct Mount {
  std::string
      type;  // "bind", "volume", "tmpfs", "image", and what only other engines have: "npipe", "cluster"
  std::string source;  // absolute path, volume key, or empty (anonymous volume)
  std::string target;
  bool read_only = false;
  bool create_host_path = true;
  std::string propagation;  // bind
  std::string selinux;      // "z" or "Z"
  bool nocopy = false;
  std::string subpath;
  std::string recursive;                      // bind: "", disabled, enabled, writable, readonly
  std::map<std::string, std::string> labels;  // of a volume that is made for it
  std::int64_t tmpfs_size = 0;
  int tmpfs_mode = 0;
};

struct Attachment {  // a service on a network
  std::vector<std::string> aliases;
  std::string ipv4_address, ipv6_address, mac_address;
  std::vector<std::string> link_local_ips;
  std::map<std::string, std::string> driver_opts;
  std::string interface_name;
  int priority = 0, gw_priority = 0;
};

struct Ulimit {
  std::string name;
  std::int64_t soft = 0, hard = 0;
};
struct BuildGrant {
  std::string id, source;  // as a Dockerfile calls the secret; key at the top level
};

struct Build {
  std::string context;     // absolute; or remote, as it is written
  std::string dockerfile;  // relative to the context, or absolute
  std::string dockerfile_inline;
  std::map<std::string, std::optional<std::string>> args;
  std::string target;
  std::map<std::string, std::string> labels;
  std::vector<std::string> cache_from, extra_hosts, tags, platforms;
  std::string network;
  std::string shm_size;
  bool no_cache = false;
  bool pull = false;
  bool privileged = false;
  std::vector<Ulimit> ulimits;
  std::vector<BuildGrant> secrets;
  std::map<std::string, std::string> ssh;                  // id -> socket of an agent, or files of keys with
                                                           // commas between them; "" the caller's agent
  std::map<std::string, std::string> additional_contexts;  // name -> absolute path, or what the builder reads
  std::vector<std::string> cache_to, entitlements;
  std::string provenance, sbom;  // "", true, false, or "mode=max" and the like
};
struct FileGrant {     // a secret or config of a service
  std::string source;  // key at the top level
  std::string target;  // absolute path in the container
  std::string uid, gid, mode;
};
struct Logging {
  std::string driver;
  std::map<std::string, std::string> options;
};
struct DeviceMapping {
  std::string host, container, permissions = "rwm";
};

struct DeviceRequest {  // of `gpus`, of deploy's reservations, and of a device that a driver names (CDI)
  std::string driver;
  std::int64_t count = 0;  // -1 is all
  std::vector<std::string> ids, capabilities;
  std::map<std::string, std::string> options;
};
struct DeviceRate {
  std::string path;
  std::int64_t rate = 0;  // a weight in weight_device
};
struct Blkio {
  int weight = 0;
  std::vector<DeviceRate> weight_device, read_bps, read_iops, write_bps, write_iops;
};

// The container part of a service: Compose's keys, defaults not filled in. `command`/`entrypoint`: nullopt is
// "the image's"; an empty list clears it.
struct Container {
  std::string image;
  std::optional<Build> build;
  std::string pull_policy;  // "", always, missing, never, build
  std::string platform;
  std::optional<std::vector<std::string>> command, entrypoint;
  std::vector<Mount> mounts;
  std::map<std::string, Attachment> networks;  // keys of Spec::networks; empty with a network_mode
  std::string network_mode;
  std::optional<Healthcheck> healthcheck;
  std::string user, working_dir, hostname, domainname, container_name, stop_signal, restart, runtime,
      cgroup_parent, cgroup;
  std::string ipc, pid, uts, userns_mode, isolation, mac_address;
  std::optional<Milliseconds> stop_grace_period;
  std::map<std::string, std::string> labels, annotations, sysctls, storage_opt;
  std::vector<std::string> expose, cap_add, cap_drop, extra_hosts, tmpfs, dns, dns_search, dns_opt,
      security_opt, group_add, volumes_from, links, external_links, device_cgroup_rules;
  std::vector<DeviceMapping> devices;
  std::vector<DeviceRequest> device_requests;
  std::optional<Blkio> blkio;
  std::vector<Ulimit> ulimits;
  std::vector<FileGrant> secrets, configs;
  std::optional<Logging> logging;
  std::optional<bool> init;
  bool privileged = false, read_only = false, tty = false, stdin_open = false;
  std::optional<bool> oom_kill_disable;
  int oom_score_adj = 0;
  std::int64_t shm_size = 0, mem_limit = 0, mem_reservation = 0, memswap_limit = 0, pids_limit = 0;
  std::optional<int> mem_swappiness;
  double cpus = 0;
  std::int64_t cpu_shares = 0, cpu_period = 0, cpu_quota = 0;
  std::int64_t cpu_count = 0, cpu_rt_period = 0, cpu_rt_runtime = 0;
  double cpu_percent = 0;
  std::string cpuset;
  int scale = 1;
  bool deploy = false;  // scale and limits were given under `deploy`: for showing the file as it was meant
  // hooks: {post_build_root, post_build, pre_run} are in Service::hooks; this one says their files live in
  // the workspace.
  bool mount_workspace = false;  // moat.yaml: the stack's directory at /workspace
};

// The process part: a host process, or a oneshot (L3.7).
struct Process {
  std::string cmd;
  std::string stop_cmd;
  std::string cwd;                                // absolute
  std::string owned_label, owned_name_pattern;    // owned_containers
  std::string restart;                            // "", always, unless-stopped, on-failure[:TIMES]
  std::optional<Milliseconds> stop_grace_period;  // default 5 s (L5.5)
};

// env_from: one command, or the name of a variable of the caller to pass through (X15).
struct EnvSource {
  std::string cmd;
  std::string variable;
  std::string format = "dotenv";  // or "json"
  std::string cwd;
  Place place;
};

// One level of L6.1: top level, profile, service or group. `files` are already read into `file_env`.
struct EnvLayer {
  std::vector<EnvSource> from;
  Environment file_env;  // env_files, in order
  Environment env;
  bool any() const { return !from.empty() || !file_env.empty() || !env.empty(); }
};

struct EnvGroup {
  std::string extends;  // "" nothing, "stack" the built-in, or another group
  EnvLayer layer;
  bool process_env = true;  // inherit the caller's environment (L6.7)
};

struct Service {
  std::string name;
  ServiceKind kind = ServiceKind::container;
  // Of a `provider` (a program that is not here): shown, and never run. The loader leaves none in what is to
  // run; not stored.
  bool provided = false;
  bool owned = false;  // written under `owned`: its references are ${owned.NAME…}
  std::optional<Container> container;
  std::optional<Process> process;
  std::map<std::string, Dependency> depends_on;
  bool depends_on_given = false;  // `depends_on: []` differs from no key for a process (X33)
  std::vector<Port> ports;
  EnvLayer environment;  // a Compose service's environment and env_file are `env` and `file_env`
  std::optional<Readiness> ready_when;
  std::vector<Hook> hooks;  // of this service, every phase, by phase and index
  std::vector<std::string> profiles;
  Place place;

  std::vector<const Hook*> hooks_of(Phase phase) const;
};

// ---- top level

struct Network {
  std::string name;  // full engine name
  bool external = false;
  std::string driver;
  std::map<std::string, std::string> driver_opts, labels;
  bool internal = false, attachable = false;
  std::optional<bool> enable_ipv4, enable_ipv6;
  std::string ipam_driver;
  struct Pool {
    std::string subnet, gateway, ip_range;
    std::map<std::string, std::string> aux_addresses;
  };
  std::vector<Pool> ipam;
};

struct Volume {
  std::string name;
  bool external = false;
  std::string driver;
  std::map<std::string, std::string> driver_opts, labels;
};

struct FileSource {  // a top-level secret or config
  std::string name;
  bool external = false;
  std::string file;         // absolute
  std::string environment;  // variable of the caller
  std::string content;
};

struct Command {  // `commands:`, run by `stackctl run NAME`
  std::string cmd, description, env_group, cwd;
  Environment env;
};

struct Runtime {  // `runtime:`
  bool kill_others_on_fail = true;
  bool fast_readiness = true;
  std::optional<Milliseconds> ready_when_timeout, hook_timeout;
  int port_first = 0, port_last = 0;  // 0: the daemon's own range
};

struct Spec {
  std::string format;                 // "stackd", "compose", "lich", "moat"
  std::string name;                   // the stack's, and Compose's project name
  std::string directory;              // absolute
  std::vector<std::string> files;     // absolute
  std::string profile;                // lich/stackd profile that was chosen
  std::vector<Service> services;      // in file order; those that the profile leaves out are not here
  std::vector<std::string> disabled;  // names that profiles left out, for messages
  // Services that an earlier up had and this file does not: what is left of them is stopped with their own
  // hooks (X8). The loader makes none; the manager takes them over from the stored spec.
  std::vector<Service> gone;
  std::vector<Hook> hooks;  // of the stack
  EnvLayer env;             // top level
  EnvLayer profile_env;
  std::map<std::string, EnvGroup> env_groups;
  std::map<std::string, Command> commands;
  std::map<std::string, Network> networks;
  std::map<std::string, Volume> volumes;
  std::map<std::string, FileSource> secrets, configs;
  Runtime runtime;
  // A compose.yaml's x-* keys at any depth, for showing the file: JSON by JSON pointer ("/services/web/x-a").
  std::map<std::string, std::string> extensions;
  std::string
      worktree_main;  // where `directory` is in the repository's main worktree, when this is another one
  std::vector<std::string> warnings;  // what the loader accepted but cannot honour, one line each
  // Where each text with a ${ was written, for the messages of check_references. Only while loading: not
  // stored.
  std::multimap<std::string, Place> written;
  // Of a compose.yaml Compose's own canonical model, as JSON (compose/canonical.hpp). Only while loading: not
  // stored.
  std::string canonical;
  std::set<std::string> known_profiles;  // Compose's, of all services. Only while loading, too

  const Service* find(const std::string& service) const;
  const Service* find_gone(const std::string& service) const;
  const Service* find_known(const std::string& service) const;  // either
  std::vector<const Hook*> hooks_of(Phase phase) const;         // of the stack
};

std::string to_string(ServiceKind kind);

}  // namespace stackd::model
