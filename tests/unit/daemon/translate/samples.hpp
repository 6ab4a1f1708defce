// A stack to translate, and one value for each field of a container: what the engine is told of it, and
// whether it counts for the hash, are tables that are held to the lists in model/fields.hpp.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/model/stack.hpp"
#include "daemon/translate/container_request.hpp"
#include "daemon/translate/images.hpp"
#include "tests/unit/daemon/model/field_tables.hpp"

namespace stackd::test {

// Every value in a tree by its way, "HostConfig PortBindings 80/tcp 0 HostPort"; an empty list or object is
// one.
inline void add_leaves(const json& value, const std::string& way, std::map<std::string, json>& into) {
  if (!value.is_structured() || value.empty()) {
    into[way] = value;
    return;
  }
  for (const auto& [key, item] : value.items()) add_leaves(item, way.empty() ? key : way + " " + key, into);
}

// What `after` says and `before` does not; what it says no more is "(gone)".
inline json difference(const json& before, const json& after) {
  std::map<std::string, json> was, is;
  add_leaves(before, "", was);
  add_leaves(after, "", is);
  json out = json::object();
  for (const auto& [way, value] : is)
    if (const auto found = was.find(way); found == was.end() || found->second != value) out[way] = value;
  for (const auto& [way, value] : was)
    if (!is.contains(way)) out[way] = "(gone)";
  return out;
}

// A field, a value for it, and what of that value is told.
struct Row {
  const char* field;
  json value;
  json told;
};

inline std::set<std::string> fields_in(const std::vector<Row>& rows) {
  std::set<std::string> names;
  for (const auto& row : rows) names.insert(row.field);
  return names;
}

// Services `web`, on the default network, and `db`, whose container is "id-of-db".
struct Demo {
  Demo() {
    spec.format = "compose";
    spec.name = "demo";
    spec.directory = "/home/me/demo";
    spec.files = {"/home/me/demo/compose.yaml", "/home/me/demo/compose.override.yaml"};
    spec.networks["default"].name = "demo_default";
    spec.networks["other"].name = "demo_other";
    spec.volumes["data"].name = "demo_data";
    spec.secrets["by_file"].file = "/home/me/demo/password";
    spec.secrets["by_text"].content = "inline";
    spec.configs["conf"].file = "/home/me/demo/conf";
    facts.stack_id = "demo-12345678";
    for (const auto* name : {"web", "db"}) {
      model::Service service;
      service.name = name;
      service.container.emplace().image = name + std::string("-image");
      service.container->networks["default"];
      spec.services.push_back(service);
    }
  }

  model::Service& web() { return spec.services[0]; }
  model::Container& container() { return *spec.services[0].container; }
  model::Service& db() { return spec.services[1]; }
  void set(const std::string& field, const json& value) { set_field(container(), field, value); }

  translate::RequestInputs inputs() const {
    translate::RequestInputs in{spec, facts, spec.services[0]};
    in.image = translate::image_of(spec, spec.services[0]);
    in.image_id = "sha256:of-the-image";
    in.config_hash = "the-hash";
    in.operation = "op-1";
    in.container_of = {{"db", "id-of-db"}};
    return in;
  }
  // The body, and beside it what goes to the engine by other ways.
  json request() const { return request(inputs()); }
  static json request(const translate::RequestInputs& in) {
    auto made = translate::container_request(in);
    auto all = std::move(made.body);
    all["(name)"] = made.name;
    all["(platform)"] = made.platform;
    all["(connected after)"] = made.more_networks;
    return all;
  }
  model::Stack stack() const {
    return {facts.stack_id, std::make_shared<model::Spec>(spec), std::make_shared<model::Facts>(facts)};
  }

