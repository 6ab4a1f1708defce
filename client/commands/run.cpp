// stackctl run: one of the file's `commands` on this host, or a one-off of a service in a container.
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "client/attach.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/host_command.hpp"
#include "client/commands/service_words.hpp"
#include "client/error.hpp"
#include "client/follow.hpp"
#include "client/terminal.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

std::string first_line(const std::string& text) {
  const auto lines = lines_of(text);
  return lines.empty() ? "" : lines.front();
}

void describe(const Context& context, const proto::Command& command) {
  std::string text = "stackctl run " + command.name + " [ARGUMENT...]\n";
  if (!command.description.empty()) text += "\n" + command.description + "\n";
  text += "\n";
  for (const auto& line : lines_of(command.command)) text += "  " + line + "\n";
  text += "\nin " + command.directory + ", with the environment of group '" + command.env_group + "'\n";
  context.out(text);
}

// What only a one-off has; "" when none of it was given.
std::string one_off_option(const RunArgs& args) {
  if (args.remove) return "--rm";
  if (args.detach) return "--detach";
  if (!args.environment.empty()) return "--env";
  if (!args.volumes.empty()) return "--volume";
  if (!args.ports.empty()) return "--publish";
  if (!args.labels.empty()) return "--label";
  if (!args.user.empty()) return "--user";
  if (!args.working_dir.empty()) return "--workdir";
  if (!args.container_name.empty()) return "--name";
  if (args.entrypoint) return "--entrypoint";
  if (args.service_ports) return "--service-ports";
  if (args.no_deps) return "--no-deps";
  return args.build ? "--build" : "";
}

// A path is this shell's: the daemon's directory is another.
std::string volume_text(const Context& context, const std::string& text) {
  const std::string source = text.substr(0, text.find(':'));
  if (source.size() == text.size() || (source[0] != '.' && source[0] != '~')) return text;
  std::filesystem::path path = source;
  if (const char* home = std::getenv("HOME"); source[0] == '~' && home)
    path = home + source.substr(1);
  else
    path = std::filesystem::path(context.up_request().directory) / source;
  return path.lexically_normal().string() + text.substr(source.size());
}

proto::RunRequest request_of(const Context& context, const RunArgs& args, proto::UpRequest stack) {
  proto::RunRequest request;
  request.stack = std::move(stack);
  request.service = args.name;
  request.command = args.arguments;
  request.entrypoint = args.entrypoint;
  request.name = args.container_name;
  request.environment = with_values(args.environment);
  request.labels = args.labels;
  for (const auto& volume : args.volumes) request.volumes.push_back(volume_text(context, volume));
  request.ports = args.ports;
  request.cap_add = args.cap_add;
  request.cap_drop = args.cap_drop;
  request.user = args.user;
  request.working_dir = args.working_dir;
  request.pull = args.pull;
  request.service_ports = args.service_ports;
  request.use_aliases = args.use_aliases;
  request.remove_orphans = args.remove_orphans;
  request.remove = args.remove;
  request.no_deps = args.no_deps;
  request.build = args.build;
  request.detach = args.detach;
  request.input = args.interactive && !context.json();
  request.tty = !args.no_tty && !context.json() && ::isatty(1) && (args.detach || ::isatty(0));
  request.size = window_size();
  request.no_wait = args.no_wait;
  return request;
}

// An operation of the stack that runs is said to be waited for; one whose own hook this is, is not.
bool no_wait(Context& context, bool asked) {
  try {
    return !tell_of_wait(context, context.stack(), asked);
  } catch (const ClientError& error) {
    if (error.exit_code() != proto::k_not_found) throw;
  }
  return asked;
}

int one_off(Context& context, const RunArgs& args, const proto::UpRequest& stack) {
  proto::RunRequest request = request_of(context, args, stack);
  request.no_wait = no_wait(context, args.no_wait);
  const auto text = nlohmann::json(request).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (context.json()) {
    const std::string answer = context.api().post_patiently("/v1/run", text);
    context.document(answer);
    return exit_status(nlohmann::json::parse(answer).get<proto::ExecResult>());
  }
  AttachOptions options;
  options.tty = request.tty && !request.detach;
  options.input = request.input && !request.detach;
  options.signals = !request.detach;
  options.on_preparing = [&](const proto::Operation& operation) {
    const auto shown = context.progress_beside(args.quiet);
    follow(context.api(), operation.id, *shown, {.interrupt_cancels = true});
  };
  const auto result = attach(context.api().upgrade("/v1/run", text), options);
  context.warn(result.warnings);
  if (request.detach && !args.quiet) context.out(result.container_id + "\n");
  return exit_status(result);
}

