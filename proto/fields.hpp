// The wire names of every struct in types.hpp, once: to_json, from_json, the server's strict reading of
// requests and the test that compares them with openapi.yaml all walk this table.
//
//   Fields<Port>::each(port, [](const char* name, auto& member, Show show) { … });
#pragma once

#include "proto/types.hpp"

namespace stackd::proto {

// Whether a member at its empty value ("", 0, false, an empty list) is written all the same. An empty
// std::optional never is.
enum class Show { always, when_set };

template <class T>
struct Fields;  // only for the structs of types.hpp

// clang-format off
#define STACKD_FIELDS(Type) template <> struct Fields<Type> { template <class Self, class Visit> static void each(Self& o, Visit&& field)

STACKD_FIELDS(Problem) {
  field("type", o.type, Show::always);
  field("title", o.title, Show::always);
  field("status", o.status, Show::always);
  field("detail", o.detail, Show::always);
  field("code", o.code, Show::always);
  field("errors", o.errors, Show::when_set);
  field("operation", o.operation, Show::when_set);
}};

STACKD_FIELDS(UpOptions) {
  field("build", o.build, Show::when_set);
  field("rebuild", o.rebuild, Show::when_set);
  field("force_recreate", o.force_recreate, Show::when_set);
  field("no_deps", o.no_deps, Show::when_set);
  field("remove_orphans", o.remove_orphans, Show::when_set);
  field("keep", o.keep, Show::when_set);
  field("pull", o.pull, Show::when_set);
  field("rerun_hooks", o.rerun_hooks, Show::when_set);
  field("no_recreate", o.no_recreate, Show::when_set);
  field("always_recreate_deps", o.always_recreate_deps, Show::when_set);
  field("renew_anon_volumes", o.renew_anon_volumes, Show::when_set);
  field("no_start", o.no_start, Show::when_set);
  field("no_build", o.no_build, Show::when_set);
  field("adopt", o.adopt, Show::when_set);
  field("skip_hooks", o.skip_hooks, Show::when_set);
  field("scale", o.scale, Show::when_set);
  field("prepare", o.prepare, Show::when_set);
  field("timeout_ms", o.timeout_ms, Show::when_set);
  field("stop_timeout", o.stop_timeout, Show::when_set);
}};

STACKD_FIELDS(ConfigOptions) {
  field("no_interpolate", o.no_interpolate, Show::when_set);
  field("no_normalize", o.no_normalize, Show::when_set);
  field("no_path_resolution", o.no_path_resolution, Show::when_set);
  field("no_consistency", o.no_consistency, Show::when_set);
  field("variables", o.variables, Show::when_set);
  field("environment", o.environment, Show::when_set);
  field("resolve_image_digests", o.resolve_image_digests, Show::when_set);
  field("yaml", o.yaml, Show::when_set);
}};

STACKD_FIELDS(UpRequest) {
  field("directory", o.directory, Show::always);
  field("files", o.files, Show::when_set);
  field("input", o.input, Show::when_set);
  field("buffers", o.buffers, Show::when_set);
  field("env_files", o.env_files, Show::when_set);
  field("project_directory", o.project_directory, Show::when_set);
  field("project_name", o.project_name, Show::when_set);
  field("profile", o.profile, Show::when_set);
  field("services", o.services, Show::when_set);
  field("environment", o.environment, Show::when_set);
  field("umask", o.umask, Show::when_set);
  field("options", o.options, Show::when_set);
  field("config", o.config, Show::when_set);
}};

STACKD_FIELDS(ImagesRequest) {
  field("action", o.action, Show::always);
  field("stack", o.stack, Show::always);
  field("no_cache", o.no_cache, Show::when_set);
  field("pull", o.pull, Show::when_set);
  field("build_args", o.build_args, Show::when_set);
  field("ssh", o.ssh, Show::when_set);
  field("push", o.push, Show::when_set);
  field("policy", o.policy, Show::when_set);
  field("include_deps", o.include_deps, Show::when_set);
  field("ignore_failures", o.ignore_failures, Show::when_set);
}};

