#include <algorithm>
#include <cmath>

#include "daemon/compose/short_forms.hpp"
#include "daemon/stackfile/decode/compose_parts.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

std::vector<Ulimit> decode_ulimits(Reader& reader) {
  std::vector<Ulimit> found;
  const Value* map = reader.get("ulimits");
  if (!map) return found;
  Reader limits(*map, reader.what() + ", 'ulimits'", reader.problems());
  for (const Entry& entry : map->entries) {
    Ulimit limit{entry.key};
    if (entry.value.is_mapping()) {
      Reader both(entry.value, limits.what() + ", '" + entry.key + "'", reader.problems());
      limit.soft = both.integer("soft").value_or(0);
      limit.hard = both.integer("hard").value_or(0);
      both.finish();
    } else {
      limit.soft = limit.hard = limits.integer(entry.key).value_or(0);
    }
    found.push_back(std::move(limit));
  }
  return found;
}

// `default`, `id=<socket>`, or a mapping of them; an id alone is the caller's own agent.
std::map<std::string, std::string> decode_agents(Reader& reader, const ComposeContext& context) {
  std::map<std::string, std::string> agents;
  const Value* value = reader.get("ssh");
  if (!value) return agents;
  if (value->is_mapping()) {
    agents = reader.string_map("ssh");
  } else {
    for (const auto& text : reader.strings("ssh")) {
      const auto equals = text.find('=');
      agents[text.substr(0, equals)] = equals == text.npos ? "" : text.substr(equals + 1);
    }
  }
  for (auto& [id, socket] : agents)
    if (!socket.empty()) socket = context.path(socket);
  return agents;
}

// A duration, or their number.
std::int64_t microseconds(Reader& reader, std::string_view key) {
  const Value* value = reader.get(key);
  if (!value) return 0;
  const bool digits = value->text.find_first_not_of("0123456789") == std::string::npos;
  if (value->is_scalar() && digits) return reader.integer(key).value_or(0);
  return reader.duration(key).value_or(Milliseconds(0)).count() * 1000;
}

// As Compose has it: it goes before `restart`, and without a condition nothing is restarted.
void decode_restart_policy(Reader& deploy, Container& container) {
  const Value* map = deploy.get("restart_policy");
  if (!map) return;
  Reader policy(*map, deploy.what() + ", 'restart_policy'", deploy.problems());
  const std::string condition = policy.string("condition");
  const auto attempts = policy.integer("max_attempts");
  policy.ignore({"delay", "window"});
  policy.finish();
  if (condition.empty() || condition == "none") {
    container.restart = "no";
  } else if (condition == "any") {
    container.restart = "always";
  } else if (condition == "on-failure") {
    container.restart = attempts ? "on-failure:" + std::to_string(*attempts) : "on-failure";
  } else if (is_restart(condition)) {
    container.restart = condition;
  } else {
    deploy.problem(map->place, policy.what() + ": expected 'condition' none, on-failure or any, found '" +
                                   condition + "'");
  }
}

template <class T>
void set_once(Reader& reader, T& field, std::optional<T> value, std::string_view key,
              std::string_view own_key) {
  if (!value) return;
  if (field != T{} && field != *value) {
    reader.problem(reader.value().place, reader.what() + ": '" + std::string(key) +
                                             "' differs from the service's '" + std::string(own_key) +
                                             "'; give one of them");
  }
  field = *value;
}

void decode_resource_limits(Reader& deploy, Container& container) {
  const Value* map = deploy.get("resources");
  if (!map) return;
  Reader resources(*map, deploy.what() + ", 'resources'", deploy.problems());
  const auto as_int64 = [](std::optional<long long> value) {
    return value ? std::optional<std::int64_t>(*value) : std::nullopt;
  };
  if (const Value* limits_map = resources.get("limits")) {
    Reader limits(*limits_map, resources.what() + ", 'limits'", deploy.problems());
    set_once(limits, container.cpus, limits.number("cpus"), "cpus", "cpus");
    set_once(limits, container.mem_limit, as_int64(limits.bytes("memory")), "memory", "mem_limit");
    set_once(limits, container.pids_limit, as_int64(limits.integer("pids")), "pids", "pids_limit");
    limits.ignore({"devices", "generic_resources"});  // of a swarm
    limits.finish();
  }
  if (const Value* reserved_map = resources.get("reservations")) {
    Reader reserved(*reserved_map, resources.what() + ", 'reservations'", deploy.problems());
    set_once(reserved, container.mem_reservation, as_int64(reserved.bytes("memory")), "memory",
             "mem_reservation");
    if (const Value* devices = reserved.get("devices"))
      decode_device_requests(*devices, reserved.what() + ", 'devices'", deploy.problems(),
                             container.device_requests);
    reserved.ignore({"cpus", "pids", "generic_resources"});
    reserved.finish();
  }
  resources.finish();
}

