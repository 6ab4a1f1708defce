// Options of the commands that Compose has for what is in containers.
#include <memory>

#include "client/cli/builders.hpp"
#include "client/commands/commands.hpp"
#include "client/error.hpp"

namespace stackd::client {

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
  app.add_flag("--no-wait", args->no_wait, "Also while an operation of the stack runs");
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

}  // namespace stackd::client