STACKD_FIELDS(DownRequest) {
  field("volumes", o.volumes, Show::when_set);
  field("remove_orphans", o.remove_orphans, Show::when_set);
  field("no_hooks", o.no_hooks, Show::when_set);
  field("rmi", o.rmi, Show::when_set);
  field("timeout", o.timeout, Show::when_set);
  field("services", o.services, Show::when_set);
}};

STACKD_FIELDS(ServicesRequest) {
  field("services", o.services, Show::when_set);
  field("timeout", o.timeout, Show::when_set);
  field("no_deps", o.no_deps, Show::when_set);
}};

STACKD_FIELDS(HooksRunRequest) {
  field("hooks", o.hooks, Show::always);
}};

STACKD_FIELDS(HooksResetRequest) {
  field("phase", o.phase, Show::when_set);
}};

STACKD_FIELDS(PruneRequest) {
  field("dry_run", o.dry_run, Show::when_set);
}};

STACKD_FIELDS(PlanRequest) {
  field("stack", o.stack, Show::when_set);
  field("up", o.up, Show::when_set);
  field("down", o.down, Show::when_set);
  field("stop", o.stop, Show::when_set);
  field("start", o.start, Show::when_set);
  field("restart", o.restart, Show::when_set);
}};

STACKD_FIELDS(PlanChange) {
  field("key", o.key, Show::always);
  field("before", o.before, Show::always);
  field("after", o.after, Show::always);
}};

STACKD_FIELDS(PlanAction) {
  field("action", o.action, Show::always);
  field("subject", o.subject, Show::always);
  field("service", o.service, Show::when_set);
  field("reason", o.reason, Show::always);
  field("changes", o.changes, Show::when_set);
  field("takes_along", o.takes_along, Show::when_set);
}};

STACKD_FIELDS(Plan) {
  field("stack", o.stack, Show::always);
  field("kind", o.kind, Show::always);
  field("to_do", o.to_do, Show::always);
  field("actions", o.actions, Show::always);
  field("warnings", o.warnings, Show::always);
  field("steps", o.steps, Show::always);
}};

STACKD_FIELDS(Port) {
  field("key", o.key, Show::always);
  field("protocol", o.protocol, Show::always);
  field("host_ip", o.host_ip, Show::always);
  field("host_port", o.host_port, Show::always);
  field("container_port", o.container_port, Show::when_set);
  field("url", o.url, Show::when_set);
}};

STACKD_FIELDS(ContainerView) {
  field("id", o.id, Show::always);
  field("name", o.name, Show::always);
  field("number", o.number, Show::always);
  field("state", o.state, Show::always);
  field("health", o.health, Show::when_set);
  field("image", o.image, Show::always);
  field("exit_code", o.exit_code, Show::when_set);
  field("started_at", o.started_at, Show::when_set);
  field("ended_at", o.ended_at, Show::when_set);
  field("restarts", o.restarts, Show::when_set);
  field("out_of_memory", o.out_of_memory, Show::when_set);
}};

STACKD_FIELDS(Service) {
  field("name", o.name, Show::always);
  field("kind", o.kind, Show::always);
  field("status", o.status, Show::always);
  field("container", o.container, Show::when_set);
  field("pid", o.pid, Show::when_set);
  field("containers", o.containers, Show::always);
  field("ports", o.ports, Show::always);
  field("exit_code", o.exit_code, Show::when_set);
  field("reason", o.reason, Show::when_set);
  field("known_status", o.known_status, Show::when_set);
  field("since", o.since, Show::when_set);
  field("waiting_for", o.waiting_for, Show::when_set);
  field("restarts", o.restarts, Show::when_set);
}};

STACKD_FIELDS(Blocking) {
  field("service", o.service, Show::always);
  field("status", o.status, Show::always);
  field("reason", o.reason, Show::when_set);
  field("since", o.since, Show::when_set);
  field("waiting_for", o.waiting_for, Show::when_set);
}};

STACKD_FIELDS(Waited) {
  field("stack", o.stack, Show::always);
  field("for", o.wanted, Show::always);
  field("reached", o.reached, Show::always);
  field("blocking", o.blocking, Show::always);
}};

