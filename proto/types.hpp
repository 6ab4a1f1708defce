// What goes over the wire, both ways: API version 1 (proto/openapi.yaml describes it). Plain structs;
// to_json/from_json in types.cpp. Times are RFC 3339 text with milliseconds, empty when there is none (left
// out of the JSON); durations are milliseconds in fields that end in _ms.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace stackd::proto {

// RFC 9457 problem document. `code` is stable: the words of ErrorKind ("invalid-stack-file",
// "engine-unreachable" …).
struct Problem {
  std::string type = "about:blank";
  std::string title, detail, code;
  int status = 500;
  std::vector<std::string> errors;  // one line a mistake, or the tail of an output
  std::string operation;            // code "conflict": the running operation's id
};

struct UpOptions {
  bool build = false, rebuild = false, force_recreate = false, no_deps = false, remove_orphans = false,
       keep = false, no_recreate = false, always_recreate_deps = false, renew_anon_volumes = false,
       no_start = false, no_build = false, adopt = false;
  std::string pull;                     // always, missing, never
  std::string rerun_hooks;              // all, or a phase
  std::vector<std::string> skip_hooks;  // "after_up", "after_up[0]", "db.post_start[1]"
  std::map<std::string, int> scale;
  // Services for a one-off of which everything is to be there: what they need is brought up, their images,
  // networks and volumes are made, and they themselves are left as they are.
  std::vector<std::string> prepare;
  std::optional<std::int64_t> timeout_ms;  // of the whole operation
  std::optional<int> stop_timeout;         // seconds before a container is killed
};
// What POST /v1/config leaves undone, and what it tells besides.
struct ConfigOptions {
  bool no_interpolate = false, no_normalize = false, no_path_resolution = false, no_consistency = false;
  bool variables = false;              // those that the files name
  bool environment = false;            // what interpolation sees
  bool resolve_image_digests = false;  // images by the digests that their registries have now
  bool yaml = false;                   // `printed` in the form of YAML
};
struct UpRequest {  // POST /v1/stacks, /v1/validate, /v1/commands, /v1/environment
  std::string directory;
  std::vector<std::string> files;  // "-" is `input`
  std::string input;               // the caller's standard input, when a file is "-"
  std::map<std::string, std::string>
      buffers;  // absolute path: the text it has in an editor, instead of the disk's
  std::vector<std::string> env_files;
  std::string project_directory;
  std::string project_name, profile;  // several profiles with commas between them
  std::vector<std::string> services;
  std::map<std::string, std::string> environment;
  std::string umask;  // of the caller, octal: what its processes and host hooks make files by; "" is 022
  UpOptions options;
  ConfigOptions config;  // of /v1/config alone
};
struct ImagesRequest {  // POST /v1/images
  std::string action;   // build, pull, push
  UpRequest stack;      // `services`: none is all that have such an image; its options are not looked at
  // build
  bool no_cache = false;
  bool pull = false;  // what FROM names is pulled, there or not
  std::map<std::string, std::string> build_args;
  std::map<std::string, std::string> ssh;  // id -> socket of an agent or files of keys; "" the caller's agent
  bool push = false;                       // and push what was built
  // pull
  std::string policy;            // always (the default), missing
  bool include_deps = false;     // of the services that the named ones need as well
  bool ignore_failures = false;  // of pull and push: warnings
};
struct DownRequest {
  bool volumes = false, remove_orphans = false, no_hooks = false;
  std::string rmi;             // "", local, all
  std::optional<int> timeout;  // seconds before a container is killed
  std::vector<std::string> services;
};
struct ServicesRequest {  // stop, start, restart
  std::vector<std::string> services;
  std::optional<int> timeout;
  bool no_deps = false;  // of start: not what they need; of restart: not what is restarted along with them
};

struct HooksRunRequest {           // POST /v1/stacks/{id}/hooks/run
  std::vector<std::string> hooks;  // "after_up", "after_up[0]", "db.post_start[1]"
};
struct HooksResetRequest {  // POST /v1/stacks/{id}/hooks/reset
  std::string phase;        // "" all
};
struct PruneRequest {  // POST /v1/prune
  bool dry_run = false;
};

