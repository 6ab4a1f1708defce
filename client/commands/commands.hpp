// The commands, one file each. A command gets its own options and the context, and returns stackctl's exit
// code; it throws what main() prints. cli/ binds options to these structs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/commands/foreground.hpp"
#include "client/context.hpp"

namespace stackd::client {

struct UpArgs {
  std::vector<std::string> services;
  ForegroundArgs foreground;
  std::string pull, timeout, rerun_hooks;
  std::vector<std::string> scale;  // SERVICE=N
  std::vector<std::string> skip_hooks;
  std::optional<int> stop_timeout, wait_timeout;  // seconds
  bool no_recreate = false, always_recreate_deps = false, renew_anon_volumes = false, no_start = false,
       no_build = false, wait = false, supersede = false, adopt = false;
  bool detach = false, build = false, rebuild = false, force_recreate = false, no_deps = false,
       remove_orphans = false, keep = false, dry_run = false;
};
int run_up(Context& context, const UpArgs& args);
int run_diff(Context& context, const UpArgs& args);

struct DownArgs {
  bool volumes = false, remove_orphans = false, dry_run = false, skip_hooks = false;
  std::string rmi;
  std::optional<int> timeout;
  std::vector<std::string> services;
};
int run_down(Context& context, const DownArgs& args);

struct ImagesArgs {
  std::vector<std::string> services, build_args;  // NAME=VALUE, or NAME
  std::vector<std::string> ssh;                   // default, or ID=PATH
  std::string policy;
  bool no_cache = false, pull = false, include_deps = false, ignore_failures = false, push = false,
       print = false;
};
// `action`: build, pull, push.
int run_images(Context& context, const std::string& action, const ImagesArgs& args);

struct ServicesArgs {
  bool dry_run = false, no_deps = false;
  std::vector<std::string> services;
  std::optional<int> timeout;
};
// `verb`: stop, start, restart.
int run_services(Context& context, const std::string& verb, const ServicesArgs& args);

int run_status(Context& context, bool watch);
struct WaitArgs {
  std::string wanted = "ready", timeout = "60s";
  std::vector<std::string> services;
};
int run_wait(Context& context, const WaitArgs& args);
int run_ls(Context& context, bool all, bool quiet);
int run_top(Context& context, const std::vector<std::string>& services);
int run_urls(Context& context);
int run_validate(Context& context, bool from_input);  // the text of the one -f is on the standard input
int run_schema(Context& context, bool compose);
struct ConfigArgs {
  std::vector<std::string> services;
  std::string format, hash, output;
  bool list_services = false, images = false, volumes = false, networks = false, profiles = false,
       models = false, variables = false, environment = false, quiet = false;
  bool no_interpolate = false, no_normalize = false, no_path_resolution = false, no_consistency = false;
  bool resolve_digests = false, lock_digests = false;
};
int run_config(Context& context, const ConfigArgs& args);

struct GraphArgs {
  std::vector<std::string> services;
  std::string format;
};
int run_graph(Context& context, const GraphArgs& args);

int run_version(Context& context, bool brief, bool json);
struct PruneArgs {
  bool yes = false, dry_run = false;
};
int run_prune(Context& context, const PruneArgs& args);
int run_cancel(Context& context);
int run_rollback(Context& context);
struct AttachArgs {
  std::string service, detach_keys = "ctrl-p,ctrl-q";  // service: "" follows the running operation
  int index = 0;
  bool no_input = false, signals = true;
};
int run_attach(Context& context, const AttachArgs& args);

struct LogsArgs {
  std::vector<std::string> services;
  std::string tail = "all", since, until;
  bool follow = false, timestamps = false, no_prefix = false, no_colour = false;
  bool keep = false, raw = false;
};
int run_logs(Context& context, const LogsArgs& args);

struct HooksArgs {
  std::vector<std::string> words;  // RUN; or `run HOOK…`, `reset [PHASE]`
  bool follow = false;
};
int run_hooks(Context& context, const HooksArgs& args);

int run_timeline(Context& context, const std::string& operation);

struct EventsArgs {
  std::string since, until;
  bool compose = false;  // the engine's, as Compose prints them
  std::vector<std::string> services;
};
int run_events(Context& context, const EventsArgs& args);

int run_env(Context& context, const std::string& group);

struct ExecArgs {
  std::string env_group, user, working_dir;
  std::vector<std::string> command, environment;
  std::optional<int> index;
  bool on_host = false;  // whatever the first word is
  bool detach = false, no_tty = false, privileged = false, no_wait = false;
};
int run_exec(Context& context, const ExecArgs& args);

struct RunArgs {
  std::string name;  // "": shows which commands there are
  std::vector<std::string> arguments;
  bool describe = false;
  bool is_command = false, is_service = false;  // said so, for a word that is both
  // Of a one-off; RunRequest has them.
  std::vector<std::string> environment, labels, volumes, ports, cap_add, cap_drop;
  std::string user, working_dir, container_name, pull;
  std::optional<std::string> entrypoint;
  bool remove = false, detach = false, service_ports = false, use_aliases = false, no_deps = false,
       build = false, no_tty = false, interactive = true, quiet = false, remove_orphans = false,
       no_wait = false;
};
int run_run(Context& context, const RunArgs& args);
// Which commands the file has: the end of `run --help`.
void help_run(Context& context);

// For shells: `kind` is service, stack, profile, operation, hook or command. Prints nothing where it cannot
// know.
int run_words(Context& context, const std::string& kind);

// Writes the script for a shell, "" is the one of $SHELL, where that looks for it.
int install_completion(Context& context, const std::string& shell);

int run_init(Context& context);

struct NukeArgs {
  bool yes = false, volumes = false;
};
int run_nuke(Context& context, const NukeArgs& args);

// `action`: status, start, stop, install.
int run_daemon(Context& context, const std::string& action);

}  // namespace stackd::client
