// stackctl env: the stack's environment as lines that a shell can source.
#include "client/commands/commands.hpp"
#include "client/commands/host_command.hpp"
#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

// Of a stack that was brought up what its services and hooks have; else what its file says now. A document is
// for looking at: secrets are masked in it, as everywhere in the API; the lines for a shell have them.
std::map<std::string, std::string> variables(Context& context, const std::string& group) {
  std::string id;
  try {
    id = context.stack().id;
  } catch (const ClientError& error) {
    if (error.exit_code() != proto::k_not_found) throw;
    return context.api().surroundings(host_request(context), "", group).environment;
  }
  return context.api().environment(id, group, !context.json());
}

}  // namespace

int run_env(Context& context, const std::string& group) {
  const auto environment = variables(context, group);
  if (context.json()) {
    context.document(nlohmann::json{{"environment", environment}}.dump());
    return proto::k_done;
  }
  std::string text;
  for (const auto& [name, value] : environment)
    if (is_shell_name(name)) text += "export " + name + "=" + shell_quote(value) + "\n";
  context.out(text);
  return proto::k_done;
}

}  // namespace stackd::client
