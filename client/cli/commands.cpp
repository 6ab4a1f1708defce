#include "client/cli/commands.hpp"

#include <memory>

#include "client/cli/builders.hpp"
#include "client/cli/cli.hpp"
#include "client/commands/commands.hpp"
#include "client/error.hpp"
#include "proto/verbs.hpp"

namespace stackd::client {
namespace {

Run build_status(CLI::App& app) {
  auto watch = std::make_shared<bool>(false);
  app.add_flag("-w,--watch", *watch, "Again at each change, until Ctrl-C");
  return [watch](Context& context) { return run_status(context, *watch); };
}

Run build_wait(CLI::App& app) {
  auto args = std::make_shared<WaitArgs>();
  app.add_option("services", args->services, "Only these")->type_name("SERVICE");
  app.add_option("--for", args->wanted, "What to wait for")
      ->type_name("STATE")
      ->check(CLI::IsMember({"ready", "healthy", "stopped", "exited"}))
      ->capture_default_str();
  app.add_option("--timeout", args->timeout, "Give up after this long, with exit code 1, and say what blocks")
      ->type_name("DURATION")
      ->capture_default_str();
  return [args](Context& context) { return run_wait(context, *args); };
}
Run build_top(CLI::App& app) {
  auto services = std::make_shared<std::vector<std::string>>();
  app.add_option("services", *services, "Only these")->type_name("SERVICE");
  return [services](Context& context) { return run_top(context, *services); };
}
Run build_urls(CLI::App&) {
  return run_urls;
}
Run build_init(CLI::App&) {
  return run_init;
}
Run build_version(CLI::App& app) {
  auto brief = std::make_shared<bool>(false);
  auto format = std::make_shared<std::string>();
  app.add_flag("--short", *brief, "Only this program's number");
  app.add_option("-f,--format", *format, "How to print it")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"pretty", "json"}));
  return [brief, format](Context& context) { return run_version(context, *brief, *format == "json"); };
}

Run build_ls(CLI::App& app) {
  auto all = std::make_shared<bool>(false), quiet = std::make_shared<bool>(false);
  app.add_flag("-a,--all", *all, "Those that are down as well");
  app.add_flag("-q,--quiet", *quiet, "Only their names");
  return [all, quiet](Context& context) { return run_ls(context, *all, *quiet); };
}

Run build_validate(CLI::App& app) {
  auto input = std::make_shared<bool>(false);
  app.add_flag("--stdin", *input, "The standard input has the text of the one -f, as an editor has it");
  return [input](Context& context) { return run_validate(context, *input); };
}

Run build_schema(CLI::App& app) {
  auto compose = std::make_shared<bool>(false);
  app.add_flag("--compose", *compose, "Of a compose.yaml: what is stackd's stands under x-stackd");
  return [compose](Context& context) { return run_schema(context, *compose); };
}

Run build_config(CLI::App& app) {
  auto args = std::make_shared<ConfigArgs>();
  app.add_option("services", args->services, "Only these, and what they depend on")->type_name("SERVICE");
  app.add_option("--format", args->format, "How to print it")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"yaml", "json"}));
  app.add_flag("--services", args->list_services, "Only the services' names");
  app.add_flag("--images", args->images, "Only the images' names");
  app.add_flag("--volumes", args->volumes, "Only the volumes' names");
  app.add_flag("--networks", args->networks, "Only the networks' names");
  app.add_flag("--profiles", args->profiles, "Only the names of the profiles that services have");
  app.add_option("--hash", args->hash, "Only the hash of a service's definition; * for all")
      ->type_name("SERVICE");
  app.add_flag("--models", args->models, "Only the models' names");
  app.add_flag("--variables", args->variables, "Only the variables that the files name, with their defaults");
  app.add_flag("--environment", args->environment, "Only what interpolation sees");
  app.add_flag("--resolve-image-digests", args->resolve_digests,
               "Images by the digests that registries have now");
  app.add_flag("--lock-image-digests", args->lock_digests,
               "Only the images, by their digests: a file to be put over this");
  app.add_flag("--no-interpolate", args->no_interpolate, "Leave each ${…} as it is written");
  app.add_flag("--no-normalize", args->no_normalize, "Leave out what Compose fills in");
  app.add_flag("--no-path-resolution", args->no_path_resolution, "Leave relative paths relative");
  app.add_flag("--no-consistency", args->no_consistency, "Do not check that what is named is there");
  app.add_flag_callback(
      "--no-env-resolution", [] {}, "As Compose has it: changes nothing of what is printed");
  app.add_option("-o,--output", args->output, "Write it into this file")->type_name("FILE");
  app.add_flag("-q,--quiet", args->quiet, "Print nothing, only check");
  return [args](Context& context) { return run_config(context, *args); };
}

