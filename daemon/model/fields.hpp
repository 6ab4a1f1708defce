// The fields of every struct of a Spec, and their names in JSON. Private to json.cpp and facts.cpp.
#pragma once

#include "daemon/model/codec.hpp"
#include "daemon/model/facts.hpp"
#include "daemon/model/spec.hpp"

namespace stackd::model {

template <>
struct Words<OnFailure> {
  static constexpr std::array list{"standard", "fail", "warn", "ignore"};
};
template <>
struct Words<RunPolicy> {
  static constexpr std::array list{"standard", "always", "once", "changed"};
};
template <>
struct Words<Condition> {
  static constexpr std::array list{"started", "healthy", "completed_successfully", "ready"};
};
template <>
struct Words<ServiceKind> {
  static constexpr std::array list{"container", "process", "oneshot"};
};
// The texts of a readiness, by the kinds' own keys.
template <>
struct Codec<std::map<ProbeKind, std::string>> {
  static json encode(const std::map<ProbeKind, std::string>& value) {
    json out = json::object();
    for (const auto& [kind, text] : value) out[row_of(kind).key] = text;
    return out;
  }
  static void decode(const json& from, std::map<ProbeKind, std::string>& value) {
    value.clear();
    must_be(from.is_object());
    for (const auto& row : k_probes)
      if (const auto found = from.find(row.key); found != from.end())
        value[row.kind] = found->get<std::string>();
  }
};

#define F STACKD_F
STACKD_FIELDS(Place, F(file), F(line), F(column))
STACKD_FIELDS(Hook, F(phase), F(index), F(group), F(service), F(shell), F(argv), F(cwd), F(env), F(env_group),
              F(user), F(privileged), F(image), F(per_replica), F(timeout), F(retries), F(retry_delay),
              F(on_failure), F(run), F(inputs), F(once_volume), F(cache), F(run_in), F(run_in_image),
              F(if_profile), F(if_os), F(if_env), F(if_previous), F(place))
STACKD_FIELDS(Readiness, F(probes), F(capture), F(timeout), F(extend_on_progress), F(settle),
              F(fail_log_match))
STACKD_FIELDS(Healthcheck, F(test), F(interval), F(timeout), F(start_period), F(start_interval), F(retries))
STACKD_FIELDS(Dependency, F(condition), F(required), F(restart))
STACKD_FIELDS(Port, F(key), F(target), F(published), F(published_end), F(host_ip), F(protocol),
              F(app_protocol), F(mode), F(env), F(place))
STACKD_FIELDS(Mount, F(type), F(source), F(target), F(read_only), F(create_host_path), F(propagation),
              F(selinux), F(nocopy), F(subpath), F(recursive), F(labels), F(tmpfs_size), F(tmpfs_mode))
STACKD_FIELDS(Attachment, F(aliases), F(ipv4_address), F(ipv6_address), F(mac_address), F(link_local_ips),
              F(driver_opts), F(interface_name), F(priority), F(gw_priority))
STACKD_FIELDS(Ulimit, F(name), F(soft), F(hard))
STACKD_FIELDS(BuildGrant, F(id), F(source))
STACKD_FIELDS(Build, F(context), F(dockerfile), F(dockerfile_inline), F(args), F(target), F(labels),
              F(cache_from), F(extra_hosts), F(tags), F(platforms), F(network), F(shm_size), F(no_cache),
              F(pull), F(privileged), F(ulimits), F(secrets), F(ssh), F(additional_contexts), F(cache_to),
              F(entitlements), F(provenance), F(sbom))
STACKD_FIELDS(FileGrant, F(source), F(target), F(uid), F(gid), F(mode))
STACKD_FIELDS(Logging, F(driver), F(options))
STACKD_FIELDS(DeviceMapping, F(host), F(container), F(permissions))
STACKD_FIELDS(DeviceRequest, F(driver), F(count), F(ids), F(capabilities), F(options))
STACKD_FIELDS(DeviceRate, F(path), F(rate))
STACKD_FIELDS(Blkio, F(weight), F(weight_device), F(read_bps), F(read_iops), F(write_bps), F(write_iops))
STACKD_FIELDS(Container, F(image), F(build), F(pull_policy), F(platform), F(command), F(entrypoint),
              F(mounts), F(networks), F(network_mode), F(healthcheck), F(user), F(working_dir), F(hostname),
              F(domainname), F(container_name), F(stop_signal), F(restart), F(runtime), F(cgroup_parent),
              F(cgroup), F(ipc), F(pid), F(uts), F(userns_mode), F(isolation), F(mac_address),
              F(stop_grace_period), F(labels), F(annotations), F(sysctls), F(storage_opt), F(expose),
              F(cap_add), F(cap_drop), F(extra_hosts), F(tmpfs), F(dns), F(dns_search), F(dns_opt),
              F(security_opt), F(group_add), F(volumes_from), F(links), F(external_links),
              F(device_cgroup_rules), F(devices), F(device_requests), F(blkio), F(ulimits), F(secrets),
              F(configs), F(logging), F(init), F(privileged), F(read_only), F(tty), F(stdin_open),
              F(oom_kill_disable), F(oom_score_adj), F(shm_size), F(mem_limit), F(mem_reservation),
              F(memswap_limit), F(pids_limit), F(mem_swappiness), F(cpus), F(cpu_shares), F(cpu_period),
              F(cpu_quota), F(cpu_count), F(cpu_rt_period), F(cpu_rt_runtime), F(cpu_percent), F(cpuset),
              F(scale), F(deploy), F(mount_workspace))
STACKD_FIELDS(Process, F(cmd), F(stop_cmd), F(cwd), F(owned_label), F(owned_name_pattern), F(restart),
              F(stop_grace_period))
STACKD_FIELDS(EnvSource, F(cmd), F(variable), F(format), F(cwd), F(place))
STACKD_FIELDS(EnvLayer, F(from), F(file_env), F(env))
STACKD_FIELDS(EnvGroup, F(extends), F(layer), F(process_env))
STACKD_FIELDS(Service, F(name), F(kind), F(owned), F(container), F(process), F(depends_on),
              F(depends_on_given), F(ports), F(environment), F(ready_when), F(hooks), F(profiles), F(place))
STACKD_FIELDS(Network::Pool, F(subnet), F(gateway), F(ip_range), F(aux_addresses))
STACKD_FIELDS(Network, F(name), F(external), F(driver), F(driver_opts), F(labels), F(internal), F(attachable),
              F(enable_ipv4), F(enable_ipv6), F(ipam_driver), F(ipam))
STACKD_FIELDS(Volume, F(name), F(external), F(driver), F(driver_opts), F(labels))
STACKD_FIELDS(FileSource, F(name), F(external), F(file), F(environment), F(content))
STACKD_FIELDS(Command, F(cmd), F(description), F(env_group), F(cwd), F(env))
STACKD_FIELDS(Runtime, F(kill_others_on_fail), F(fast_readiness), F(ready_when_timeout), F(hook_timeout),
              F(port_first), F(port_last))
STACKD_FIELDS(Spec, F(format), F(name), F(directory), F(files), F(profile), F(services), F(disabled), F(gone),
              F(hooks), F(env), F(profile_env), F(env_groups), F(commands), F(networks), F(volumes),
              F(secrets), F(configs), F(runtime), F(extensions), F(worktree_main), F(warnings))
// `seen` is not stored.
STACKD_FIELDS(Facts, F(stack_id), F(ports), F(captured), F(env_from), F(caller), F(umask), F(lich_id))

#undef F

}  // namespace stackd::model