void decode_build_keys(const Value& value, const ComposeContext& context, const std::string& what, Spec& spec,
                       Build& build) {
  Reader reader(value, what, context.decode.problems);
  build.context = reader.string("context", ".");
  build.dockerfile = reader.string("dockerfile");
  build.dockerfile_inline = reader.string("dockerfile_inline");
  build.args = reader.environment("args");
  context.fill_in(build.args);
  build.target = reader.string("target");
  build.labels = reader.string_map("labels");
  build.cache_from = reader.strings("cache_from");
  build.extra_hosts = decode_extra_hosts(reader);
  build.tags = reader.strings("tags");
  build.platforms = reader.strings("platforms");
  build.network = reader.string("network");
  if (const auto size = reader.bytes("shm_size")) build.shm_size = std::to_string(*size);
  build.no_cache = reader.boolean("no_cache");
  build.pull = reader.boolean("pull");
  build.privileged = reader.boolean("privileged");
  build.ulimits = decode_ulimits(reader);
  for (const auto& grant : decode_grants(reader, "secrets", ""))
    build.secrets.push_back({grant.target.empty() ? grant.source : grant.target, grant.source});
  build.ssh = decode_agents(reader, context);
  build.additional_contexts = reader.string_map("additional_contexts");
  for (auto& [name, place] : build.additional_contexts)
    if (!is_remote_context(place) && place.find("://") == std::string::npos && !place.starts_with("service:"))
      place = context.path(place);
  build.cache_to = reader.strings("cache_to");
  build.entitlements = reader.strings("entitlements");
  context.without_effect(reader, {"isolation", "no_cache_filter"}, spec, "has no effect on the build");
  build.provenance = reader.string("provenance");
  build.sbom = reader.string("sbom");
  reader.ignore({"attest"});
  reader.finish();
  if (!build.dockerfile.empty() && !build.dockerfile_inline.empty()) {
    reader.problem(value.place, what + ": give 'dockerfile' or 'dockerfile_inline', not both");
  }
}

}  // namespace

int file_mode(Reader& reader, std::string_view key) {
  const Value* value = reader.get(key);
  if (!value) return 0;
  const std::string_view digits = value->plain ? "0123456789" : "01234567";
  const bool good = value->is_scalar() && !value->text.empty() && value->text.size() < 8 &&
                    value->text.find_first_not_of(digits) == std::string::npos;
  if (good) return std::stoi(value->text, nullptr, value->plain ? 10 : 8);
  reader.problem(value->place,
                 reader.what() + ", '" + std::string(key) + "': expected a file's mode such as 0440");
  return 0;
}

std::optional<Build> decode_build(Reader& reader, const ComposeContext& context, Spec& spec) {
  const Value* value = reader.get("build");
  if (!value) return std::nullopt;
  Build build;
  if (value->is_scalar()) {
    build.context = value->text;
  } else {
    decode_build_keys(*value, context, reader.what() + ", 'build'", spec, build);
  }
  if (!is_remote_context(build.context)) build.context = context.path(build.context);
  if (build.dockerfile.starts_with('~')) build.dockerfile = context.path(build.dockerfile);
  return build;
}

std::optional<std::vector<std::string>> decode_command(Reader& reader, std::string_view key) {
  const Value* value = reader.get(key);
  if (!value) return std::nullopt;
  const std::string what = reader.what() + ", '" + std::string(key) + "'";
  if (!value->is_scalar()) return string_list(*value, what, reader.problems());
  auto words = shell_words(value->text);
  if (!words) reader.problem(value->place, what + ": a quote, a $( or a backslash is left open");
  return words;
}