  model::Spec spec;
  model::Facts facts;
};

// One row for each of a container's fields, and more where a field has several meanings.
inline std::vector<Row> container_rows() {
  const json nothing = json::object();
  return {
      {"image", "httpd", {{"Image", "httpd"}}},
      {"build", {{"context", "/home/me/demo"}}, nothing},  // an image is built of it
      {"pull_policy", "always", nothing},                  // images are pulled by it
      {"platform", "linux/arm64", {{"(platform)", "linux/arm64"}}},
      {"command", {"a", "b c"}, {{"Cmd 0", "a"}, {"Cmd 1", "b c"}}},
      {"command", json::array(), {{"Cmd", json::array()}}},
      {"entrypoint", {"e"}, {{"Entrypoint 0", "e"}}},
      {"entrypoint", json::array(), {{"Entrypoint", json::array()}}},
      {"mounts",
       json::array({{{"type", "bind"}, {"source", "/a"}, {"target", "/b"}}}),
       {{"HostConfig Binds 0", "/a:/b:rw"}}},
      {"networks",
       {{"default", nothing}, {"other", nothing}},
       {{"(connected after) demo_other Aliases 0", "web"},
        {"(connected after) demo_other Aliases 1", "demo-web-1"},
        {"(connected after)", "(gone)"}}},
      {"network_mode",
       "host",
       {{"HostConfig NetworkMode", "host"},
        {"NetworkingConfig EndpointsConfig demo_default Aliases 0", "(gone)"},
        {"NetworkingConfig EndpointsConfig demo_default Aliases 1", "(gone)"}}},
      {"network_mode",
       "service:db",
       {{"HostConfig NetworkMode", "container:id-of-db"},
        {"NetworkingConfig EndpointsConfig demo_default Aliases 0", "(gone)"},
        {"NetworkingConfig EndpointsConfig demo_default Aliases 1", "(gone)"}}},
      {"healthcheck",
       {{"test", {"CMD", "x"}}, {"interval", 1500}},
       {{"Healthcheck Test 0", "CMD"}, {"Healthcheck Test 1", "x"}, {"Healthcheck Interval", 1500000000}}},
      {"user", "1000:1000", {{"User", "1000:1000"}}},
      {"working_dir", "/app", {{"WorkingDir", "/app"}}},
      {"hostname", "host", {{"Hostname", "host"}}},
      {"domainname", "example.test", {{"Domainname", "example.test"}}},
      {"container_name",
       "mine",
       {{"(name)", "mine"}, {"NetworkingConfig EndpointsConfig demo_default Aliases 1", "mine"}}},
      {"stop_signal", "SIGINT", {{"StopSignal", "SIGINT"}}},
      {"restart", "no", {{"HostConfig RestartPolicy Name", "no"}}},
      {"restart",
       "on-failure:3",
       {{"HostConfig RestartPolicy Name", "on-failure"}, {"HostConfig RestartPolicy MaximumRetryCount", 3}}},
      {"runtime", "runsc", {{"HostConfig Runtime", "runsc"}}},
      {"cgroup_parent", "m.slice", {{"HostConfig CgroupParent", "m.slice"}}},
      {"cgroup", "host", {{"HostConfig CgroupnsMode", "host"}}},
      {"ipc", "shareable", {{"HostConfig IpcMode", "shareable"}}},
      {"ipc", "service:db", {{"HostConfig IpcMode", "container:id-of-db"}}},
      {"pid", "host", {{"HostConfig PidMode", "host"}}},
      {"pid", "service:db", {{"HostConfig PidMode", "container:id-of-db"}}},
      {"uts", "host", {{"HostConfig UTSMode", "host"}}},
      {"userns_mode", "host", {{"HostConfig UsernsMode", "host"}}},
      {"isolation", "default", {{"HostConfig Isolation", "default"}}},
      {"mac_address", "02:42:ac:11:65:43", {{"MacAddress", "02:42:ac:11:65:43"}}},
      {"stop_grace_period", 61500, {{"StopTimeout", 61}}},
      {"stop_grace_period", 500, {{"StopTimeout", 0}}},  // C7.1: whole seconds
      {"labels", {{"own", "x"}}, {{"Labels own", "x"}}},
      {"annotations", {{"a", "b"}}, {{"HostConfig Annotations a", "b"}}},
      {"sysctls", {{"net.core.somaxconn", "1024"}}, {{"HostConfig Sysctls net.core.somaxconn", "1024"}}},
      {"storage_opt", {{"size", "1G"}}, {{"HostConfig StorageOpt size", "1G"}}},
      {"expose", {"80", "53/udp"}, {{"ExposedPorts 80/tcp", nothing}, {"ExposedPorts 53/udp", nothing}}},
      {"cap_add", {"NET_ADMIN"}, {{"HostConfig CapAdd 0", "NET_ADMIN"}}},
      {"cap_drop", {"ALL"}, {{"HostConfig CapDrop 0", "ALL"}}},
      {"extra_hosts", {"a:10.0.0.1"}, {{"HostConfig ExtraHosts 0", "a:10.0.0.1"}}},
      {"tmpfs",
       {"/run", "/tmp:size=64m,mode=1777"},
       {{"HostConfig Tmpfs /run", ""}, {"HostConfig Tmpfs /tmp", "size=64m,mode=1777"}}},
      {"dns", {"9.9.9.9"}, {{"HostConfig Dns 0", "9.9.9.9"}}},
      {"dns_search", {"example.test"}, {{"HostConfig DnsSearch 0", "example.test"}}},
      {"dns_opt", {"ndots:2"}, {{"HostConfig DnsOptions 0", "ndots:2"}}},
      {"security_opt", {"no-new-privileges"}, {{"HostConfig SecurityOpt 0", "no-new-privileges"}}},
      {"group_add", {"video"}, {{"HostConfig GroupAdd 0", "video"}}},
      {"volumes_from",
       {"db:ro", "container:others", "container:third:ro"},
       {{"HostConfig VolumesFrom 0", "id-of-db:ro"},
        {"HostConfig VolumesFrom 1", "others"},
        {"HostConfig VolumesFrom 2", "third:ro"}}},
      {"links",
       {"db:database"},
       {{"NetworkingConfig EndpointsConfig demo_default Links 0", "demo-db-1:database"},
        {"NetworkingConfig EndpointsConfig demo_default Links 1", "demo-db-1:db"},
        {"NetworkingConfig EndpointsConfig demo_default Links 2", "demo-db-1:demo-db-1"}}},
      {"external_links",
       {"others", "third:alias"},
       {{"NetworkingConfig EndpointsConfig demo_default Links 0", "others:others"},
        {"NetworkingConfig EndpointsConfig demo_default Links 1", "third:alias"}}},
      {"device_cgroup_rules", {"c 1:3 mr"}, {{"HostConfig DeviceCgroupRules 0", "c 1:3 mr"}}},
      {"devices",
       json::array({{{"host", "/dev/a"}, {"container", "/dev/b"}, {"permissions", "r"}}}),
       {{"HostConfig Devices 0 PathOnHost", "/dev/a"},
        {"HostConfig Devices 0 PathInContainer", "/dev/b"},
        {"HostConfig Devices 0 CgroupPermissions", "r"}}},
      {"device_requests",
       json::array({{{"driver", "cdi"}, {"ids", {"v.com/c=n"}}},
                    {{"count", -1}, {"capabilities", {"gpu"}}, {"options", {{"a", "b"}}}}}),
       {{"HostConfig DeviceRequests 0 Driver", "cdi"},
        {"HostConfig DeviceRequests 0 Count", 0},
        {"HostConfig DeviceRequests 0 DeviceIDs 0", "v.com/c=n"},
        {"HostConfig DeviceRequests 1 Driver", ""},
        {"HostConfig DeviceRequests 1 Count", -1},
        {"HostConfig DeviceRequests 1 Capabilities 0 0", "gpu"},
        {"HostConfig DeviceRequests 1 Options a", "b"}}},
      {"blkio",
       {{"weight", 300},
        {"weight_device", json::array({{{"path", "/dev/a"}, {"rate", 100}}})},
        {"read_bps", json::array({{{"path", "/dev/b"}, {"rate", 1024}}})},
        {"read_iops", json::array({{{"path", "/dev/c"}, {"rate", 2}}})},
        {"write_bps", json::array({{{"path", "/dev/d"}, {"rate", 3}}})},
        {"write_iops", json::array({{{"path", "/dev/e"}, {"rate", 4}}})}},
       {{"HostConfig BlkioWeight", 300},
        {"HostConfig BlkioWeightDevice 0 Path", "/dev/a"},
        {"HostConfig BlkioWeightDevice 0 Weight", 100},
        {"HostConfig BlkioDeviceReadBps 0 Path", "/dev/b"},
        {"HostConfig BlkioDeviceReadBps 0 Rate", 1024},
        {"HostConfig BlkioDeviceReadIOps 0 Path", "/dev/c"},
        {"HostConfig BlkioDeviceReadIOps 0 Rate", 2},
        {"HostConfig BlkioDeviceWriteBps 0 Path", "/dev/d"},
        {"HostConfig BlkioDeviceWriteBps 0 Rate", 3},
        {"HostConfig BlkioDeviceWriteIOps 0 Path", "/dev/e"},
        {"HostConfig BlkioDeviceWriteIOps 0 Rate", 4}}},
      {"ulimits",
       json::array({{{"name", "nofile"}, {"soft", 10}, {"hard", 20}}}),
       {{"HostConfig Ulimits 0 Name", "nofile"},
        {"HostConfig Ulimits 0 Soft", 10},
        {"HostConfig Ulimits 0 Hard", 20}}},
      // One that is not a file is put into the container when that is there (steps/common/secret_files.hpp).
      {"secrets",
       json::array({{{"source", "by_file"}, {"target", "/run/secrets/by_file"}},
                    {{"source", "by_text"}, {"target", "/run/secrets/by_text"}}}),
       {{"HostConfig Binds 0", "/home/me/demo/password:/run/secrets/by_file:ro"}}},
      {"configs",
       json::array({{{"source", "conf"}, {"target", "/etc/conf"}}}),
       {{"HostConfig Binds 0", "/home/me/demo/conf:/etc/conf:ro"}}},
      {"logging",
       {{"driver", "json-file"}, {"options", {{"max-size", "1m"}}}},
       {{"HostConfig LogConfig Type", "json-file"}, {"HostConfig LogConfig Config max-size", "1m"}}},
      {"logging",
       {{"driver", "none"}},
       {{"HostConfig LogConfig Type", "none"}, {"HostConfig LogConfig Config", nothing}}},
      {"init", true, {{"HostConfig Init", true}}},
      {"init", false, {{"HostConfig Init", false}}},
      {"privileged", true, {{"HostConfig Privileged", true}}},
      {"read_only", true, {{"HostConfig ReadonlyRootfs", true}}},
      {"tty", true, {{"Tty", true}}},
      {"stdin_open", true, {{"OpenStdin", true}}},
      {"oom_kill_disable", true, {{"HostConfig OomKillDisable", true}}},
      {"oom_score_adj", -500, {{"HostConfig OomScoreAdj", -500}}},
      {"shm_size", 1048576, {{"HostConfig ShmSize", 1048576}}},
      {"mem_limit", 67108864, {{"HostConfig Memory", 67108864}}},
      {"mem_reservation", 1048576, {{"HostConfig MemoryReservation", 1048576}}},
      {"memswap_limit", -1, {{"HostConfig MemorySwap", -1}}},
      {"pids_limit", -1, {{"HostConfig PidsLimit", -1}}},
      {"mem_swappiness", 0, {{"HostConfig MemorySwappiness", 0}}},
      {"cpus", 2.01, {{"HostConfig NanoCpus", 2010000000}}},
      {"cpu_shares", 512, {{"HostConfig CpuShares", 512}}},
      {"cpu_period", 100000, {{"HostConfig CpuPeriod", 100000}}},
      {"cpu_quota", 50000, {{"HostConfig CpuQuota", 50000}}},
      {"cpu_count", 2, {{"HostConfig CpuCount", 2}}},
      {"cpu_percent", 49.6, {{"HostConfig CpuPercent", 50}}},
      {"cpu_rt_period", 1000, {{"HostConfig CpuRealtimePeriod", 1000}}},
      {"cpu_rt_runtime", 900, {{"HostConfig CpuRealtimeRuntime", 900}}},
      {"cpuset", "0-1", {{"HostConfig CpusetCpus", "0-1"}}},
      {"scale", 3, nothing},               // one request a replica
      {"deploy", true, nothing},           // where scale and limits were written
      {"mount_workspace", true, nothing},  // the loader has made a mount of it
  };
}

}  // namespace stackd::test