STACKD_FIELDS(StepView) {
  field("key", o.key, Show::always);
  field("kind", o.kind, Show::always);
  field("service", o.service, Show::always);
  field("state", o.state, Show::always);
  field("reason", o.reason, Show::when_set);
  field("started_at", o.started_at, Show::when_set);
  field("ended_at", o.ended_at, Show::when_set);
  field("duration_ms", o.duration_ms, Show::when_set);
  field("needs", o.needs, Show::when_set);
}};

STACKD_FIELDS(FailureCause) {
  field("kind", o.kind, Show::always);
  field("step", o.step, Show::always);
  field("service", o.service, Show::always);
}};

STACKD_FIELDS(FailedPart) {
  field("service", o.service, Show::when_set);
  field("phase", o.phase, Show::when_set);
  field("probe", o.probe, Show::when_set);
  field("exit_code", o.exit_code, Show::when_set);
  field("signal", o.signal, Show::when_set);
  field("log", o.log, Show::when_set);
  field("message", o.message, Show::always);
}};

STACKD_FIELDS(OperationError) {
  field("code", o.code, Show::always);
  field("message", o.message, Show::always);
  field("details", o.details, Show::always);
  field("cause", o.cause, Show::when_set);
  field("service", o.service, Show::when_set);
  field("phase", o.phase, Show::when_set);
  field("probe", o.probe, Show::when_set);
  field("exit_code", o.exit_code, Show::when_set);
  field("signal", o.signal, Show::when_set);
  field("log", o.log, Show::when_set);
  field("reason", o.reason, Show::when_set);
  field("failures", o.failures, Show::when_set);
  field("roll_back", o.roll_back, Show::when_set);
}};

STACKD_FIELDS(Operation) {
  field("id", o.id, Show::always);
  field("stack", o.stack, Show::always);
  field("kind", o.kind, Show::always);
  field("state", o.state, Show::always);
  field("warnings", o.warnings, Show::always);
  field("error", o.error, Show::when_set);
  field("started_at", o.started_at, Show::when_set);
  field("ended_at", o.ended_at, Show::when_set);
  field("duration_ms", o.duration_ms, Show::when_set);
  field("rolling_back", o.rolling_back, Show::always);
  field("unchanged", o.unchanged, Show::always);
  field("joined", o.joined, Show::always);
  field("steps", o.steps, Show::when_set);
}};

STACKD_FIELDS(Stack) {
  field("id", o.id, Show::always);
  field("name", o.name, Show::always);
  field("directory", o.directory, Show::always);
  field("profile", o.profile, Show::always);
  field("format", o.format, Show::always);
  field("status", o.status, Show::always);
  field("files", o.files, Show::always);
  field("services", o.services, Show::always);
  field("urls", o.urls, Show::always);
  field("warnings", o.warnings, Show::always);
  field("last_operation", o.last_operation, Show::when_set);
  field("created_at", o.created_at, Show::when_set);
  field("updated_at", o.updated_at, Show::when_set);
  field("started_at", o.started_at, Show::when_set);
  field("as_of", o.as_of, Show::when_set);
}};

STACKD_FIELDS(TopContainer) {
  field("id", o.id, Show::always);
  field("name", o.name, Show::always);
  field("number", o.number, Show::always);
  field("state", o.state, Show::always);
  field("image", o.image, Show::always);
  field("cpu_percent", o.cpu_percent, Show::when_set);
  field("memory_bytes", o.memory_bytes, Show::when_set);
}};

STACKD_FIELDS(TopProcess) {
  field("pid", o.pid, Show::always);
  field("cpu_percent", o.cpu_percent, Show::always);
  field("memory_bytes", o.memory_bytes, Show::always);
  field("command", o.command, Show::always);
}};

STACKD_FIELDS(TopService) {
  field("name", o.name, Show::always);
  field("kind", o.kind, Show::always);
  field("status", o.status, Show::always);
  field("cpu_percent", o.cpu_percent, Show::when_set);
  field("memory_bytes", o.memory_bytes, Show::when_set);
  field("pid", o.pid, Show::when_set);
  field("containers", o.containers, Show::always);
  field("processes", o.processes, Show::always);
}};

