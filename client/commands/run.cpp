// stackctl run: one of the file's `commands`, with arguments.
#include "client/commands/commands.hpp"
#include "client/commands/host_command.hpp"
#include "client/error.hpp"
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
  if (args.describe) {
    const auto all = context.api().commands(request);
    for (const auto& command : all) {
      if (command.name != args.name) continue;
      if (context.json())
        context.document(nlohmann::json(command).dump());
      else
        describe(context, command);
      return proto::k_done;
    }
    refuse(args.name, all);
  }
  const proto::Surroundings surroundings = context.api().surroundings(request, args.name, "");
  std::vector<std::string> words{"/bin/sh", "-c", surroundings.command, args.name};
  words.insert(words.end(), args.arguments.begin(), args.arguments.end());
  return run_on_host(surroundings, words);
}

}  // namespace stackd::client
