#include "daemon/translate/container_request.hpp"

#include <algorithm>
#include <cmath>

#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/translate/definitions.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/text.hpp"

namespace stackd::translate {
namespace {

using model::Container;
using nlohmann::json;

std::int64_t nanoseconds(const std::optional<model::Milliseconds>& value) {
  return value ? value->count() * 1'000'000 : 0;
}

void put(json& into, const char* key, const std::string& value) {
  if (!value.empty()) into[key] = value;
}
template <class T>
void put_list(json& into, const char* key, const std::vector<T>& value) {
  if (!value.empty()) into[key] = value;
}
void put_map(json& into, const char* key, const std::map<std::string, std::string>& value) {
  if (!value.empty()) into[key] = value;
}
void put_number(json& into, const char* key, std::int64_t value) {
  if (value) into[key] = value;
}

std::string condition_word(model::Condition condition) {
  switch (condition) {
    case model::Condition::started:
      return "service_started";
    case model::Condition::completed_successfully:
      return "service_completed_successfully";
    default:
      return "service_healthy";
  }
}

json labels_of(const RequestInputs& in) {
  const auto& container = *in.service.container;
  json labels = container.labels;
  if (labels.is_null()) labels = json::object();
  std::vector<std::string> depends_on;
  for (const auto& [name, dependency] : in.service.depends_on)
    depends_on.push_back(name + ":" + condition_word(dependency.condition) + ":" +
                         (dependency.restart ? "true" : "false"));
  labels[label::k_project] = in.spec.name;
  labels[label::k_service] = in.service.name;
  if (!in.one_off) labels[label::k_number] = std::to_string(in.number);
  if (in.one_off) labels[label::k_slug] = in.one_off->slug;
  labels[label::k_hash] = in.config_hash;
  labels[label::k_oneoff] = in.one_off ? "True" : "False";
  labels[label::k_version] = STACKD_VERSION;
  labels[label::k_depends_on] = util::join(depends_on, ",");
  labels[label::k_image] = in.image_id;
  labels[label::k_working_dir] = in.spec.directory;
  labels[label::k_config_files] = util::join(in.spec.files, ",");
  labels[label::k_stack] = in.facts.stack_id;
  labels[label::k_operation] = in.operation;
  return labels;
}

json healthcheck_of(const model::Healthcheck& check) {
  json value{{"Test", check.test}};
  put_number(value, "Interval", nanoseconds(check.interval));
  put_number(value, "Timeout", nanoseconds(check.timeout));
  put_number(value, "StartPeriod", nanoseconds(check.start_period));
  put_number(value, "StartInterval", nanoseconds(check.start_interval));
  if (check.retries) value["Retries"] = *check.retries;
  return value;
}

json restart_policy(const std::string& restart) {
  const auto parts = util::split(restart, ':');
  json policy{{"Name", parts[0]}};
  if (parts.size() > 1) policy["MaximumRetryCount"] = std::atoi(parts[1].c_str());
  return policy;
}

// service:x becomes container:<id>.
std::string namespace_mode(const RequestInputs& in, const std::string& mode) {
  constexpr std::string_view k_prefix = "service:";
  if (!mode.starts_with(k_prefix)) return mode;
  const auto found = in.container_of.find(mode.substr(k_prefix.size()));
  return found == in.container_of.end() ? mode : "container:" + found->second;
}

void add_ports(const RequestInputs& in, json& body, json& host) {
  const auto& container = *in.service.container;
  for (const auto& port : container.expose)
    body["ExposedPorts"][port.find('/') == std::string::npos ? port + "/tcp" : port] = json::object();
  const auto allocated = in.facts.ports.find(in.service.name);
  for (const auto& port : in.service.ports) {
    const auto target = std::to_string(port.target) + "/" + port.protocol;
    body["ExposedPorts"][target] = json::object();
    int host_port = port.published;
    if (allocated != in.facts.ports.end() && !in.one_off) {
      const auto key = in.number == 1 ? port.key : port.key + "@" + std::to_string(in.number);
      if (const auto found = allocated->second.find(key); found != allocated->second.end())
        host_port = found->second;
    }
    host["PortBindings"][target].push_back(
        {{"HostIp", port.host_ip}, {"HostPort", host_port ? std::to_string(host_port) : ""}});
  }
}

// "source:target:options", as the engine has had it from the beginning.
std::string bind_text(const std::string& source, const model::Mount& mount) {
  std::vector<std::string> options{mount.read_only ? "ro" : "rw"};
  if (mount.type == "bind" && !mount.propagation.empty()) options.push_back(mount.propagation);
  if (!mount.selinux.empty()) options.push_back(mount.selinux);
  if (mount.type == "volume" && mount.nocopy) options.push_back("nocopy");
  return source + ":" + mount.target + ":" + util::join(options, ",");
}

// A bind is what makes a missing directory, and what knows a label for SELinux; a mount knows the rest, and
// paths with a colon.
bool is_bind(const model::Mount& mount) {
  if (mount.type == "bind")
    return mount.create_host_path && mount.recursive.empty() && mount.source.find(':') == std::string::npos &&
           mount.target.find(':') == std::string::npos;
  return mount.type == "volume" && !mount.selinux.empty() && !mount.source.empty() && mount.subpath.empty() &&
         mount.labels.empty();
}

std::string source_of(const RequestInputs& in, const model::Mount& mount) {
  if (mount.type != "volume") return mount.source;
  const auto found = in.spec.volumes.find(mount.source);
  return found == in.spec.volumes.end() ? mount.source : found->second.name;
}

void add_mount(const RequestInputs& in, const model::Mount& mount, json& body, json& host) {
  if (is_bind(mount)) {
    host["Binds"].push_back(bind_text(source_of(in, mount), mount));
    return;
  }
  if (mount.type == "volume" && mount.source.empty()) {
    body["Volumes"][mount.target] = json::object();  // the engine refuses to have it read-only
    return;
  }
  json value{{"Type", mount.type}, {"Target", mount.target}, {"ReadOnly", mount.read_only}};
  if (mount.type == "volume") {
    value["Source"] = source_of(in, mount);
    if (mount.nocopy) value["VolumeOptions"]["NoCopy"] = true;
    if (!mount.subpath.empty()) value["VolumeOptions"]["Subpath"] = mount.subpath;
    if (!mount.labels.empty()) value["VolumeOptions"]["Labels"] = mount.labels;
  } else if (mount.type == "bind") {
    value["Source"] = mount.source;
    if (!mount.propagation.empty()) value["BindOptions"]["Propagation"] = mount.propagation;
    if (mount.create_host_path) value["BindOptions"]["CreateMountpoint"] = true;
    if (mount.recursive == "disabled") value["BindOptions"]["NonRecursive"] = true;
    if (mount.recursive == "writable") value["BindOptions"]["ReadOnlyNonRecursive"] = true;
    if (mount.recursive == "readonly") value["BindOptions"]["ReadOnlyForceRecursive"] = true;
  } else if (mount.type != "tmpfs") {
    value["Source"] = mount.source;
    if (mount.type == "image" && !mount.subpath.empty()) value["ImageOptions"]["Subpath"] = mount.subpath;
  } else if (mount.tmpfs_size || mount.tmpfs_mode) {
    put_number(value["TmpfsOptions"], "SizeBytes", mount.tmpfs_size);
    put_number(value["TmpfsOptions"], "Mode", mount.tmpfs_mode);
  }
  host["Mounts"].push_back(std::move(value));
}

// Whether the file has something else for that path by now than a volume without a name.
bool is_mounted(const Container& container, const std::string& target) {
  for (const auto& mount : container.mounts)
    if (mount.target == target && (mount.type != "volume" || !mount.source.empty())) return true;
  for (const auto& entry : container.tmpfs)
    if (entry.substr(0, entry.find(':')) == target) return true;
  for (const auto* grants : {&container.secrets, &container.configs})
    for (const auto& grant : *grants)
      if (grant.target == target) return true;
  return false;
}

void add_mounts(const RequestInputs& in, json& body, json& host) {
  const auto& container = *in.service.container;
  for (const auto& mount : container.mounts) add_mount(in, mount, body, host);
  for (const auto& kept : in.kept_volumes)
    if (!is_mounted(container, kept.substr(kept.find(':') + 1))) host["Binds"].push_back(kept);
  for (const auto& entry : container.tmpfs) {
    const auto colon = entry.find(':');
    host["Tmpfs"][entry.substr(0, colon)] = colon == std::string::npos ? "" : entry.substr(colon + 1);
  }
  const auto bind_files = [&](const std::vector<model::FileGrant>& grants,
                              const std::map<std::string, model::FileSource>& sources) {
    for (const auto& grant : grants) {
      const auto found = sources.find(grant.source);
      if (found == sources.end() || found->second.file.empty()) continue;
      const auto& file = found->second.file;
      if ((file + grant.target).find(':') == std::string::npos)
        host["Binds"].push_back(file + ":" + grant.target + ":ro");
      else
        host["Mounts"].push_back(
            {{"Type", "bind"}, {"Source", file}, {"Target", grant.target}, {"ReadOnly", true}});
    }
  };
  bind_files(container.secrets, in.spec.secrets);
  bind_files(container.configs, in.spec.configs);
  for (const auto& other : container.volumes_from) {
    auto from = util::split(other, ':');
    if (const auto found = in.container_of.find(from[0]); found != in.container_of.end())
      from[0] = found->second;
    else if (from[0] == "container" && from.size() > 1)
      from.erase(from.begin());
    host["VolumesFrom"].push_back(util::join(from, ":"));
  }
}

// "service:alias" as the engine has it: a container's name, and what it is called in this one. Each other
// container is known as web-1 and demo-web-1 as well, as with Compose.
std::vector<std::string> links_of(const RequestInputs& in) {
  std::vector<std::string> links;
  for (const auto& link : in.service.container->links) {
    const auto colon = link.find(':');
    const auto target = link.substr(0, colon);
    const auto* service = in.spec.find(target);
    const auto name = service ? resolve::container_name(in.spec, *service, 1) : target;
    links.push_back(name + ":" + (colon == std::string::npos ? target : link.substr(colon + 1)));
    if (!service) continue;
    for (const auto& alias : {target + "-1", in.spec.name + "-" + target + "-1"})
      if (std::find(links.begin(), links.end(), name + ":" + alias) == links.end())
        links.push_back(name + ":" + alias);
  }
  for (const auto& link : in.service.container->external_links)
    links.push_back(link.find(':') == std::string::npos ? link + ":" + link : link);
  return links;
}

json endpoint_of(const RequestInputs& in, const model::Attachment& attachment, const std::string& name) {
  std::vector<std::string> aliases;
  if (!in.one_off || in.one_off->use_aliases) {
    aliases.push_back(in.service.name);
    for (const auto& alias : attachment.aliases) aliases.push_back(alias);
  }
  if (name != in.service.name) aliases.push_back(name);
  json endpoint{{"Aliases", aliases}};
  if (!attachment.ipv4_address.empty()) endpoint["IPAMConfig"]["IPv4Address"] = attachment.ipv4_address;
  if (!attachment.ipv6_address.empty()) endpoint["IPAMConfig"]["IPv6Address"] = attachment.ipv6_address;
  if (!attachment.link_local_ips.empty()) endpoint["IPAMConfig"]["LinkLocalIPs"] = attachment.link_local_ips;
  put_list(endpoint, "Links", links_of(in));
  put(endpoint, "MacAddress", attachment.mac_address);
  auto options = attachment.driver_opts;
  if (!attachment.interface_name.empty())
    options["com.docker.network.endpoint.ifname"] = attachment.interface_name;
  put_map(endpoint, "DriverOpts", options);
  put_number(endpoint, "GwPriority", attachment.gw_priority);
  return endpoint;
}

void add_networks(const RequestInputs& in, ContainerRequest& request, json& host) {
  const auto& container = *in.service.container;
  if (!container.network_mode.empty()) {
    host["NetworkMode"] = namespace_mode(in, container.network_mode);
    return;
  }
  std::vector<std::pair<std::string, model::Attachment>> networks(container.networks.begin(),
                                                                  container.networks.end());
  std::stable_sort(networks.begin(), networks.end(),
                   [](const auto& a, const auto& b) { return a.second.priority > b.second.priority; });
  for (const auto& [key, attachment] : networks) {
    const auto found = in.spec.networks.find(key);
    const auto network = found == in.spec.networks.end() ? key : found->second.name;
    auto endpoint = endpoint_of(in, attachment, request.name);
    if (!host.contains("NetworkMode")) {
      host["NetworkMode"] = network;
      request.body["NetworkingConfig"]["EndpointsConfig"][network] = std::move(endpoint);
    } else {
      request.more_networks[network] = std::move(endpoint);
    }
  }
}

void add_blkio(const model::Blkio& blkio, json& host) {
  const auto rates = [&](const char* key, const std::vector<model::DeviceRate>& list, const char* rate) {
    for (const auto& one : list) host[key].push_back({{"Path", one.path}, {rate, one.rate}});
  };
  put_number(host, "BlkioWeight", blkio.weight);
  rates("BlkioWeightDevice", blkio.weight_device, "Weight");
  rates("BlkioDeviceReadBps", blkio.read_bps, "Rate");
  rates("BlkioDeviceReadIOps", blkio.read_iops, "Rate");
  rates("BlkioDeviceWriteBps", blkio.write_bps, "Rate");
  rates("BlkioDeviceWriteIOps", blkio.write_iops, "Rate");
}

json device_request(const model::DeviceRequest& request) {
  json out{{"Driver", request.driver}, {"Count", request.count}};
  put_list(out, "DeviceIDs", request.ids);
  if (!request.capabilities.empty()) out["Capabilities"] = json::array({request.capabilities});
  put_map(out, "Options", request.options);
  return out;
}

void add_limits(const Container& c, json& host) {
  put_number(host, "Memory", c.mem_limit);
  put_number(host, "MemoryReservation", c.mem_reservation);
  put_number(host, "MemorySwap", c.memswap_limit);
  if (c.mem_swappiness) host["MemorySwappiness"] = *c.mem_swappiness;
  put_number(host, "NanoCpus", std::llround(c.cpus * 1e9));
  put_number(host, "CpuShares", c.cpu_shares);
  put_number(host, "CpuPeriod", c.cpu_period);
  put_number(host, "CpuQuota", c.cpu_quota);
  put(host, "CpusetCpus", c.cpuset);
  put_number(host, "PidsLimit", c.pids_limit);
  put_number(host, "ShmSize", c.shm_size);
  put_number(host, "OomScoreAdj", c.oom_score_adj);
  put_number(host, "CpuCount", c.cpu_count);
  put_number(host, "CpuPercent", std::llround(c.cpu_percent));
  put_number(host, "CpuRealtimePeriod", c.cpu_rt_period);
  put_number(host, "CpuRealtimeRuntime", c.cpu_rt_runtime);
  if (c.blkio) add_blkio(*c.blkio, host);
  if (c.oom_kill_disable) host["OomKillDisable"] = *c.oom_kill_disable;
  for (const auto& limit : c.ulimits)
    host["Ulimits"].push_back({{"Name", limit.name}, {"Soft", limit.soft}, {"Hard", limit.hard}});
}

void add_security(const RequestInputs& in, const Container& c, json& host) {
  if (c.privileged) host["Privileged"] = true;
  if (c.read_only) host["ReadonlyRootfs"] = true;
  put_list(host, "CapAdd", c.cap_add);
  put_list(host, "CapDrop", c.cap_drop);
  put_list(host, "SecurityOpt", c.security_opt);
  put_list(host, "GroupAdd", c.group_add);
  put_list(host, "DeviceCgroupRules", c.device_cgroup_rules);
  put(host, "IpcMode", namespace_mode(in, c.ipc));
  put(host, "PidMode", namespace_mode(in, c.pid));
  put(host, "UTSMode", c.uts);
  put(host, "UsernsMode", c.userns_mode);
  put(host, "CgroupParent", c.cgroup_parent);
  put(host, "CgroupnsMode", c.cgroup);
  put(host, "Isolation", c.isolation);
  for (const auto& device : c.devices)
    host["Devices"].push_back({{"PathOnHost", device.host},
                               {"PathInContainer", device.container},
                               {"CgroupPermissions", device.permissions}});
  for (const auto& request : c.device_requests) host["DeviceRequests"].push_back(device_request(request));
}

json host_config(const RequestInputs& in) {
  const auto& c = *in.service.container;
  json host = json::object();
  if (!c.restart.empty()) host["RestartPolicy"] = restart_policy(c.restart);
  if (c.init) host["Init"] = *c.init;
  put(host, "Runtime", c.runtime);
  put_list(host, "Dns", c.dns);
  put_list(host, "DnsSearch", c.dns_search);
  put_list(host, "DnsOptions", c.dns_opt);
  put_list(host, "ExtraHosts", c.extra_hosts);
  put_map(host, "Sysctls", c.sysctls);
  put_map(host, "StorageOpt", c.storage_opt);
  put_map(host, "Annotations", c.annotations);
  if (c.logging) {
    host["LogConfig"] = {{"Type", c.logging->driver}, {"Config", c.logging->options}};
    if (c.logging->options.empty()) host["LogConfig"]["Config"] = json::object();
  }
  add_limits(c, host);
  add_security(in, c, host);
  return host;
}

}  // namespace

ContainerRequest container_request(const RequestInputs& in) {
  const auto& c = *in.service.container;
  ContainerRequest request;
  request.name = in.one_off ? in.one_off->name : resolve::container_name(in.spec, in.service, in.number);
  request.platform = c.platform;
  auto& body = request.body;
  body = {{"Image", in.image}, {"Labels", labels_of(in)}};
  if (c.command) body["Cmd"] = *c.command;
  if (c.entrypoint) body["Entrypoint"] = *c.entrypoint;
  put(body, "User", c.user);
  put(body, "WorkingDir", c.working_dir);
  put(body, "Hostname", c.hostname);
  put(body, "Domainname", c.domainname);
  put(body, "MacAddress", c.mac_address);
  put(body, "StopSignal", c.stop_signal);
  if (c.stop_grace_period) body["StopTimeout"] = c.stop_grace_period->count() / 1000;  // C7.1: whole seconds
  if (c.tty) body["Tty"] = true;
  if (c.stdin_open) body["OpenStdin"] = true;
  if (in.one_off) body.update({{"AttachStdout", true}, {"AttachStderr", true}});
  // Its input ends with that of whoever is attached.
  if (in.one_off && in.one_off->input)
    body.update({{"OpenStdin", true}, {"StdinOnce", true}, {"AttachStdin", true}});
  if (c.healthcheck) body["Healthcheck"] = healthcheck_of(*c.healthcheck);
  auto environment = json::array();
  const auto variables = resolve::container_environment(in.spec, in.facts, in.service);
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  // A name alone takes the image's variable away, as with Compose.
  for (const auto& [name, value] : in.service.environment.env)
    if (!value && !variables.contains(name)) environment.push_back(name);
  auto host = host_config(in);
  if (in.one_off && in.one_off->remove) host["AutoRemove"] = true;
  add_ports(in, body, host);
  add_mounts(in, body, host);
  add_networks(in, request, host);
  body["HostConfig"] = std::move(host);
  resolve_all(body, resolve::Strictness::text, in.spec, in.facts);
  body["Env"] = std::move(environment);  // resolved by its own, stricter rules
  return request;
}

json network_request(const model::Spec& spec, const std::string& key, const std::string& stack,
                     const std::string& operation) {
  const auto& network = spec.networks.at(key);
  json body{{"Name", network.name}, {"CheckDuplicate", true}, {"Labels", network.labels}};
  if (network.labels.empty()) body["Labels"] = json::object();
  body["Labels"].update({{label::k_project, spec.name},
                         {label::k_network, key},
                         {label::k_definition, definition_of(network)},
                         {label::k_version, STACKD_VERSION},
                         {label::k_stack, stack},
                         {label::k_operation, operation}});
  body["Driver"] = network.driver.empty() ? "bridge" : network.driver;
  put_map(body, "Options", network.driver_opts);
  if (network.internal) body["Internal"] = true;
  if (network.attachable) body["Attachable"] = true;
  if (network.enable_ipv4) body["EnableIPv4"] = *network.enable_ipv4;
  if (network.enable_ipv6) body["EnableIPv6"] = *network.enable_ipv6;
  if (!network.ipam_driver.empty() || !network.ipam.empty()) {
    body["IPAM"]["Driver"] = network.ipam_driver.empty() ? "default" : network.ipam_driver;
    for (const auto& pool : network.ipam) {
      json config{{"Subnet", pool.subnet}};
      put(config, "Gateway", pool.gateway);
      put(config, "IPRange", pool.ip_range);
      put_map(config, "AuxiliaryAddresses", pool.aux_addresses);
      body["IPAM"]["Config"].push_back(std::move(config));
    }
  }
  return body;
}

json volume_request(const model::Spec& spec, const std::string& key, const std::string& stack,
                    const std::string& operation) {
  const auto& volume = spec.volumes.at(key);
  json body{{"Name", volume.name}, {"Labels", volume.labels}};
  if (volume.labels.empty()) body["Labels"] = json::object();
  body["Labels"].update({{label::k_project, spec.name},
                         {label::k_volume, key},
                         {label::k_definition, definition_of(volume)},
                         {label::k_version, STACKD_VERSION},
                         {label::k_stack, stack},
                         {label::k_operation, operation}});
  put(body, "Driver", volume.driver);
  put_map(body, "DriverOpts", volume.driver_opts);
  return body;
}

void resolve_all(json& value, resolve::Strictness strictness, const model::Spec& spec,
                 const model::Facts& facts) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text.find("${") != std::string::npos) value = resolve::resolved(text, strictness, spec, facts);
  } else if (value.is_structured()) {
    for (auto& item : value) resolve_all(item, strictness, spec, facts);
  }
}

}  // namespace stackd::translate
