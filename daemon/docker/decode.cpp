#include "daemon/docker/decode.hpp"

#include <charconv>

namespace stackd::docker {
namespace {

std::string without_slash(std::string name) {
  if (!name.empty() && name.front() == '/') name.erase(0, 1);
  return name;
}

int to_int(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// Podman names the state inside the status of its health, and has "healthcheck" beside "health".
void decode_health(const json& state, ContainerDetails& details) {
  const auto& health = field(state, state.contains("Health") ? "Health" : "Healthcheck");
  details.health = text(health, "Status");
  if (details.health == "none") details.health.clear();
  const auto& log = field(health, "Log");
  if (log.is_array() && !log.empty()) details.health_output = text(log.back(), "Output");
}

void decode_ports(const json& ports, ContainerDetails& details) {
  if (!ports.is_object()) return;
  for (const auto& [port, bindings] : ports.items()) {
    auto& host_ports = details.host_ports[port];
    if (!bindings.is_array()) continue;
    // One binding for IPv4 and one for IPv6 mostly have the same port.
    for (const auto& binding : bindings) {
      const int host_port = to_int(text(binding, "HostPort"));
      if (host_port != 0 && std::find(host_ports.begin(), host_ports.end(), host_port) == host_ports.end())
        host_ports.push_back(host_port);
    }
  }
}

// Page cache that can go at once is not what a user means by a container's memory: the engine's own client
// leaves it out too. The names are those of cgroup v1 and v2.
std::int64_t used_memory(const json& memory) {
  const auto usage = number(memory, "usage");
  const auto& stats = field(memory, "stats");
  for (const auto* name : {"total_inactive_file", "inactive_file"}) {
    const auto cache = number(stats, name);
    if (cache > 0 && cache < usage) return usage - cache;
  }
  return usage;
}

}  // namespace

ContainerSummary decode_container_summary(const json& container) {
  ContainerSummary summary;
  summary.id = text(container, "Id");
  const auto& names = field(container, "Names");
  if (names.is_array() && !names.empty() && names.front().is_string())
    summary.name = without_slash(names.front().get<std::string>());
  summary.image = text(container, "Image");
  summary.image_id = text(container, "ImageID");
  summary.state = text(container, "State");
  summary.status = text(container, "Status");
  summary.labels = text_map(container, "Labels");
  for (const auto& network : field(container, "NetworkSettings", "Networks"))
    if (auto id = text(network, "NetworkID"); !id.empty()) summary.network_ids.push_back(std::move(id));
  summary.command = text(container, "Command");
  summary.created = number(container, "Created");
  if (const auto& ports = field(container, "Ports"); ports.is_array())
    for (const auto& port : ports)
      summary.ports.push_back({text(port, "IP"), text(port, "Type"),
                               static_cast<int>(number(port, "PrivatePort")),
                               static_cast<int>(number(port, "PublicPort"))});
  return summary;
}

namespace {

// What was asked for of an endpoint, without what the engine has given it: to connect the container again.
std::string endpoint_settings(const json& network, const std::string& container) {
  json settings = json::object();
  for (const char* name : {"IPAMConfig", "Links", "Aliases", "DriverOpts"})
    if (const auto& value = field(network, name); !value.is_null()) settings[name] = value;
  // The engine adds the short id by itself, and refuses it from others.
  json aliases = json::array();
  for (const auto& alias : field(network, "Aliases"))
    if (alias.is_string() && !container.starts_with(alias.get<std::string>())) aliases.push_back(alias);
  if (!aliases.empty()) settings["Aliases"] = aliases;
  return settings.dump();
}

}  // namespace

ContainerDetails decode_container(const json& container) {
  ContainerDetails details;
  details.id = text(container, "Id");
  details.name = without_slash(text(container, "Name"));
  details.image_id = text(container, "Image");
  details.restart_count = static_cast<int>(number(container, "RestartCount"));

  const auto& policy = field(container, "HostConfig", "RestartPolicy");
  details.restart_policy = text(policy, "Name");
  details.restart_retries = static_cast<int>(number(policy, "MaximumRetryCount"));

  const auto& state = field(container, "State");
  details.state = text(state, "Status");
  details.running = flag(state, "Running");
  details.paused = flag(state, "Paused");
  details.restarting = flag(state, "Restarting");
  details.oom_killed = flag(state, "OOMKilled");
  details.exit_code = static_cast<int>(number(state, "ExitCode"));
  details.error = text(state, "Error");
  details.started_at = text(state, "StartedAt");
  details.finished_at = text(state, "FinishedAt");
  details.pid = static_cast<int>(number(state, "Pid"));
  decode_health(state, details);

  const auto& config = field(container, "Config");
  details.image = text(config, "Image");
  details.tty = flag(config, "Tty");
  details.user = text(config, "User");
  details.working_dir = text(config, "WorkingDir");
  details.env = texts(config, "Env");
  details.healthcheck = texts(field(config, "Healthcheck"), "Test");
  if (field(config, "StopTimeout").is_number())
    details.stop_timeout = static_cast<int>(number(config, "StopTimeout"));
  details.labels = text_map(config, "Labels");

  const auto& settings = field(container, "NetworkSettings");
  if (const auto& networks = field(settings, "Networks"); networks.is_object()) {
    for (const auto& [name, network] : networks.items()) {
      details.networks[name] = text(network, "NetworkID");
      details.endpoints[name] = endpoint_settings(network, details.id);
      if (auto address = text(network, "IPAddress"); !address.empty())
        details.addresses[name] = std::move(address);
    }
  }
  decode_ports(field(settings, "Ports"), details);
  for (const auto& mount : field(container, "Mounts"))
    details.mounts.push_back(
        {text(mount, "Type"), text(mount, "Name"), text(mount, "Source"), text(mount, "Destination")});
  return details;
}

Usage decode_usage(const json& stats) {
  const auto& now = field(stats, "cpu_stats");
  const auto& before = field(stats, "precpu_stats");
  const auto used = [](const json& cpu) { return number(field(cpu, "cpu_usage"), "total_usage"); };
  const auto busy = static_cast<double>(used(now) - used(before));
  const auto passed =
      static_cast<double>(number(now, "system_cpu_usage") - number(before, "system_cpu_usage"));
  auto cores = number(now, "online_cpus");
  if (cores == 0) cores = static_cast<std::int64_t>(field(now, "cpu_usage", "percpu_usage").size());
  Usage usage;
  // system_cpu_usage is the sum over all cores.
  if (busy > 0 && passed > 0)
    usage.cpu_percent = busy / passed * static_cast<double>(cores == 0 ? 1 : cores) * 100;
  usage.memory = used_memory(field(stats, "memory_stats"));
  usage.memory_limit = number(field(stats, "memory_stats"), "limit");
  usage.pids = static_cast<int>(number(field(stats, "pids_stats"), "current"));
  if (const auto& networks = field(stats, "networks"); networks.is_object())
    for (const auto& [name, network] : networks.items()) {
      usage.network_in += number(network, "rx_bytes");
      usage.network_out += number(network, "tx_bytes");
    }
  if (const auto& done = field(stats, "blkio_stats", "io_service_bytes_recursive"); done.is_array())
    for (const auto& entry : done) {
      const auto op = text(entry, "op");
      if (op == "Read" || op == "read") usage.block_in += number(entry, "value");
      if (op == "Write" || op == "write") usage.block_out += number(entry, "value");
    }
  return usage;
}

ExecState decode_exec(const json& exec) {
  ExecState state;
  state.running = flag(exec, "Running");
  state.pid = static_cast<int>(number(exec, "Pid"));
  if (!state.running && field(exec, "ExitCode").is_number())
    state.exit_code = static_cast<int>(number(exec, "ExitCode"));
  return state;
}

ImageDetails decode_image(const json& image) {
  ImageDetails details;
  details.id = text(image, "Id");
  details.tags = texts(image, "RepoTags");
  details.digests = texts(image, "RepoDigests");
  details.tagged_at = text(field(image, "Metadata"), "LastTagTime");
  details.created_at = text(image, "Created");
  details.size = number(image, "Size");
  details.platform = text(image, "Os") + "/" + text(image, "Architecture");
  if (const auto variant = text(image, "Variant"); !variant.empty()) details.platform += "/" + variant;
  const auto& config = field(image, "Config");
  details.command = texts(config, "Cmd");
  details.entrypoint = texts(config, "Entrypoint");
  details.shell = texts(config, "Shell");
  details.user = text(config, "User");
  details.working_dir = text(config, "WorkingDir");
  details.env = texts(config, "Env");
  details.healthcheck = texts(field(config, "Healthcheck"), "Test");
  if (const auto& volumes = field(config, "Volumes"); volumes.is_object())
    for (const auto& [path, _] : volumes.items()) details.volumes.push_back(path);
  details.labels = text_map(config, "Labels");
  return details;
}

ImageSummary decode_image_summary(const json& image) {
  return {text(image, "Id"), texts(image, "RepoTags"), text_map(image, "Labels")};
}

NetworkDetails decode_network(const json& network) {
  NetworkDetails details;
  details.id = text(network, "Id");
  details.name = text(network, "Name");
  details.driver = text(network, "Driver");
  details.labels = text_map(network, "Labels");
  if (const auto& containers = field(network, "Containers"); containers.is_object())
    for (const auto& [id, container] : containers.items()) details.containers[id] = text(container, "Name");
  return details;
}

VolumeDetails decode_volume(const json& volume) {
  return {text(volume, "Name"), text(volume, "Driver"), text(volume, "Mountpoint"),
          text_map(volume, "Labels"), text(volume, "CreatedAt")};
}

namespace {

// Podman has names of its own for some events of containers.
std::string docker_word(const Event& event) {
  if (event.type != "container") return event.action;
  if (event.action == "died") return "die";
  if (event.action == "remove") return "destroy";
  const auto health = event.attributes.find("health_status");
  if (event.action == "health_status" && health != event.attributes.end())
    return "health_status: " + health->second;
  return event.action;
}

}  // namespace

std::optional<Event> decode_event(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Event event;
  const auto& actor = field(json, "Actor");
  event.type = text(json, "Type");
  event.action = text(json, "Action");
  if (event.action.empty()) event.action = text(json, "status");
  event.id = text(actor, "ID");
  if (event.id.empty()) event.id = text(json, "id");
  event.attributes = text_map(actor, "Attributes");
  constexpr std::int64_t k_nanoseconds = 1'000'000'000;
  event.time_nano = number(json, "timeNano");
  if (event.time_nano == 0) event.time_nano = number(json, "time") * k_nanoseconds;
  if (event.action.empty()) return std::nullopt;
  event.action = docker_word(event);
  return event;
}

}  // namespace stackd::docker
