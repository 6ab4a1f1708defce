#include "daemon/compose/keys.hpp"

namespace stackd::compose {

namespace {

template <std::size_t N>
constexpr Shape of(const Key (&keys)[N]) {
  return {keys, N};
}

// ---- pieces of a service

constexpr Key k_grant_keys[]{
    {"source", As::text}, {"target", As::text}, {"uid", As::text}, {"gid", As::text}, {"mode", As::mode},
};
constexpr Shape k_grant = of(k_grant_keys);

constexpr Key k_build_keys[]{
    {"context", As::text},
    {"dockerfile", As::text},
    {"dockerfile_inline", As::text},
    {"entitlements", As::words},
    {"args", As::variables},
    {"provenance", As::text},
    {"sbom", As::text},
    {"ssh", As::keys},
    {"labels", As::pairs},
    {"cache_from", As::words},
    {"cache_to", As::words},
    {"no_cache", As::flag},
    {"additional_contexts", As::pairs},
    {"pull", As::flag},
    {"extra_hosts", As::hosts},
    {"isolation", As::text},
    {"network", As::text},
    {"target", As::text},
    {"secrets", As::objects, &k_grant},
    {"shm_size", As::size},
    {"tags", As::words},
    {"ulimits", As::limits},
    {"platforms", As::words},
    {"privileged", As::flag},
};
constexpr Shape k_build = of(k_build_keys);

constexpr Key k_weight_keys[]{{"path", As::required, nullptr, "Path"},
                              {"weight", As::whole_given, nullptr, "Weight"}};
constexpr Shape k_weight = of(k_weight_keys);
constexpr Key k_rate_keys[]{{"path", As::required, nullptr, "Path"},
                            {"rate", As::size_given, nullptr, "Rate"}};
constexpr Shape k_rate = of(k_rate_keys);
constexpr Key k_blkio_keys[]{
    {"weight", As::whole},
    {"weight_device", As::objects, &k_weight},
    {"device_read_bps", As::objects, &k_rate},
    {"device_read_iops", As::objects, &k_rate},
    {"device_write_bps", As::objects, &k_rate},
    {"device_write_iops", As::objects, &k_rate},
};
constexpr Shape k_blkio = of(k_blkio_keys);

constexpr Key k_credential_keys[]{{"config", As::text}, {"file", As::text}, {"registry", As::text}};
constexpr Shape k_credential = of(k_credential_keys);

constexpr Key k_dependency_keys[]{
    {"condition", As::text}, {"restart", As::flag}, {"required", As::true_or_false}};
constexpr Shape k_dependency = of(k_dependency_keys);

constexpr Key k_device_keys[]{{"source", As::text}, {"target", As::text}, {"permissions", As::text}};
constexpr Shape k_device = of(k_device_keys);

constexpr Key k_request_keys[]{
    {"capabilities", As::words}, {"driver", As::text},   {"count", As::device_count},
    {"device_ids", As::words},   {"options", As::pairs},
};
constexpr Shape k_request = of(k_request_keys);

// ---- deploy

constexpr Key k_update_keys[]{
    {"parallelism", As::whole_given}, {"delay", As::span},
    {"failure_action", As::text},     {"monitor", As::span},
    {"max_failure_ratio", As::real},  {"order", As::text},
};
constexpr Shape k_update = of(k_update_keys);
constexpr Key k_discrete_keys[]{{"kind", As::required}, {"value", As::whole_given}};
constexpr Shape k_discrete = of(k_discrete_keys);
constexpr Key k_generic_keys[]{{"discrete_resource_spec", As::object, &k_discrete}};
constexpr Shape k_generic = of(k_generic_keys);
constexpr Key k_resource_keys[]{
    {"cpus", As::real},
    {"memory", As::size},
    {"pids", As::whole},
    {"devices", As::objects, &k_request},
    {"generic_resources", As::objects, &k_generic},
};
constexpr Shape k_resource = of(k_resource_keys);
constexpr Key k_resources_keys[]{{"limits", As::object, &k_resource},
                                 {"reservations", As::object, &k_resource}};
constexpr Shape k_resources = of(k_resources_keys);
constexpr Key k_restart_keys[]{{"condition", As::text},
                               {"delay", As::span_given},
                               {"max_attempts", As::whole_given},
                               {"window", As::span_given}};
constexpr Shape k_restart = of(k_restart_keys);
constexpr Key k_preference_keys[]{{"spread", As::text}};
constexpr Shape k_preference = of(k_preference_keys);
constexpr Key k_placement_keys[]{{"constraints", As::words},
                                 {"preferences", As::objects, &k_preference},
                                 {"max_replicas_per_node", As::whole}};
constexpr Shape k_placement = of(k_placement_keys);
constexpr Key k_deploy_keys[]{
    {"mode", As::text},
    {"replicas", As::whole_given},
    {"labels", As::pairs},
    {"update_config", As::object, &k_update},
    {"rollback_config", As::object, &k_update},
    {"resources", As::object_always, &k_resources},
    {"restart_policy", As::object, &k_restart},
    {"placement", As::object_always, &k_placement},
    {"endpoint_mode", As::text},
};
constexpr Shape k_deploy = of(k_deploy_keys);

// ---- hooks, develop, health

constexpr Key k_hook_keys[]{
    {"command", As::command},       {"user", As::text},  {"privileged", As::flag}, {"working_dir", As::text},
    {"environment", As::variables}, {"image", As::text},  // image and per_replica: of a pre_start (C1.5)
    {"per_replica", As::flag},
};
constexpr Shape k_hook = of(k_hook_keys);
constexpr Key k_watch_keys[]{
    {"path", As::required},     {"action", As::required},
    {"target", As::text},       {"exec", As::object_always, &k_hook},
    {"include", As::words},     {"ignore", As::words},
    {"initial_sync", As::flag},
};
constexpr Shape k_watch = of(k_watch_keys);
constexpr Key k_develop_keys[]{{"watch", As::objects, &k_watch}};
constexpr Shape k_develop = of(k_develop_keys);
constexpr Key k_health_keys[]{
    {"test", As::test},           {"timeout", As::span_given},      {"interval", As::span_given},
    {"retries", As::whole_given}, {"start_period", As::span_given}, {"start_interval", As::span_given},
    {"disable", As::flag},
};
constexpr Shape k_health = of(k_health_keys);

// ---- the rest of a service

constexpr Key k_logging_keys[]{{"driver", As::text}, {"options", As::pairs}};
constexpr Shape k_logging = of(k_logging_keys);
constexpr Key k_model_keys[]{{"endpoint_var", As::text}, {"model_var", As::text}};
constexpr Shape k_model = of(k_model_keys);
constexpr Key k_attachment_keys[]{
    {"aliases", As::words},        {"driver_opts", As::pairs}, {"gw_priority", As::whole},
    {"interface_name", As::text},  {"ipv4_address", As::text}, {"ipv6_address", As::text},
    {"link_local_ips", As::words}, {"mac_address", As::text},  {"priority", As::whole},
};
constexpr Shape k_attachment = of(k_attachment_keys);
constexpr Key k_port_keys[]{
    {"name", As::text},      {"mode", As::text},     {"host_ip", As::text},      {"target", As::whole},
    {"published", As::text}, {"protocol", As::text}, {"app_protocol", As::text},
};
constexpr Shape k_port = of(k_port_keys);
constexpr Key k_provider_keys[]{{"type", As::text}, {"options", As::options}};
constexpr Shape k_provider = of(k_provider_keys);
constexpr Key k_bind_keys[]{{"selinux", As::text},
                            {"propagation", As::text},
                            {"create_host_path", As::flag},
                            {"recursive", As::text}};
constexpr Shape k_bind = of(k_bind_keys);
constexpr Key k_volume_mount_keys[]{{"labels", As::pairs}, {"nocopy", As::flag}, {"subpath", As::text}};
constexpr Shape k_volume_mount = of(k_volume_mount_keys);
constexpr Key k_tmpfs_keys[]{{"size", As::size}, {"mode", As::whole}};
constexpr Shape k_tmpfs = of(k_tmpfs_keys);
constexpr Key k_image_mount_keys[]{{"subpath", As::text}};
constexpr Shape k_image_mount = of(k_image_mount_keys);
constexpr Key k_mount_keys[]{
    {"type", As::text},
    {"source", As::text},
    {"target", As::text},
    {"read_only", As::flag},
    {"consistency", As::text},
    {"bind", As::object, &k_bind},
    {"volume", As::object, &k_volume_mount},
    {"tmpfs", As::object, &k_tmpfs},
    {"image", As::object, &k_image_mount},
};
constexpr Shape k_mount = of(k_mount_keys);

constexpr Key k_service_keys[]{
    {"profiles", As::words},
    {"annotations", As::pairs},
    {"attach", As::flag_given},
    {"build", As::object, &k_build},
    {"develop", As::object, &k_develop},
    {"blkio_config", As::object, &k_blkio},
    {"cap_add", As::words},
    {"cap_drop", As::words},
    {"cgroup_parent", As::text},
    {"cgroup", As::text},
    {"cpu_count", As::whole},
    {"cpu_percent", As::real},
    {"cpu_period", As::whole},
    {"cpu_quota", As::whole},
    {"cpu_rt_period", As::whole},
    {"cpu_rt_runtime", As::whole},
    {"cpus", As::real},
    {"cpuset", As::text},
    {"cpu_shares", As::whole},
    {"command", As::command},
    {"configs", As::objects, &k_grant},
    {"container_name", As::text},
    {"credential_spec", As::object, &k_credential},
    {"depends_on", As::named, &k_dependency},
    {"deploy", As::object, &k_deploy},
    {"device_cgroup_rules", As::words},
    {"devices", As::objects, &k_device},
    {"dns", As::words},
    {"dns_opt", As::words},
    {"dns_search", As::words},
    {"domainname", As::text},
    {"entrypoint", As::command},
    {"provider", As::object, &k_provider},
    {"environment", As::variables},
    {"expose", As::words},
    {"external_links", As::words},
    {"extra_hosts", As::hosts},
    {"group_add", As::words},
    {"gpus", As::objects, &k_request},
    {"hostname", As::text},
    {"healthcheck", As::object, &k_health},
    {"image", As::text},
    {"init", As::flag_given},
    {"ipc", As::text},
    {"isolation", As::text},
    {"labels", As::pairs},
    {"links", As::words},
    {"logging", As::object, &k_logging},
    {"mem_limit", As::size},
    {"mem_reservation", As::size},
    {"memswap_limit", As::size},
    {"mem_swappiness", As::size},
    {"mac_address", As::text},
    {"models", As::named, &k_model},
    {"network_mode", As::text},
    {"networks", As::named, &k_attachment},
    {"oom_kill_disable", As::flag},
    {"oom_score_adj", As::whole},
    {"pid", As::text},
    {"pids_limit", As::whole},
    {"platform", As::text},
    {"ports", As::objects, &k_port},
    {"privileged", As::flag},
    {"pull_policy", As::text},
    {"read_only", As::flag},
    {"restart", As::text},
    {"runtime", As::text},
    {"scale", As::whole_given},
    {"secrets", As::objects, &k_grant},
    {"security_opt", As::words},
    {"shm_size", As::size},
    {"stdin_open", As::flag},
    {"stop_grace_period", As::span_given},
    {"stop_signal", As::text},
    {"storage_opt", As::pairs},
    {"sysctls", As::pairs},
    {"tmpfs", As::words},
    {"tty", As::flag},
    {"ulimits", As::limits},
    {"use_api_socket", As::flag},
    {"user", As::text},
    {"userns_mode", As::text},
    {"uts", As::text},
    {"volumes", As::objects, &k_mount},
    {"volumes_from", As::words},
    {"working_dir", As::text},
    {"pre_start", As::objects, &k_hook},
    {"post_start", As::objects, &k_hook},
    {"pre_stop", As::objects, &k_hook},
};

// ---- the top level

constexpr Key k_pool_keys[]{
    {"subnet", As::text}, {"gateway", As::text}, {"ip_range", As::text}, {"aux_addresses", As::pairs}};
constexpr Shape k_pool = of(k_pool_keys);
// ipam.options is known to the specification, and Compose neither keeps nor prints it.
constexpr Key k_ipam_keys[]{{"driver", As::text}, {"config", As::objects, &k_pool}};
constexpr Shape k_ipam = of(k_ipam_keys);
constexpr Key k_network_keys[]{
    {"name", As::text},
    {"driver", As::text},
    {"driver_opts", As::pairs},
    {"ipam", As::object_always, &k_ipam},
    {"external", As::flag},
    {"internal", As::flag},
    {"attachable", As::flag},
    {"labels", As::pairs},
    {"enable_ipv4", As::flag_given},
    {"enable_ipv6", As::flag_given},
};
constexpr Key k_volume_keys[]{{"name", As::text},
                              {"driver", As::text},
                              {"driver_opts", As::pairs},
                              {"external", As::flag},
                              {"labels", As::pairs}};
// What a secret is stands in no output.
constexpr Key k_secret_keys[]{
    {"name", As::text},    {"file", As::text},   {"environment", As::text},  {"external", As::flag},
    {"labels", As::pairs}, {"driver", As::text}, {"driver_opts", As::pairs}, {"template_driver", As::text},
};
constexpr Key k_config_keys[]{
    {"name", As::text},    {"file", As::text},         {"environment", As::text},
    {"content", As::text}, {"external", As::flag},     {"labels", As::pairs},
    {"driver", As::text},  {"driver_opts", As::pairs}, {"template_driver", As::text},
};

constexpr Key k_top_model_keys[]{
    {"name", As::text}, {"model", As::text}, {"context_size", As::whole}, {"runtime_flags", As::words}};

constexpr Shape k_service = of(k_service_keys);
constexpr Shape k_network = of(k_network_keys);
constexpr Shape k_volume = of(k_volume_keys);
constexpr Shape k_secret = of(k_secret_keys);
constexpr Shape k_config = of(k_config_keys);
constexpr Shape k_top_model = of(k_top_model_keys);

}  // namespace

const Shape& service_shape() {
  return k_service;
}
const Shape& network_shape() {
  return k_network;
}
const Shape& volume_shape() {
  return k_volume;
}
const Shape& secret_shape() {
  return k_secret;
}
const Shape& config_shape() {
  return k_config;
}
const Shape& model_shape() {
  return k_top_model;
}

}  // namespace stackd::compose