Run build_graph(CLI::App& app) {
  auto args = std::make_shared<GraphArgs>();
  app.add_option("services", args->services, "Only these, and what they depend on")->type_name("SERVICE");
  app.add_option("--format", args->format, "How to print it")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "dot", "json"}));
  app.add_flag_callback(
      "--dot", [args] { args->format = "dot"; }, "The same as --format dot, for Graphviz");
  return [args](Context& context) { return run_graph(context, *args); };
}

Run build_logs(CLI::App& app) {
  auto args = std::make_shared<LogsArgs>();
  app.add_option("services", args->services, "Only these; before_up, or db.pre_stop, is a hook's")
      ->type_name("SERVICE");
  app.add_flag("-f,--follow", args->follow, "Go on as more is written");
  app.add_option("-n,--tail", args->tail, "Only the last N lines of each")->type_name("N");
  app.add_option("--since", args->since, "Only since this time, or this long ago, as in 10m")
      ->type_name("WHEN");
  app.add_option("--until", args->until, "Only until this time, or this long ago")->type_name("WHEN");
  app.add_flag("-t,--timestamps", args->timestamps, "Show when each line was written");
  app.add_flag("--keep", args->keep, "With -f: go on when the stack is down");
  app.add_flag("--raw", args->raw, "Control sequences as they were written, on a terminal too");
  app.add_flag("--no-log-prefix", args->no_prefix, "Without the service before each line");
  app.add_flag("--no-color", args->no_colour, "Without colours");
  return [args](Context& context) { return run_logs(context, *args); };
}

Run build_hooks(CLI::App& app) {
  auto args = std::make_shared<HooksArgs>();
  app.add_option("words", args->words, "A run's record and log, by its id or a hook such as after_up[0]")
      ->type_name("RUN");
  app.footer(
      "  stackctl hooks run HOOK...      run after_up[0], after_up or db.post_start[1] by hand\n"
      "  stackctl hooks reset [PHASE]    forget what `once` and `run: changed` remember");
  app.add_flag("-f,--follow", args->follow, "Go on while it runs");
  return [args](Context& context) { return run_hooks(context, *args); };
}

Run build_timeline(CLI::App& app) {
  auto operation = std::make_shared<std::string>();
  app.add_option("operation", *operation, "Its id; else the stack's last one")->type_name("OPERATION");
  return [operation](Context& context) { return run_timeline(context, *operation); };
}

Run build_env(CLI::App& app) {
  auto group = std::make_shared<std::string>();
  app.add_option("group", *group, "With this env_group")->type_name("GROUP");
  return [group](Context& context) { return run_env(context, *group); };
}

Run build_prune(CLI::App& app) {
  auto args = std::make_shared<PruneArgs>();
  app.add_flag("-y,--yes", args->yes, "Do not ask");
  app.add_flag("--dry-run", args->dry_run, "Show what would be removed; 10 when there is something");
  return [args](Context& context) { return run_prune(context, *args); };
}

Run build_rollback(CLI::App&) {
  return run_rollback;
}

Run build_cancel(CLI::App&) {
  return run_cancel;
}

Run build_nuke(CLI::App& app) {
  auto args = std::make_shared<NukeArgs>();
  app.add_flag("-y,--yes", args->yes, "Do not ask");
  app.add_flag("-v,--volumes", args->volumes, "Remove their volumes as well");
  return [args](Context& context) { return run_nuke(context, *args); };
}