bool is_among(const std::vector<proto::Command>& commands, const std::string& name) {
  return std::any_of(commands.begin(), commands.end(), [&](const auto& one) { return one.name == name; });
}

bool is_near(const std::vector<proto::Command>& commands, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& command : commands) names.push_back(command.name);
  return !nearest(name, names).empty();
}

// Whether the word is one of the file's commands, and not a service. Throws when it may be both.
bool means_command(Context& context, const RunArgs& args, const std::vector<proto::Command>& commands) {
  if (args.is_service) return false;
  const std::string option = one_off_option(args);
  if (args.is_command && !option.empty())
    throw ClientError(proto::k_bad_usage, option +
                                              " is for a one-off of a service, and --command says that '" +
                                              args.name + "' is one of the file's commands");
  if (args.is_command || !is_among(commands, args.name)) return args.is_command;
  const auto service = service_named(context, args.name);
  if (!service || service->kind != "container") return true;
  throw ClientError(proto::k_bad_usage,
                    "'" + args.name +
                        "' is a command of the stack file and a service: `stackctl run --command " +
                        args.name + "` runs the command on this host, `stackctl run --service " + args.name +
                        "` a one-off in a container");
}

[[noreturn]] void refuse(const std::string& name, const std::vector<proto::Command>& all) {
  std::vector<std::string> names;
  for (const auto& command : all) names.push_back(command.name);
  const std::string near = nearest(name, names);
  throw ClientError(proto::k_not_found,
                    "the stack file has no command '" + name + "'" +
                        (near.empty() ? names.empty() ? std::string(", nor any other under `commands`")
                                                      : ": there are " + join(names, ", ")
                                      : ": did you mean '" + near + "'?"));
}

}  // namespace

std::string commands_text(const std::vector<proto::Command>& all) {
  if (all.empty()) return "The stack file has no commands.\n";
  std::size_t width = 0;
  for (const auto& command : all) width = std::max(width, command.name.size());
  std::string text = "Commands of the stack file:\n";
  for (const auto& command : all)
    text += "  " + pad(command.name, static_cast<int>(width) + 2) +
            first_line(command.description.empty() ? command.command : command.description) + "\n";
  return text;
}

void help_run(Context& context) {
  context.out("\n" + commands_text(context.api().commands(host_request(context))));
}

int run_run(Context& context, const RunArgs& args) {
  const proto::UpRequest request = host_request(context);
  if (args.name.empty()) {
    if (context.json())
      context.document(context.api().post("/v1/commands", nlohmann::json(request).dump()));
    else
      context.out(commands_text(context.api().commands(request)));
    return proto::k_done;
  }
  const auto all = context.api().commands(request);
  if (args.describe && !args.is_service) {
    for (const auto& command : all) {
      if (command.name != args.name) continue;
      if (context.json())
        context.document(nlohmann::json(command).dump());
      else
        describe(context, command);
      return proto::k_done;
    }
    if (is_near(all, args.name) && !service_named(context, args.name)) refuse(args.name, all);
  }
  if (!means_command(context, args, all)) {
    try {
      return one_off(context, args, request);
    } catch (const ApiError& error) {
      if (error.problem().code != "not-found" || args.is_service || all.empty()) throw;
      auto problem = error.problem();
      std::vector<std::string> names;
      for (const auto& command : all) names.push_back(command.name);
      const std::string near = nearest(args.name, names);
      problem.detail += " (and it is none of the file's commands: " +
                        (near.empty() ? join(names, ", ") : "did you mean '" + near + "'?") + ")";
      throw ApiError(problem);
    }
  }
  if (!is_among(all, args.name)) refuse(args.name, all);
  const proto::Surroundings surroundings = context.api().surroundings(request, args.name, "");
  std::vector<std::string> words{"/bin/sh", "-c", surroundings.command, args.name};
  words.insert(words.end(), args.arguments.begin(), args.arguments.end());
  return run_on_host(surroundings, words);
}

}  // namespace stackd::client