// POST /v1/plan: exactly one of the wishes; `stack` is for all but up.
struct PlanRequest {
  std::string stack;
  std::optional<UpRequest> up;
  std::optional<DownRequest> down;
  std::optional<ServicesRequest> stop, start, restart;
};
struct PlanChange {
  std::string key;            // "healthcheck.test"
  std::string before, after;  // "" when it is not there
};
struct PlanAction {
  // pull, build, create, recreate, start, restart, stop, remove, run; skip is nothing to do
  std::string action;
  std::string subject;  // "db", "web-2", "network default", "db post_start[0]"
  std::string service, reason;
  std::vector<PlanChange> changes;
  std::vector<std::string> takes_along;
};
struct Plan {
  std::string stack, kind;  // up, down, stop, start, restart
  bool to_do = false;
  std::vector<PlanAction> actions;
  std::vector<std::string> warnings, steps;
};

struct Port {
  std::string key, protocol, host_ip, url;
  int host_port = 0, container_port = 0;
};
struct ContainerView {
  std::string id, name, state, health, image;
  int number = 1;
  std::optional<int> exit_code;
  std::string started_at, ended_at;  // by the engine's clock; ended_at of one that does not run
  int restarts = 0;                  // by the engine's own policy
  bool out_of_memory = false;
};
struct Service {
  std::string name, kind;  // container, process, oneshot
  std::string
      status;  // starting, ready, unhealthy, restarting, paused, completed, exited, failed, stopped, down
  std::string container;  // id of the first replica
  std::optional<int> pid;
  std::vector<ContainerView> containers;
  std::vector<Port> ports;
  std::optional<int> exit_code;
  std::string reason;        // why it is not ready
  std::string known_status;  // while the engine is away and the status is `unknown`: the one known last
  std::string since;         // when the status became what it is
  std::string waiting_for;   // what holds it up while it comes up
  int restarts = 0;
};

struct StepView {
  std::string key, kind, service, state, reason;
  std::string started_at, ended_at;
  std::optional<std::int64_t> duration_ms;
  std::vector<std::string> needs = {};  // keys of the steps that have to end before
};
struct FailureCause {
  std::string kind;  // of the step: hook, pre-run (X24), derive, start, ready, settle, completed …
  std::string step, service;
};
// What failed of an up, and how: a service, or a hook of the stack's own.
struct FailedPart {
  std::string service, phase /* of a hook, or the step's kind */, probe, signal, log, message;
  std::optional<int> exit_code;
};
struct OperationError {
  std::string code, message;
  std::vector<std::string> details;
  std::optional<FailureCause> cause = {};
  // The first cause, which is also the first of `failures`; `reason` is its most telling line.
  std::string service = {}, phase = {}, probe = {}, signal = {}, log = {}, reason = {};
  std::optional<int> exit_code = {};
  std::vector<FailedPart> failures = {};    // in the order of cause, each service once
  std::vector<std::string> roll_back = {};  // what went wrong on the way back
};
struct Operation {
  std::string id, stack, kind, state;  // state: running, succeeded, failed, cancelled
  std::vector<std::string> warnings;
  std::optional<OperationError> error;
  std::string started_at, ended_at;
  std::optional<std::int64_t> duration_ms;
  bool rolling_back = false;
  bool unchanged = false;       // an up that found everything as it should be
  bool joined = false;          // this request joined an equal one that was running
  std::vector<StepView> steps;  // only in GET /v1/operations/{id} and with wait=1
};

struct Stack {
  std::string id, name, directory, profile, format, status;
  std::vector<std::string> files;
  std::vector<Service> services;
  std::vector<std::string> urls, warnings;
  std::optional<Operation> last_operation;
  std::string created_at, updated_at, started_at;
  std::string as_of;  // while the engine is away: when it was heard of last
};

// GET /v1/stacks/{id}/wait. What still holds it up when the time was out.
struct Blocking {
  std::string service, status, reason, since, waiting_for;
};
struct Waited {
  std::string stack, wanted;  // ready, healthy, stopped, exited
  bool reached = false;
  std::vector<Blocking> blocking;
};
struct WaitRequest {
  std::string wanted = "ready";
  std::vector<std::string> services;  // none: all
  std::int64_t timeout_ms = 60'000;
};

