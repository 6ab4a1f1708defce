#include "client/commands/service_words.hpp"

#include <cstdlib>

#include "client/commands/host_command.hpp"
#include "client/error.hpp"

namespace stackd::client {

std::optional<NamedService> service_named(Context& context, const std::string& word) {
  std::optional<proto::Stack> stack;
  try {
    stack = context.stack();
  } catch (const ClientError& error) {
    if (error.exit_code() != proto::k_not_found) throw;
  }
  if (stack) {
    for (const auto& service : stack->services)
      if (service.name == word) return NamedService{word, service.kind, stack};
    return std::nullopt;
  }
  try {
    for (const auto& service : context.api().graph(host_request(context)).services)
      if (service.name == word) return NamedService{word, service.kind, std::nullopt};
  } catch (const ClientError&) {
    // No file, or one that is wrong: who needs it says so.
  }
  return std::nullopt;
}

bool tell_of_wait(const Context& context, const proto::Stack& stack, bool no_wait) {
  if (no_wait || !stack.last_operation || stack.last_operation->state != "running") return !no_wait;
  const char* own = std::getenv("STACKD_OPERATION");
  if (own && stack.last_operation->id == own) return false;
  context.err("waiting for " + stack.last_operation->kind + " " + stack.last_operation->id + " of " +
              stack.name + " (--no-wait does not)\n");
  return true;
}

std::vector<std::string> with_values(const std::vector<std::string>& variables) {
  std::vector<std::string> all;
  for (const auto& variable : variables) {
    if (variable.find('=') != std::string::npos) {
      all.push_back(variable);
    } else if (const char* value = std::getenv(variable.c_str())) {
      all.push_back(variable + "=" + value);
    }
  }
  return all;
}

}  // namespace stackd::client
