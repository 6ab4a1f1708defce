// Options of `run`: of a one-off; the file's `commands` have none of their own.
#include <memory>

#include "client/cli/builders.hpp"
#include "client/commands/commands.hpp"
#include "client/error.hpp"

namespace stackd::client {
namespace {

void add_container_options(CLI::App& app, const std::shared_ptr<RunArgs>& args) {
  app.add_flag("--rm", args->remove, "Remove the container once it has ended, whoever is left to see it");
  app.add_flag("-d,--detach", args->detach, "Leave it to itself, and print the container's id");
  each_time(app.add_option("-e,--env", args->environment, "A variable: NAME=VALUE, or NAME as it is here"))
      ->type_name("NAME[=VALUE]");
  each_time(app.add_option("-v,--volume", args->volumes, "One more mount: [SOURCE:]TARGET[:OPTIONS]"))
      ->type_name("VOLUME");
  each_time(app.add_option("-p,--publish", args->ports, "Publish a port: [[IP:]HOST:]CONTAINER[/PROTOCOL]"))
      ->type_name("PORT");
  app.add_flag("-P,--service-ports", args->service_ports, "Publish the service's own ports");
  app.add_option("--entrypoint", args->entrypoint, "In place of the image's")->type_name("COMMAND");
  app.add_option("--name", args->container_name, "Of the container")->type_name("NAME");
  each_time(app.add_option("-l,--label", args->labels, "A label of the container"))->type_name("NAME=VALUE");
  app.add_option("-u,--user", args->user, "As this user")->type_name("USER");
  app.add_option("-w,--workdir", args->working_dir, "In this directory of the container")->type_name("DIR");
  each_time(app.add_option("--cap-add", args->cap_add, "A capability more"))->type_name("CAPABILITY");
  each_time(app.add_option("--cap-drop", args->cap_drop, "A capability less"))->type_name("CAPABILITY");
  app.add_flag("--use-aliases", args->use_aliases, "It answers to the service's names on its networks");
}

}  // namespace

Run build_run(CLI::App& app) {
  auto args = std::make_shared<RunArgs>();
  auto ignored = std::make_shared<bool>(false);
  add_container_options(app, args);
  app.add_flag("--no-deps", args->no_deps, "What the service needs is left as it is");
  app.add_flag("--build", args->build, "Build the image first");
  app.add_option("--pull", args->pull, "When to pull the image")
      ->type_name("POLICY")
      ->check(CLI::IsMember({"always", "missing", "never"}));
  app.add_flag("--remove-orphans", args->remove_orphans,
               "Remove containers of services that the file no longer has");
  app.add_flag("-i,--interactive,!--no-interactive", args->interactive,
               "Its input is ours, as it is without this");
  app.add_flag("-t,--tty", *ignored, "A terminal where there is one, as without this");
  app.add_flag("-T,--no-tty,--no-TTY", args->no_tty, "Without a terminal, as on a pipe");
  app.add_flag("-q,--quiet,--quiet-pull,--quiet-build", args->quiet,
               "Show nothing of what has to be done first");
  app.add_flag("--no-wait", args->no_wait,
               "Also while an operation of the stack runs: what there is is taken as it is");
  app.add_flag("--service", args->is_service, "The word is a service, whatever the file has as a command");
  app.add_flag("--command", args->is_command,
               "The word is one of the file's commands, whatever services there are");
  app.footer(
      "A one-off of a service, in a container of its own:\n"
      "  stackctl run [OPTIONS] SERVICE [COMMAND [ARGUMENT...]]\n"
      "One of the file's `commands`, on this host:\n"
      "  stackctl run NAME [ARGUMENT...]\n"
      "`stackctl run` shows which commands there are, `stackctl run NAME --help` what one does.\n"
      "Ctrl-P Ctrl-Q leaves a terminal and lets the container go on.");
  return [args, &app](Context& context) {
    auto words = app.remaining();
    if (!words.empty() && words.front() != "--" && words.front()[0] == '-')
      throw ClientError(proto::k_bad_usage, "run has no option " + words.front() +
                                                " (options come before the service's or the command's name)");
    if (args->is_service && args->is_command)
      throw ClientError(proto::k_bad_usage, "--service and --command exclude each other");
    if (!words.empty() && words.front() == "--") words.erase(words.begin());
    if (!words.empty()) {
      args->name = words.front();
      words.erase(words.begin());
    }
    args->describe = words.size() == 1 && (words[0] == "--help" || words[0] == "-h");
    if (!words.empty() && words.front() == "--") words.erase(words.begin());
    args->arguments = words;
    return run_run(context, *args);
  };
}

}  // namespace stackd::client
