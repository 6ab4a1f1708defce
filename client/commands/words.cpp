// stackctl completion words KIND: what a shell offers at this place. Quick, silent and without consequences:
// no daemon is started, and what cannot be known is left out.
#include <set>

#include "client/commands/commands.hpp"
#include "client/commands/host_command.hpp"
#include "client/error.hpp"
#include "client/output/progress_model.hpp"

namespace stackd::client {
namespace {

std::set<std::string> services(Context& context) {
  std::set<std::string> names;
  try {
    for (const auto& service : context.stack().services) names.insert(service.name);
  } catch (const ClientError&) {
    for (const auto& service : context.api().graph(host_request(context)).services)
      names.insert(service.name);
  }
  return names;
}

std::set<std::string> hooks(Context& context) {
  std::set<std::string> names;
  for (const auto& run : context.api().hooks(context.stack().id))
    names.insert(hook_label(run.service, run.phase, run.index));
  return names;
}

std::set<std::string> operations(Context& context) {
  std::set<std::string> ids;
  const auto document =
      nlohmann::json::parse(context.api().get("/v1/operations?stack=" + context.stack().id));
  for (const auto& operation : document.at("operations")) ids.insert(operation.at("id").get<std::string>());
  return ids;
}

std::set<std::string> words_of(Context& context, const std::string& kind) {
  if (kind == "service") return services(context);
  if (kind == "hook") return hooks(context);
  if (kind == "operation") return operations(context);
  std::set<std::string> names;
  if (kind == "stack")
    for (const auto& stack : context.api().stacks()) names.insert(stack.name);
  if (kind == "runnable") names = services(context);
  if (kind == "command" || kind == "runnable")
    for (const auto& command : context.api().commands(host_request(context))) names.insert(command.name);
  return names;
}

}  // namespace

int run_words(Context& context, const std::string& kind) {
  try {
    if (!context.api_if_listening()) return proto::k_done;
    if (kind == "profile") return run_config(context, {.profiles = true});
    for (const auto& word : words_of(context, kind)) context.out(word + "\n");
  } catch (const std::exception&) {
    // No stack here, or a file that is wrong: nothing is offered.
  }
  return proto::k_done;
}

}  // namespace stackd::client