STACKD_FIELDS(Top) {
  field("id", o.id, Show::always);
  field("name", o.name, Show::always);
  field("status", o.status, Show::always);
  field("services", o.services, Show::always);
}};

STACKD_FIELDS(HookRun) {
  field("id", o.id, Show::always);
  field("stack", o.stack, Show::always);
  field("operation", o.operation, Show::always);
  field("phase", o.phase, Show::always);
  field("index", o.index, Show::always);
  field("service", o.service, Show::always);
  field("container", o.container, Show::when_set);
  field("place", o.place, Show::always);
  field("command", o.command, Show::always);
  field("state", o.state, Show::always);
  field("exit_code", o.exit_code, Show::when_set);
  field("attempt", o.attempt, Show::always);
  field("reason", o.reason, Show::always);
  field("started_at", o.started_at, Show::when_set);
  field("ended_at", o.ended_at, Show::when_set);
  field("duration_ms", o.duration_ms, Show::when_set);
  field("log", o.log, Show::always);
  field("stdout_tail", o.stdout_tail, Show::when_set);
  field("stderr_tail", o.stderr_tail, Show::when_set);
}};

STACKD_FIELDS(Event) {
  field("sequence", o.sequence, Show::always);
  field("at", o.at, Show::when_set);
  field("stack", o.stack, Show::always);
  field("operation", o.operation, Show::always);
  field("kind", o.kind, Show::always);
  field("data", o.data, Show::always);
}};

STACKD_FIELDS(LogLine) {
  field("service", o.service, Show::always);
  field("number", o.number, Show::always);
  field("at", o.at, Show::when_set);
  field("stream", o.stream, Show::always);
  field("text", o.text, Show::always);
  field("cursor", o.cursor, Show::when_set);
}};

STACKD_FIELDS(Finding) {
  field("file", o.file, Show::always);
  field("line", o.line, Show::always);
  field("column", o.column, Show::always);
  field("end", o.end, Show::always);
  field("severity", o.severity, Show::always);
  field("message", o.message, Show::always);
  field("suggestion", o.suggestion, Show::when_set);
}};
STACKD_FIELDS(Validation) {
  field("valid", o.valid, Show::always);
  field("name", o.name, Show::always);
  field("directory", o.directory, Show::always);
  field("format", o.format, Show::always);
  field("files", o.files, Show::always);
  field("services", o.services, Show::always);
  field("errors", o.errors, Show::always);
  field("warnings", o.warnings, Show::always);
}};

STACKD_FIELDS(Variable) {
  field("name", o.name, Show::always);
  field("required", o.required, Show::always);
  field("default_value", o.default_value, Show::always);
  field("alternate_value", o.alternate_value, Show::always);
}};
STACKD_FIELDS(Config) {
  field("name", o.name, Show::always);
  field("directory", o.directory, Show::always);
  field("format", o.format, Show::always);
  field("files", o.files, Show::always);
  field("warnings", o.warnings, Show::always);
  field("model", o.model, Show::always);
  field("printed", o.printed, Show::when_set);
  field("extensions", o.extensions, Show::always);
  field("images", o.images, Show::always);
  field("hashes", o.hashes, Show::always);
  field("profiles", o.profiles, Show::always);
  field("variables", o.variables, Show::when_set);
  field("environment", o.environment, Show::when_set);
}};

STACKD_FIELDS(GraphEdge) {
  field("service", o.service, Show::always);
  field("condition", o.condition, Show::always);
  field("required", o.required, Show::always);
  field("restart", o.restart, Show::always);
  field("implied", o.implied, Show::always);
}};

STACKD_FIELDS(GraphNode) {
  field("name", o.name, Show::always);
  field("kind", o.kind, Show::always);
  field("depends_on", o.depends_on, Show::always);
}};

STACKD_FIELDS(Graph) {
  field("name", o.name, Show::always);
  field("services", o.services, Show::always);
}};