// GET /v1/stacks/{id}/top. What does not run has no figures. cpu: in percent of one core.
struct TopContainer {
  std::string id, name, state, image;
  int number = 1;
  std::optional<double> cpu_percent;
  std::optional<std::int64_t> memory_bytes;
};
struct TopProcess {
  int pid = 0;
  double cpu_percent = 0;
  std::int64_t memory_bytes = 0;
  std::string command;
};
struct TopService {
  std::string name, kind, status;
  std::optional<double> cpu_percent;  // of all its containers, or processes
  std::optional<std::int64_t> memory_bytes;
  std::optional<int> pid;
  std::vector<TopContainer> containers;
  std::vector<TopProcess> processes;  // those of this machine
};
struct Top {
  std::string id, name, status;
  std::vector<TopService> services;
};

struct HookRun {
  std::string id, stack, operation, phase, service, container, place, command, state, reason;
  int index = 0, attempt = 1;
  std::optional<int> exit_code;
  std::string started_at, ended_at, log;  // log: path of the file
  std::optional<std::int64_t> duration_ms;
  std::string stdout_tail, stderr_tail;
};

struct Event {
  std::int64_t sequence = 0; /* 0: a passing note, not stored */
  std::string at, stack, operation, kind;
  nlohmann::json data;
};

struct LogsRequest {
  std::vector<std::string> services;
  std::string tail = "all";
  std::string since, until;
  bool follow = false, timestamps = false;
  bool keep = false;               // followed beyond the stack's end
  std::vector<std::string> after;  // "SERVICE/NUMBER/CURSOR" of lines that were seen: go on behind them
};
struct LogLine {
  std::string service, at, stream /* stdout, stderr, mark */, text;
  int number = 1;
  std::string cursor;  // where the line ends, for LogsRequest::after; of a followed log
};

struct Finding {                              // for editors
  std::string file;                           // as messages name it; empty: of no one place
  int line = 0, column = 0, end = 0;          // from 1, in bytes; end: the column behind what is wrong
  std::string severity, message, suggestion;  // severity: error, warning
};
struct Validation {
  bool valid = true;
  std::string name, directory, format;
  std::vector<std::string> files, services;
  std::vector<Finding> errors;
  std::vector<std::string> warnings;
};

struct Variable {
  std::string name;
  bool required = false;                       // ${NAME:?…}
  std::string default_value, alternate_value;  // ${NAME:-…}, ${NAME:+…}
};
// POST /v1/config: a stack file as it was understood; nothing is run or stored.
struct Config {
  std::string name, directory, format;
  std::vector<std::string> files, warnings;
  nlohmann::json model;  // of a compose.yaml Compose's own canonical model; else a resolved stackd.yaml
  std::string printed;   // of a compose.yaml: the model as JSON with its keys in Compose's order, and as YAML
                         // is to be made of it, if that was asked for
  nlohmann::json extensions =
      nlohmann::json::object();                    // a compose.yaml's x- keys below the top, by JSON pointer
  std::vector<std::string> images;                 // that an up would pull or build, of each service
  std::map<std::string, std::string> hashes;       // of each container service's definition
  std::vector<std::string> profiles;               // that any service has, chosen or not
  std::vector<Variable> variables;                 // when they were asked for
  std::map<std::string, std::string> environment;  // the same; what a secret is made of is ***
};

// POST /v1/graph: who comes after whom. Services in an order in which they could start.
struct GraphEdge {
  std::string service, condition;  // service_started, service_healthy, service_completed_successfully, ready
  bool required = true, restart = false;
  bool implied = false;  // not written: a process comes after the containers (X33)
};
struct GraphNode {
  std::string name, kind;
  std::vector<GraphEdge> depends_on;
};
struct Graph {
  std::string name;
  std::vector<GraphNode> services;
};

// One of the file's `commands`; with its environment what `stackctl run` needs to run it.
struct Command {
  std::string name, description, command, directory, env_group;
};
// What a command on this host is run with: `exec` (a group), `run` (one of the file's commands).
struct Surroundings {
  std::string stack, name, directory;              // of the command: its own, else the stack's
  std::string command;                             // for /bin/sh -c; empty without one
  std::map<std::string, std::string> environment;  // all of it: what is not here is not inherited
};