Run build_daemon(CLI::App& app) {
  auto action = std::make_shared<std::string>("status");
  app.add_option("action", *action, "What to do with it")
      ->type_name("ACTION")
      ->check(CLI::IsMember({"status", "start", "stop", "install"}));
  return [action](Context& context) { return run_daemon(context, *action); };
}

Run build_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  app.add_option("shell", *shell, "The shell whose script is printed; install writes it where that looks")
      ->type_name("SHELL")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish", "install", "words"}));
  auto kind = std::make_shared<std::string>();
  // For the scripts themselves the kind of words.
  app.add_option("for", *kind, "For install: which, when it is not the one in $SHELL")->type_name("SHELL");
  return [shell, kind](Context& context) {
    if (*shell == "install") return install_completion(context, *kind);
    if (*shell == "words") return run_words(context, *kind);
    context.out(completion_script(*shell, all_commands()));
    return static_cast<int>(proto::k_done);
  };
}

// How a command's options are read, and what it does then.
Command command_of(const proto::VerbRow& row) {
  const auto made = [&](Run (*build)(CLI::App&), bool takes_a_command = false,
                        void (*more_help)(Context&) = nullptr) {
    return Command{row.name, row.summary, build, takes_a_command, more_help};
  };
  switch (row.verb) {
    case proto::Verb::up:
      return made(build_up);
    case proto::Verb::down:
      return made(build_down);
    case proto::Verb::diff:
      return made(build_diff);
    case proto::Verb::status:
      return made(build_status);
    case proto::Verb::wait:
      return made(build_wait);
    case proto::Verb::ls:
      return made(build_ls);
    case proto::Verb::build:
      return made(build_build);
    case proto::Verb::pull:
      return made(build_pull);
    case proto::Verb::push:
      return made(build_push);
    case proto::Verb::restart:
      return made(build_restart);
    case proto::Verb::stop:
      return made(build_stop);
    case proto::Verb::start:
      return made(build_start);
    case proto::Verb::logs:
      return made(build_logs);
    case proto::Verb::hooks:
      return made(build_hooks);
    case proto::Verb::timeline:
      return made(build_timeline);
    case proto::Verb::events:
      return made(build_events);
    case proto::Verb::urls:
      return made(build_urls);
    case proto::Verb::top:
      return made(build_top);
    case proto::Verb::env:
      return made(build_env);
    case proto::Verb::exec:
      return made(build_exec, true);
    case proto::Verb::run:
      return made(build_run, true, help_run);
    case proto::Verb::ps:
      return made(build_ps);
    case proto::Verb::kill:
      return made(build_kill);
    case proto::Verb::pause:
      return made(build_pause);
    case proto::Verb::unpause:
      return made(build_unpause);
    case proto::Verb::port:
      return made(build_port);
    case proto::Verb::rm:
      return made(build_rm);
    case proto::Verb::scale:
      return made(build_scale);
    case proto::Verb::volumes:
      return made(build_volumes);
    case proto::Verb::validate:
      return made(build_validate);
    case proto::Verb::schema:
      return made(build_schema);
    case proto::Verb::config:
      return made(build_config);
    case proto::Verb::graph:
      return made(build_graph);
    case proto::Verb::init:
      return made(build_init);
    case proto::Verb::prune:
      return made(build_prune);
    case proto::Verb::cancel:
      return made(build_cancel);
    case proto::Verb::rollback:
      return made(build_rollback);
    case proto::Verb::attach:
      return made(build_attach);
    case proto::Verb::create:
      return made(build_create);
    case proto::Verb::cp:
      return made(build_cp);
    case proto::Verb::images:
      return made(build_images);
    case proto::Verb::stats:
      return made(build_stats);
    case proto::Verb::nuke:
      return made(build_nuke);
    case proto::Verb::daemon:
      return made(build_daemon);
    case proto::Verb::completion:
      return made(build_completion);
    case proto::Verb::version:
      return made(build_version);
  }
  return {};
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> all = [] {
    std::vector<Command> made;
    for (const auto& row : proto::k_verbs) made.push_back(command_of(row));
    return made;
  }();
  return all;
}

}  // namespace stackd::client