std::optional<Healthcheck> decode_healthcheck(Reader& reader, const ComposeContext& context) {
  const Value* value = reader.get("healthcheck");
  if (!value) return std::nullopt;
  const std::string what = reader.what() + ", 'healthcheck'";
  Reader fields(*value, what, reader.problems());
  Healthcheck check;
  if (const Value* test = fields.get("test")) {
    if (test->is_scalar()) {
      check.test = {"CMD-SHELL", test->text};
    } else {
      check.test = string_list(*test, what + ", 'test'", reader.problems());
      const std::string kind = check.test.empty() ? "" : check.test[0];
      if (!check.test.empty() && kind != "NONE" && kind != "CMD" && kind != "CMD-SHELL") {
        reader.problem(test->place,
                       what + ", 'test': a list begins with CMD, CMD-SHELL or NONE, found '" + kind + "'");
      }
    }
  }
  check.interval = fields.duration("interval");
  check.timeout = fields.duration("timeout");
  check.start_period = fields.duration("start_period");
  check.start_interval = fields.duration("start_interval");
  if (const auto retries = fields.integer("retries"))
    check.retries = static_cast<int>(std::clamp(*retries, 0LL, 1'000'000LL));
  if (fields.boolean("disable")) check.test = {"NONE"};
  fields.finish();
  if (check.start_interval && !check.start_period && context.decode.request.to_run) {
    reader.problem(value->place, what + ": 'start_interval' needs a 'start_period'");  // C6.10
  }
  return check;
}

void decode_limits(Reader& reader, Container& container) {
  container.mem_limit = reader.bytes("mem_limit").value_or(0);
  container.mem_reservation = reader.bytes("mem_reservation").value_or(0);
  container.memswap_limit = reader.bytes("memswap_limit").value_or(0);
  container.shm_size = reader.bytes("shm_size").value_or(0);
  if (const auto value = reader.integer("mem_swappiness"))
    container.mem_swappiness = static_cast<int>(*value);
  container.oom_kill_disable = reader.maybe_boolean("oom_kill_disable");
  container.oom_score_adj = static_cast<int>(reader.integer("oom_score_adj").value_or(0));
  container.pids_limit = reader.integer("pids_limit").value_or(0);
  container.cpus = reader.number("cpus").value_or(0);
  container.cpu_shares = reader.integer("cpu_shares").value_or(0);
  container.cpu_quota = reader.integer("cpu_quota").value_or(0);
  container.cpu_period = microseconds(reader, "cpu_period");
  container.cpu_count = reader.integer("cpu_count").value_or(0);
  container.cpu_percent = reader.number("cpu_percent").value_or(0);
  container.cpu_rt_period = microseconds(reader, "cpu_rt_period");
  container.cpu_rt_runtime = microseconds(reader, "cpu_rt_runtime");
  container.cpuset = reader.string("cpuset");
  container.ulimits = decode_ulimits(reader);
}

void decode_deploy(Reader& reader, Container& container) {
  const auto scale = reader.integer("scale");
  std::optional<long long> replicas;
  if (const Value* value = reader.get("deploy")) {
    Reader deploy(*value, reader.what() + ", 'deploy'", reader.problems());
    container.deploy = true;
    replicas = deploy.integer("replicas");
    decode_resource_limits(deploy, container);
    decode_restart_policy(deploy, container);
    // Swarm's own: Compose reads them and does nothing with them either.
    deploy.ignore({"mode", "endpoint_mode", "labels", "placement", "update_config", "rollback_config"});
    deploy.finish();
    if (scale && replicas && *scale != *replicas) {
      reader.problem(value->place,
                     reader.what() + ": 'scale' and 'deploy.replicas' differ; give one of them");
    }
  }
  const long long count = scale.value_or(replicas.value_or(1));
  if (count < 0 || count > 1000) {
    reader.problem(reader.value().place,
                   reader.what() + ": expected a scale from 0 to 1000, found " + std::to_string(count));
    return;
  }
  container.scale = static_cast<int>(count);
}

std::vector<std::string> decode_extra_hosts(Reader& reader) {
  std::vector<std::string> out;
  const Value* value = reader.get("extra_hosts");
  if (!value) return out;
  const std::string what = reader.what() + ", 'extra_hosts'";
  // The engine takes "host:address".
  const auto add = [&](const std::string& host, std::string address) {
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    out.push_back(host + ":" + address);
  };
  if (value->is_mapping()) {
    for (const Entry& entry : value->entries) {
      for (const std::string& address : string_list(entry.value, what, reader.problems()))
        add(entry.key, address);
    }
    return out;
  }
  for (const std::string& text : string_list(*value, what, reader.problems())) {
    const std::size_t cut = text.find('=') != std::string::npos ? text.find('=') : text.find(':');
    if (cut == std::string::npos || cut == 0 || cut + 1 == text.size()) {
      reader.problem(value->place, what + ": expected HOST=ADDRESS, found '" + text + "'");
      continue;
    }
    add(text.substr(0, cut), text.substr(cut + 1));
  }
  return out;
}

}  // namespace stackd::stackfile
