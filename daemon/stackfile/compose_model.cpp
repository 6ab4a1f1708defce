#include "daemon/stackfile/compose_model.hpp"

#include <set>

#include "daemon/compose/canonical.hpp"
#include "daemon/stackfile/model_json.hpp"

namespace stackd::stackfile {

namespace {

using nlohmann::json;

// Sizes are strings there.
void put_size(json& out, const char* key, std::int64_t bytes) {
  if (bytes != 0) out[key] = std::to_string(bytes);
}

// Go's form of a duration: "1m30s", "1h0m0s", "500ms".
std::string go_duration(Milliseconds value) {
  const auto ms = value.count();
  if (ms == 0) return "0s";
  if (ms < 1000) return std::to_string(ms) + "ms";
  std::string text;
  const auto hours = ms / 3'600'000;
  const auto minutes = ms / 60'000 % 60;
  if (hours > 0) text += std::to_string(hours) + "h";
  if (hours > 0 || minutes > 0) text += std::to_string(minutes) + "m";
  text += std::to_string(ms / 1000 % 60);
  if (const auto rest = ms % 1000; rest != 0) {
    std::string digits = std::to_string(1000 + rest).substr(1);
    while (digits.ends_with('0')) digits.pop_back();
    text += "." + digits;
  }
  return text + "s";
}

void put_go_duration(json& out, const char* key, const std::optional<Milliseconds>& value) {
  if (value) out[key] = go_duration(*value);
}

json words(const std::optional<std::vector<std::string>>& value) {
  return value ? json(*value) : json();
}

// "host:address", as the engine has it, back as "host=address".
std::vector<std::string> hosts(const std::vector<std::string>& list) {
  std::vector<std::string> out;
  for (std::string text : list) {
    if (const std::size_t colon = text.find(':'); colon != std::string::npos) text[colon] = '=';
    out.push_back(std::move(text));
  }
  return out;
}

json build(const Build& build) {
  json out{{"context", build.context}};
  if (build.dockerfile_inline.empty())
    out["dockerfile"] = build.dockerfile.empty() ? "Dockerfile" : build.dockerfile;
  put(out, "dockerfile_inline", build.dockerfile_inline);
  if (!build.args.empty()) out["args"] = variables(build.args);
  put(out, "target", build.target);
  put(out, "labels", build.labels);
  put(out, "cache_from", build.cache_from);
  put(out, "extra_hosts", hosts(build.extra_hosts));
  put(out, "tags", build.tags);
  put(out, "platforms", build.platforms);
  put(out, "network", build.network);
  put(out, "shm_size", build.shm_size);
  put(out, "no_cache", build.no_cache);
  put(out, "pull", build.pull);
  put(out, "privileged", build.privileged);
  put(out, "cache_to", build.cache_to);
  put(out, "entitlements", build.entitlements);
  put(out, "provenance", build.provenance);
  put(out, "sbom", build.sbom);
  put(out, "additional_contexts", build.additional_contexts);
  for (const Ulimit& limit : build.ulimits)
    out["ulimits"][limit.name] = {{"soft", limit.soft}, {"hard", limit.hard}};
  for (const auto& secret : build.secrets)
    out["secrets"].push_back({{"source", secret.source}, {"target", secret.id}});
  for (const auto& [id, socket] : build.ssh) out["ssh"].push_back(socket.empty() ? id : id + "=" + socket);
  return out;
}

std::string condition(Condition condition) {
  switch (condition) {
    case Condition::started:
      return "service_started";
    case Condition::completed_successfully:
      return "service_completed_successfully";
    case Condition::healthy:
    case Condition::ready:
      return "service_healthy";
  }
  return "";
}

json depends_on(const std::map<std::string, Dependency>& dependencies) {
  json out = json::object();
  for (const auto& [name, dependency] : dependencies) {
    json& one =
        out[name] = {{"condition", condition(dependency.condition)}, {"required", dependency.required}};
    put(one, "restart", dependency.restart);
  }
  return out;
}

json healthcheck(const Healthcheck& check) {
  if (check.disabled()) return {{"disable", true}};
  json out = json::object();
  put(out, "test", check.test);
  put_go_duration(out, "interval", check.interval);
  put_go_duration(out, "timeout", check.timeout);
  put_go_duration(out, "start_period", check.start_period);
  put_go_duration(out, "start_interval", check.start_interval);
  put(out, "retries", check.retries);
  return out;
}

json network(const Attachment& attachment) {
  json out = json::object();
  put(out, "aliases", attachment.aliases);
  put(out, "ipv4_address", attachment.ipv4_address);
  put(out, "ipv6_address", attachment.ipv6_address);
  put(out, "mac_address", attachment.mac_address);
  put(out, "link_local_ips", attachment.link_local_ips);
  put(out, "driver_opts", attachment.driver_opts);
  put(out, "priority", attachment.priority);
  return out.empty() ? json() : out;
}

json port(const Port& port, std::size_t index) {
  json out{{"mode", port.mode}, {"protocol", port.protocol}, {"target", port.target}};
  if (port.key != std::to_string(index)) out["name"] = port.key;
  if (port.published != 0) {
    out["published"] =
        std::to_string(port.published) + (port.published_end ? "-" + std::to_string(port.published_end) : "");
  }
  put(out, "host_ip", port.host_ip);
  put(out, "app_protocol", port.app_protocol);
  return out;
}

json mount(const Mount& mount) {
  json out{{"type", mount.type}, {"target", mount.target}};
  put(out, "source", mount.source);
  put(out, "read_only", mount.read_only);
  json options = json::object();
  if (mount.type == "bind") {
    if (mount.create_host_path) options["create_host_path"] = true;
    put(options, "propagation", mount.propagation);
    put(options, "selinux", mount.selinux);
    if (!options.empty()) out["bind"] = std::move(options);
  } else if (mount.type == "volume") {
    put(options, "nocopy", mount.nocopy);
    put(options, "subpath", mount.subpath);
    out["volume"] = std::move(options);
  } else {
    put_size(options, "size", mount.tmpfs_size);
    put(options, "mode", mount.tmpfs_mode);
    if (!options.empty()) out["tmpfs"] = std::move(options);
  }
  return out;
}

json grants(const std::vector<FileGrant>& list) {
  json out = json::array();
  for (const FileGrant& grant : list) {
    json one{{"source", grant.source}, {"target", grant.target}};
    put(one, "uid", grant.uid);
    put(one, "gid", grant.gid);
    put(one, "mode", grant.mode);
    out.push_back(std::move(one));
  }
  return out;
}

// C1.5: a pre_start without an image has the service's, when that has one.
json hooks(const std::vector<const Hook*>& list, const std::string& service_image) {
  json out = json::array();
  for (const Hook* hook : list) {
    json one = json::object();
    put(one, "command", hook->argv);
    put(one, "user", hook->user);
    put(one, "privileged", hook->privileged);
    put(one, "working_dir", hook->cwd);
    put(one, "image", hook->phase == Phase::pre_start && hook->image.empty() ? service_image : hook->image);
    put(one, "per_replica", hook->per_replica);
    if (!hook->env.empty()) one["environment"] = variables(hook->env);
    out.push_back(std::move(one));
  }
  return out;
}

void put_limits(json& out, const Container& container) {
  if (container.deploy) {
    json limits = json::object(), reserved = json::object(), resources = json::object();
    put(limits, "cpus", container.cpus);
    put_size(limits, "memory", container.mem_limit);
    put(limits, "pids", container.pids_limit);
    put_size(reserved, "memory", container.mem_reservation);
    if (!limits.empty()) resources["limits"] = std::move(limits);
    if (!reserved.empty()) resources["reservations"] = std::move(reserved);
    json& deploy = out["deploy"] = {{"placement", json::object()}, {"resources", std::move(resources)}};
    if (container.scale != 1) deploy["replicas"] = container.scale;
  } else {
    put(out, "cpus", container.cpus);
    put_size(out, "mem_limit", container.mem_limit);
    put(out, "pids_limit", container.pids_limit);
    put_size(out, "mem_reservation", container.mem_reservation);
    if (container.scale != 1) out["scale"] = container.scale;
  }
  put_size(out, "memswap_limit", container.memswap_limit);
  put_size(out, "shm_size", container.shm_size);
  put(out, "mem_swappiness", container.mem_swappiness);
  put(out, "oom_kill_disable", container.oom_kill_disable);
  put(out, "oom_score_adj", container.oom_score_adj);
  put(out, "cpu_shares", container.cpu_shares);
  put(out, "cpu_period", container.cpu_period);
  put(out, "cpu_quota", container.cpu_quota);
  put(out, "cpuset", container.cpuset);
  for (const Ulimit& limit : container.ulimits) {
    out["ulimits"][limit.name] =
        limit.soft == limit.hard ? json(limit.soft) : json{{"soft", limit.soft}, {"hard", limit.hard}};
  }
}

void put_words(json& out, const Container& container) {
  put(out, "image", container.image);
  put(out, "pull_policy", container.pull_policy);
  put(out, "platform", container.platform);
  put(out, "network_mode", container.network_mode);
  put(out, "user", container.user);
  put(out, "working_dir", container.working_dir);
  put(out, "hostname", container.hostname);
  put(out, "domainname", container.domainname);
  put(out, "container_name", container.container_name);
  put(out, "stop_signal", container.stop_signal);
  put_go_duration(out, "stop_grace_period", container.stop_grace_period);
  put(out, "restart", container.restart);
  put(out, "runtime", container.runtime);
  put(out, "cgroup_parent", container.cgroup_parent);
  put(out, "cgroup", container.cgroup);
  put(out, "ipc", container.ipc);
  put(out, "pid", container.pid);
  put(out, "uts", container.uts);
  put(out, "userns_mode", container.userns_mode);
  put(out, "isolation", container.isolation);
  put(out, "mac_address", container.mac_address);
  put(out, "init", container.init);
  put(out, "privileged", container.privileged);
  put(out, "read_only", container.read_only);
  put(out, "tty", container.tty);
  put(out, "stdin_open", container.stdin_open);
}

void put_lists(json& out, const Container& container) {
  put(out, "labels", container.labels);
  put(out, "annotations", container.annotations);
  put(out, "sysctls", container.sysctls);
  put(out, "storage_opt", container.storage_opt);
  put(out, "expose", container.expose);
  put(out, "cap_add", container.cap_add);
  put(out, "cap_drop", container.cap_drop);
  put(out, "extra_hosts", hosts(container.extra_hosts));
  put(out, "tmpfs", container.tmpfs);
  put(out, "dns", container.dns);
  put(out, "dns_search", container.dns_search);
  put(out, "dns_opt", container.dns_opt);
  put(out, "security_opt", container.security_opt);
  put(out, "group_add", container.group_add);
  put(out, "volumes_from", container.volumes_from);
  put(out, "links", container.links);
  put(out, "external_links", container.external_links);
  put(out, "device_cgroup_rules", container.device_cgroup_rules);
  for (const DeviceMapping& device : container.devices) {
    out["devices"].push_back(
        {{"source", device.host}, {"target", device.container}, {"permissions", device.permissions}});
  }
  for (const Mount& one : container.mounts) out["volumes"].push_back(mount(one));
  for (const auto& [key, attachment] : container.networks) out["networks"][key] = network(attachment);
  if (!container.secrets.empty()) out["secrets"] = grants(container.secrets);
  if (!container.configs.empty()) out["configs"] = grants(container.configs);
  if (container.logging) {
    json& logging = out["logging"] = json::object();
    put(logging, "driver", container.logging->driver);
    put(logging, "options", container.logging->options);
  }
}

json service(const Service& service) {
  const Container& container = *service.container;
  json out{{"command", words(container.command)}, {"entrypoint", words(container.entrypoint)}};
  put_words(out, container);
  put_lists(out, container);
  put_limits(out, container);
  if (container.build) out["build"] = build(*container.build);
  if (!service.depends_on.empty()) out["depends_on"] = depends_on(service.depends_on);
  if (container.healthcheck) out["healthcheck"] = healthcheck(*container.healthcheck);
  Environment variables = service.environment.file_env;
  for (const auto& [key, value] : service.environment.env) variables.insert_or_assign(key, value);
  if (!variables.empty()) out["environment"] = stackfile::variables(variables);
  for (std::size_t i = 0; i < service.ports.size(); ++i) out["ports"].push_back(port(service.ports[i], i));
  put(out, "profiles", service.profiles);
  for (const Phase phase : phases_of(Scope::service, Vocabulary::compose)) {
    const auto list = service.hooks_of(phase);
    if (!list.empty()) out[to_string(phase)] = hooks(list, container.image);
  }
  return out;
}

json network(const Network& network) {
  json ipam = json::object();
  put(ipam, "driver", network.ipam_driver);
  for (const Network::Pool& pool : network.ipam) {
    json one = json::object();
    put(one, "subnet", pool.subnet);
    put(one, "gateway", pool.gateway);
    put(one, "ip_range", pool.ip_range);
    put(one, "aux_addresses", pool.aux_addresses);
    ipam["config"].push_back(std::move(one));
  }
  json out{{"name", network.name}, {"ipam", std::move(ipam)}};
  put(out, "external", network.external);
  put(out, "driver", network.driver);
  put(out, "driver_opts", network.driver_opts);
  put(out, "labels", network.labels);
  put(out, "internal", network.internal);
  put(out, "attachable", network.attachable);
  put(out, "enable_ipv6", network.enable_ipv6);
  return out;
}

json volume(const Volume& volume) {
  json out{{"name", volume.name}};
  put(out, "external", volume.external);
  put(out, "driver", volume.driver);
  put(out, "driver_opts", volume.driver_opts);
  put(out, "labels", volume.labels);
  return out;
}

json file_source(const FileSource& source) {
  json out{{"name", source.name}};
  put(out, "external", source.external);
  put(out, "file", source.file);
  put(out, "environment", source.environment);
  if (source.environment.empty()) put(out, "content", source.content);
  return out;
}

}  // namespace

json compose_model_with_models(const Spec& spec) {
  std::set<std::string> names;
  for (const Service& one : spec.services) names.insert(one.name);
  return compose::narrowed_model(json::parse(spec.canonical), names);
}

json compose_model(const Spec& spec) {
  if (!spec.canonical.empty()) {
    json out = compose_model_with_models(spec);
    out.erase("models");
    return out;
  }
  json out{{"name", spec.name}, {"services", json::object()}};
  for (const Service& one : spec.services) {
    if (one.container) out["services"][one.name] = service(one);
  }
  for (const auto& [key, one] : spec.networks) out["networks"][key] = network(one);
  for (const auto& [key, one] : spec.volumes) out["volumes"][key] = volume(one);
  for (const auto& [key, one] : spec.secrets) out["secrets"][key] = file_source(one);
  for (const auto& [key, one] : spec.configs) out["configs"][key] = file_source(one);
  return compose::escaped(out);
}

}  // namespace stackd::stackfile
