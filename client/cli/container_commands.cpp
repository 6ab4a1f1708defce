// Options of the commands that Compose has for what is in containers.
#include <memory>

#include "client/cli/builders.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/containers.hpp"
#include "client/error.hpp"

namespace stackd::client {

namespace {

constexpr const char* k_no_wait = "Also while an operation of the stack runs";

Run build_containers(CLI::App& app, const std::string& verb, const std::shared_ptr<ContainersArgs>& args) {
  app.add_option("services", args->services, "Only these")->type_name("SERVICE");
  app.add_flag("--no-wait", args->no_wait, k_no_wait);
  return [args, verb](Context& context) { return run_containers(context, verb, *args); };
}

}  // namespace

Run build_exec(CLI::App& app) {
  auto args = std::make_shared<ExecArgs>();
  auto ignored = std::make_shared<bool>(false);
  app.add_flag("-d,--detach", args->detach, "Leave it to itself, in the container");
  each_time(
      app.add_option("-e,--env", args->environment, "A variable for it: NAME=VALUE, or NAME as it is here"))
      ->type_name("NAME[=VALUE]");
  app.add_option("--index", args->index, "In this replica of the service")->type_name("N");
  app.add_flag("-T,--no-tty,--no-TTY", args->no_tty, "Without a terminal, as on a pipe");
  app.add_flag("-i,--interactive", *ignored, "Its input is ours, as it is without this");
  app.add_flag("-t,--tty", *ignored, "A terminal where there is one, as without this");
  app.add_flag("--privileged", args->privileged, "With all rights");
  app.add_option("-u,--user", args->user, "As this user")->type_name("USER");
  app.add_option("-w,--workdir", args->working_dir, "In this directory of the container")->type_name("DIR");
  app.add_flag("--no-wait", args->no_wait, k_no_wait);
  app.add_option("--env-group", args->env_group, "On this host, with this env_group")->type_name("GROUP");
  app.footer(
      "In a service's container (a process service: beside it on this host), when the first word is one:\n"
      "  stackctl exec [OPTIONS] SERVICE COMMAND [ARGUMENT...]\n"
      "Else, and always after --, on this host with the stack's environment:\n"
      "  stackctl exec [OPTIONS] [--] COMMAND [ARGUMENT...]\n"
      "Ctrl-P Ctrl-Q leaves a terminal and lets the command go on.");
  return [args, &app](Context& context) {
    args->command = app.remaining();
    args->on_host = !args->command.empty() && args->command.front() == "--";
    if (args->on_host) args->command.erase(args->command.begin());
    if (args->command.empty())
      throw ClientError(proto::k_bad_usage, "no command to run: stackctl exec [--] COMMAND…");
    if (!args->on_host && args->command.front()[0] == '-')
      throw ClientError(proto::k_bad_usage,
                        "exec has no option " + args->command.front() + " (-- begins the command)");
    return run_exec(context, *args);
  };
}

Run build_ps(CLI::App& app) {
  auto args = std::make_shared<PsArgs>();
  app.add_option("services", args->services, "Only these")->type_name("SERVICE");
  app.add_flag("-a,--all", args->all, "Those that do not run as well");
  app.add_flag("-q,--quiet", args->quiet, "Only their ids");
  app.add_flag("--services", args->list_services, "Only the services that run");
  each_time(app.add_option("--status", args->status, "Only in this state"))
      ->type_name("STATE")
      ->check(CLI::IsMember({"created", "running", "paused", "restarting", "removing", "exited", "dead"}));
  app.add_option("--format", args->format, "table, json, or fields such as {{.Name}} {{.Status}}")
      ->type_name("FORMAT");
  app.add_flag("--no-trunc", args->whole, "Ids and commands as long as they are");
  app.add_flag("--orphans,!--no-orphans", args->orphans,
               "Those of services that are gone from the file as well");
  return [args](Context& context) { return run_ps(context, *args); };
}

Run build_kill(CLI::App& app) {
  auto args = std::make_shared<ContainersArgs>();
  app.add_option("-s,--signal", args->signal, "This one instead of SIGKILL")->type_name("SIGNAL");
  return build_containers(app, "kill", args);
}
Run build_pause(CLI::App& app) {
  return build_containers(app, "pause", std::make_shared<ContainersArgs>());
}
Run build_unpause(CLI::App& app) {
  return build_containers(app, "unpause", std::make_shared<ContainersArgs>());
}
Run build_rm(CLI::App& app) {
  auto args = std::make_shared<ContainersArgs>();
  app.add_flag("-f,--force", args->force, "Do not ask");
  app.add_flag("-s,--stop", args->stop, "Stop those that run, and remove them too");
  app.add_flag("-v,--volumes", args->volumes, "Remove their anonymous volumes as well");
  return build_containers(app, "rm", args);
}

Run build_port(CLI::App& app) {
  auto args = std::make_shared<PortArgs>();
  app.add_option("service", args->service, "Whose")->type_name("SERVICE")->required();
  app.add_option("port", args->port, "In the container")->type_name("PORT")->required();
  app.add_option("--protocol", args->protocol, "tcp or udp")
      ->type_name("PROTOCOL")
      ->check(CLI::IsMember({"tcp", "udp"}));
  app.add_option("--index", args->index, "Of this replica of the service")->type_name("N");
  return [args](Context& context) { return run_port(context, *args); };
}

Run build_scale(CLI::App& app) {
  auto counts = std::make_shared<std::vector<std::string>>();
  auto no_deps = std::make_shared<bool>(false);
  app.add_option("counts", *counts, "How many of which")->type_name("SERVICE=N")->required();
  app.add_flag("--no-deps", *no_deps, "Leave out what the services depend on");
  return [counts, no_deps](Context& context) { return run_scale(context, *counts, !*no_deps); };
}

Run build_volumes(CLI::App& app) {
  auto args = std::make_shared<VolumesArgs>();
  app.add_flag("-q,--quiet", args->quiet, "Only their names");
  app.add_option("--format", args->format, "table or json")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"table", "json"}));
  return [args](Context& context) { return run_volumes(context, *args); };
}

}  // namespace stackd::client