STACKD_FIELDS(Command) {
  field("name", o.name, Show::always);
  field("description", o.description, Show::always);
  field("command", o.command, Show::always);
  field("directory", o.directory, Show::always);
  field("env_group", o.env_group, Show::always);
}};

STACKD_FIELDS(Surroundings) {
  field("stack", o.stack, Show::always);
  field("name", o.name, Show::always);
  field("directory", o.directory, Show::always);
  field("command", o.command, Show::when_set);
  field("environment", o.environment, Show::always);
}};

STACKD_FIELDS(PublishedPort) {
  field("host_ip", o.host_ip, Show::always);
  field("host_port", o.host_port, Show::always);
  field("container_port", o.container_port, Show::always);
  field("protocol", o.protocol, Show::always);
}};

STACKD_FIELDS(ContainerRow) {
  field("id", o.id, Show::always);
  field("name", o.name, Show::always);
  field("service", o.service, Show::always);
  field("number", o.number, Show::always);
  field("image", o.image, Show::always);
  field("command", o.command, Show::always);
  field("state", o.state, Show::always);
  field("status", o.status, Show::always);
  field("health", o.health, Show::when_set);
  field("exit_code", o.exit_code, Show::when_set);
  field("created_at", o.created_at, Show::always);
  field("oneoff", o.oneoff, Show::when_set);
  field("orphan", o.orphan, Show::when_set);
  field("ports", o.ports, Show::always);
}};

STACKD_FIELDS(ContainersRequest) {
  field("services", o.services, Show::when_set);
  field("signal", o.signal, Show::when_set);
  field("stop", o.stop, Show::when_set);
  field("volumes", o.volumes, Show::when_set);
  field("no_wait", o.no_wait, Show::when_set);
}};

STACKD_FIELDS(ContainersDone) {
  field("containers", o.containers, Show::always);
  field("processes", o.processes, Show::when_set);
}};

STACKD_FIELDS(VolumeView) {
  field("name", o.name, Show::always);
  field("driver", o.driver, Show::always);
  field("mountpoint", o.mountpoint, Show::when_set);
}};

STACKD_FIELDS(WindowSize) {
  field("rows", o.rows, Show::when_set);
  field("columns", o.columns, Show::when_set);
}};

STACKD_FIELDS(ExecRequest) {
  field("service", o.service, Show::always);
  field("command", o.command, Show::always);
  field("index", o.index, Show::when_set);
  field("environment", o.environment, Show::when_set);
  field("user", o.user, Show::when_set);
  field("working_dir", o.working_dir, Show::when_set);
  field("privileged", o.privileged, Show::when_set);
  field("tty", o.tty, Show::when_set);
  field("input", o.input, Show::when_set);
  field("detach", o.detach, Show::when_set);
  field("no_wait", o.no_wait, Show::when_set);
  field("size", o.size, Show::when_set);
}};

STACKD_FIELDS(ExecStarted) {
  field("id", o.id, Show::always);
  field("exec", o.exec, Show::when_set);
  field("service", o.service, Show::always);
  field("container", o.container, Show::always);
  field("number", o.number, Show::always);
  field("tty", o.tty, Show::when_set);
}};

STACKD_FIELDS(ExecResult) {
  field("exec", o.exec, Show::when_set);
  field("container", o.container, Show::when_set);
  field("container_id", o.container_id, Show::when_set);
  field("exit_code", o.exit_code, Show::when_set);
  field("stdout", o.output, Show::when_set);
  field("stderr", o.errors, Show::when_set);
  field("warnings", o.warnings, Show::when_set);
}};