// GET /v1/stacks/{id}/containers: as the engine tells of them, those of hooks left out.
struct PublishedPort {
  std::string host_ip, protocol;
  int host_port = 0, container_port = 0;  // host_port 0: not published
};
struct ContainerRow {
  std::string id, name, service, image, command;
  std::string state, status, health;  // status: "Up 3 seconds (healthy)"
  std::string created_at;
  int number = 1;
  std::optional<int> exit_code;
  bool oneoff = false, orphan = false;  // orphan: of a service that the stack no longer has
  std::vector<PublishedPort> ports;
};
// POST /v1/stacks/{id}/kill, pause, unpause, rm: what is done to containers at once, without an operation.
struct ContainersRequest {
  std::vector<std::string> services;   // none: all
  std::string signal;                  // kill: SIGKILL without one
  bool stop = false, volumes = false;  // rm: those that run are stopped first; anonymous volumes go as well
  bool no_wait = false;                // else a running operation of the stack is waited for
};
struct ContainersDone {
  std::vector<std::string> containers, processes;  // to which it was done: names; services
};
struct VolumeView {
  std::string name, driver, mountpoint;
};

// POST /v1/stacks/{id}/exec: a command in a service's container. Upgraded to frames (proto/frames.hpp) it has
// input and a terminal; else its end is answered, with the last of its output.
struct WindowSize {
  int rows = 0, columns = 0;
};
struct ExecRequest {
  std::string service;
  std::vector<std::string> command;
  int index = 0;                         // the replica's number; 0: the first that runs
  std::vector<std::string> environment;  // NAME=VALUE
  std::string user, working_dir;
  bool privileged = false;
  bool tty = false, input = false;  // input: it gets one, by frames
  bool detach = false;              // answered once it has begun
  bool no_wait = false;             // else a running operation of the stack is waited for
  WindowSize size;
};
struct ExecStarted {
  std::string exec, id;  // exec: the engine's; "" for a container of its own
  std::string service, container;
  int number = 1;    // 0 for a one-off
  bool tty = false;  // it has a terminal
};
struct ExecResult {
  std::string exec;
  std::string container, container_id;  // of a one-off
  std::optional<int> exit_code;         // none: it runs on
  std::string output, errors;           // the last of what it wrote; in frames they are not here
  std::vector<std::string> warnings;    // hooks of a one-off that failed
};

// POST /v1/run: a one-off, which is a container of its own as the service's are, with another command. What
// the service needs is brought up first, as an up would. Upgraded to frames as exec.
struct RunRequest {
  UpRequest stack;  // its services and options are not looked at
  std::string service;
  std::vector<std::string> command;         // none: the service's own
  std::optional<std::string> entrypoint;    // words, as a shell takes them apart
  std::string name;                         // of the container; "" PROJECT-SERVICE-run-HASH
  std::vector<std::string> environment;     // NAME=VALUE
  std::vector<std::string> labels;          // NAME=VALUE
  std::vector<std::string> volumes, ports;  // over the service's mounts, in Compose's short forms
  std::vector<std::string> cap_add, cap_drop;
  std::string user, working_dir;
  std::string pull;  // always, missing, never
  bool service_ports = false, use_aliases = false, remove_orphans = false;
  bool remove = false;   // once it has ended
  bool no_deps = false;  // what the service needs is left as it is
  bool build = false;
  bool tty = false, input = false;
  bool detach = false;   // answered once it has begun
  bool no_wait = false;  // while an operation of the stack runs: what there is is taken as it is
  WindowSize size;
};

// POST /v1/stacks/{id}/attach: the ends of a container's own command, upgraded to frames as exec.
struct AttachRequest {
  std::string service;
  int index = 0;       // the replica's number; 0: the first that runs
  bool input = false;  // where the service has one (stdin_open)
  WindowSize size;
};

// /v1/stacks/{id}/archive: a file of a container, as the engine tells of it.
struct PathStat {
  std::string container, name, kind;  // kind: file, directory, link, other
  std::int64_t size = 0;
  std::string link_target;  // of a link, absolute
};

// GET /v1/stacks/{id}/images: what its containers are made from.
struct ImageRow {
  std::string container, service, repository, tag, platform, id, created_at;
  std::int64_t size = 0;
};

// GET /v1/stacks/{id}/stats: a line each time; of a process without what only the engine counts.
struct StatsRow {
  std::string id, name, service;
  double cpu_percent = 0;  // of one core
  std::int64_t memory_bytes = 0, memory_limit = 0;
  std::int64_t network_in = 0, network_out = 0, block_in = 0, block_out = 0;
  int pids = 0;
};
struct Stats {
  std::vector<StatsRow> rows;
};

