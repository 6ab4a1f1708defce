// stackctl exec: a command in a service's container, or on this host: with a process service's environment
// and directory, or the stack's.
#include <unistd.h>

#include "client/attach.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/host_command.hpp"
#include "client/commands/service_words.hpp"
#include "client/error.hpp"
#include "client/terminal.hpp"

namespace stackd::client {
namespace {

// An option that only means something in a container; "" when none was given.
std::string container_option(const ExecArgs& args) {
  if (!args.user.empty()) return "--user";
  if (!args.working_dir.empty()) return "--workdir";
  if (!args.environment.empty()) return "--env";
  if (args.index) return "--index";
  if (args.privileged) return "--privileged";
  if (args.detach) return "--detach";
  return "";
}

int in_container(Context& context, const ExecArgs& args, const NamedService& service) {
  if (!service.stack)
    throw ClientError(
        proto::k_operation_failed,
        "service \"" + service.name + "\" is not running: `stackctl up " + service.name + "` starts it");
  proto::ExecRequest request;
  request.service = service.name;
  request.command.assign(args.command.begin() + 1, args.command.end());
  request.index = args.index.value_or(0);
  request.environment = with_values(args.environment);
  request.user = args.user;
  request.working_dir = args.working_dir;
  request.privileged = args.privileged;
  request.detach = args.detach;
  request.tty = !args.no_tty && !args.detach && !context.json() && ::isatty(0) && ::isatty(1);
  request.input = !args.detach;
  request.size = window_size();
  request.no_wait = !tell_of_wait(context, *service.stack, args.no_wait);
  const std::string target = target::stack(service.stack->id) + "/exec";
  if (args.detach || context.json()) {
    const std::string answer = context.api().post_patiently(target, nlohmann::json(request).dump());
    const auto result = nlohmann::json::parse(answer).get<proto::ExecResult>();
    if (context.json()) context.document(answer);
    return result.exit_code.value_or(proto::k_done);
  }
  const AttachOptions options{.tty = request.tty, .input = request.input};
  return exit_status(attach(context.api().upgrade(target, nlohmann::json(request).dump()), options));
}

}  // namespace

int run_exec(Context& context, const ExecArgs& args) {
  std::optional<NamedService> service;
  if (!args.on_host && args.env_group.empty()) service = service_named(context, args.command.front());
  if (service && args.command.size() < 2)
    throw ClientError(proto::k_bad_usage, "no command to run in " + service->name + ": stackctl exec " +
                                              service->name + " COMMAND…");
  if (service && service->kind == "container") return in_container(context, args, *service);
  if (const auto option = container_option(args); !option.empty())
    throw ClientError(proto::k_bad_usage, option + " is for a command in a container, and '" +
                                              args.command.front() + "' is no service that has one");
  proto::UpRequest request = host_request(context);
  if (service) {
    const std::vector<std::string> words(args.command.begin() + 1, args.command.end());
    return run_on_host(context.api().surroundings_of_service(request, service->name), words);
  }
  return run_on_host(context.api().surroundings(request, "", args.env_group), args.command);
}

}  // namespace stackd::client