STACKD_FIELDS(RunRequest) {
  field("stack", o.stack, Show::always);
  field("service", o.service, Show::always);
  field("command", o.command, Show::when_set);
  field("entrypoint", o.entrypoint, Show::when_set);
  field("name", o.name, Show::when_set);
  field("environment", o.environment, Show::when_set);
  field("labels", o.labels, Show::when_set);
  field("volumes", o.volumes, Show::when_set);
  field("ports", o.ports, Show::when_set);
  field("cap_add", o.cap_add, Show::when_set);
  field("cap_drop", o.cap_drop, Show::when_set);
  field("user", o.user, Show::when_set);
  field("working_dir", o.working_dir, Show::when_set);
  field("pull", o.pull, Show::when_set);
  field("service_ports", o.service_ports, Show::when_set);
  field("use_aliases", o.use_aliases, Show::when_set);
  field("remove_orphans", o.remove_orphans, Show::when_set);
  field("remove", o.remove, Show::when_set);
  field("no_deps", o.no_deps, Show::when_set);
  field("build", o.build, Show::when_set);
  field("tty", o.tty, Show::when_set);
  field("input", o.input, Show::when_set);
  field("detach", o.detach, Show::when_set);
  field("no_wait", o.no_wait, Show::when_set);
  field("size", o.size, Show::when_set);
}};

STACKD_FIELDS(AttachRequest) {
  field("service", o.service, Show::always);
  field("index", o.index, Show::when_set);
  field("input", o.input, Show::when_set);
  field("size", o.size, Show::when_set);
}};

STACKD_FIELDS(PathStat) {
  field("container", o.container, Show::always);
  field("name", o.name, Show::always);
  field("kind", o.kind, Show::always);
  field("size", o.size, Show::always);
  field("link_target", o.link_target, Show::when_set);
}};

STACKD_FIELDS(ImageRow) {
  field("container", o.container, Show::always);
  field("service", o.service, Show::always);
  field("repository", o.repository, Show::always);
  field("tag", o.tag, Show::always);
  field("platform", o.platform, Show::always);
  field("id", o.id, Show::always);
  field("size", o.size, Show::always);
  field("created_at", o.created_at, Show::always);
}};

STACKD_FIELDS(StatsRow) {
  field("id", o.id, Show::when_set);
  field("name", o.name, Show::always);
  field("service", o.service, Show::always);
  field("cpu_percent", o.cpu_percent, Show::always);
  field("memory_bytes", o.memory_bytes, Show::always);
  field("memory_limit", o.memory_limit, Show::when_set);
  field("network_in", o.network_in, Show::when_set);
  field("network_out", o.network_out, Show::when_set);
  field("block_in", o.block_in, Show::when_set);
  field("block_out", o.block_out, Show::when_set);
  field("pids", o.pids, Show::when_set);
}};

STACKD_FIELDS(Stats) {
  field("stats", o.rows, Show::always);
}};

STACKD_FIELDS(ContainerEvent) {
  field("at", o.at, Show::always);
  field("action", o.action, Show::always);
  field("id", o.id, Show::always);
  field("service", o.service, Show::always);
  field("attributes", o.attributes, Show::always);
}};

STACKD_FIELDS(Info) {
  field("version", o.version, Show::always);
  field("api_version", o.api_version, Show::always);
  field("pid", o.pid, Show::always);
  field("home", o.home, Show::always);
  field("socket", o.socket, Show::always);
  field("log_level", o.log_level, Show::always);
  field("started_at", o.started_at, Show::when_set);
  field("engine_host", o.engine_host, Show::always);
  field("engine_chosen_by", o.engine_chosen_by, Show::when_set);
  field("engine_state", o.engine_state, Show::always);
  field("engine_version", o.engine_version, Show::when_set);
  field("engine_api_version", o.engine_api_version, Show::when_set);
  field("engine_error", o.engine_error, Show::when_set);
  field("stacks", o.stacks, Show::always);
  field("operations_running", o.operations_running, Show::always);
  field("port_first", o.port_first, Show::always);
  field("port_last", o.port_last, Show::always);
  field("longest_turn_us", o.longest_turn_us, Show::always);
  field("longest_turn_of", o.longest_turn_of, Show::when_set);
  field("longest_wait_us", o.longest_wait_us, Show::always);
  field("longest_lag_us", o.longest_lag_us, Show::always);
  field("recent_lag_us", o.recent_lag_us, Show::always);
  field("long_turns", o.long_turns, Show::always);
  field("store_commits", o.store_commits, Show::always);
}};

#undef STACKD_FIELDS
// clang-format on

}  // namespace stackd::proto