// GET /v1/stacks/{id}/container-events: the engine's own, of the containers of services.
struct ContainerEvent {
  std::string at, action, id, service;
  std::map<std::string, std::string> attributes;
};

struct Info {
  std::string version, api_version = "1", home, socket, log_level;
  std::string engine_host, engine_chosen_by /* why this one, in words */,
      engine_state /* reachable, unreachable */, engine_version, engine_api_version, engine_error;
  int pid = 0, stacks = 0, operations_running = 0, port_first = 0, port_last = 0;
  std::string started_at;
  // How long anything had to wait for the control thread, in microseconds, since the daemon began: the
  // longest turn of that thread's own time and whose it was, the longest by the clock, how late timers came.
  std::int64_t longest_turn_us = 0, longest_wait_us = 0, longest_lag_us = 0, recent_lag_us = 0,
               long_turns = 0;
  std::string longest_turn_of;
  std::int64_t store_commits = 0;  // since the daemon began; each has waited for the disk
};

#define STACKD_WIRE(Type)                     \
  void to_json(nlohmann::json&, const Type&); \
  void from_json(const nlohmann::json&, Type&)
STACKD_WIRE(Problem);
STACKD_WIRE(UpOptions);
STACKD_WIRE(UpRequest);
STACKD_WIRE(ImagesRequest);
STACKD_WIRE(DownRequest);
STACKD_WIRE(ServicesRequest);
STACKD_WIRE(HooksRunRequest);
STACKD_WIRE(HooksResetRequest);
STACKD_WIRE(PruneRequest);
STACKD_WIRE(PlanRequest);
STACKD_WIRE(PlanChange);
STACKD_WIRE(PlanAction);
STACKD_WIRE(Plan);
STACKD_WIRE(Port);
STACKD_WIRE(ContainerView);
STACKD_WIRE(Service);
STACKD_WIRE(StepView);
STACKD_WIRE(FailureCause);
STACKD_WIRE(FailedPart);
STACKD_WIRE(OperationError);
STACKD_WIRE(Operation);
STACKD_WIRE(Stack);
STACKD_WIRE(Blocking);
STACKD_WIRE(Waited);
STACKD_WIRE(TopContainer);
STACKD_WIRE(TopProcess);
STACKD_WIRE(TopService);
STACKD_WIRE(Top);
STACKD_WIRE(HookRun);
STACKD_WIRE(Event);
STACKD_WIRE(LogLine);
STACKD_WIRE(Validation);
STACKD_WIRE(Config);
STACKD_WIRE(GraphEdge);
STACKD_WIRE(GraphNode);
STACKD_WIRE(Graph);
STACKD_WIRE(Command);
STACKD_WIRE(Surroundings);
STACKD_WIRE(PublishedPort);
STACKD_WIRE(ContainerRow);
STACKD_WIRE(ContainersRequest);
STACKD_WIRE(ContainersDone);
STACKD_WIRE(VolumeView);
STACKD_WIRE(WindowSize);
STACKD_WIRE(ExecRequest);
STACKD_WIRE(ExecStarted);
STACKD_WIRE(ExecResult);
STACKD_WIRE(RunRequest);
STACKD_WIRE(AttachRequest);
STACKD_WIRE(PathStat);
STACKD_WIRE(ImageRow);
STACKD_WIRE(StatsRow);
STACKD_WIRE(Stats);
STACKD_WIRE(ContainerEvent);
STACKD_WIRE(Info);
#undef STACKD_WIRE

// Event kinds and their data (docs/api.md has examples):
//   operation.started {kind}                operation.ended {state, error?, warnings}
//   operation.rolling_back {kind, reason}
//   step.started {key, kind, service}       step.ended {key, kind, service, state, reason, duration_ms}
//   service.status {service, status, from, to, cause, since, reason?, exit_code?, changes?}
//   stack.status {status, from, to}
//   hook.started {run, phase, index, service, place, command}
//   hook.output {run, phase, index, service, line}          (a passing note)
//   hook.ended {run, phase, index, service, state, exit_code, reason, duration_ms, stderr_tail, log}
//   progress {service, text}                                 (a passing note: pull and build lines)
//   exec.started {id, exec, service, container, command}    exec.ended {id, exit_code?, reason}
//   run.started {id, service, container, command}           run.ended {id, service, exit_code?, reason?}
//   warning {message}
//   engine.lost {}  engine.found {}

}  // namespace stackd::proto
