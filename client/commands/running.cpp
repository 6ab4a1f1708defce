// stackctl cancel and attach: the stack's running operation, whoever began it. And rollback.
#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

proto::Operation running_operation(Context& context, const proto::Stack& stack) {
  const auto operations = context.api().operations(stack.id);
  const auto running = std::find_if(operations.begin(), operations.end(),
                                    [](const auto& operation) { return operation.state == "running"; });
  if (running == operations.end())
    throw ClientError(proto::k_not_found, "no operation of " + stack.name +
                                              " is running (`stackctl timeline` shows the last one)");
  return *running;
}

}  // namespace

int run_cancel(Context& context) {
  const auto operation = running_operation(context, context.stack());
  context.api().cancel(operation.id);
  const auto end = context.follow_to_end(operation, false);
  if (end.left) return end.exit_code;
  // It may have come to its own end before.
  const bool cancelled = end.operation.state == "cancelled";
  if (!cancelled) show_outcome(context, end.operation);
  if (!context.json())
    context.out("the " + operation.kind +
                (cancelled ? " is cancelled\n" : " had ended: " + end.operation.state + "\n"));
  return cancelled ? static_cast<int>(proto::k_done) : end.exit_code;
}

int run_rollback(Context& context) {
  const auto stack = context.stack();
  return finish_operation(context, context.api().roll_back(stack.id), stack.name + " is as it was");
}

int run_attach(Context& context) {
  const auto operation = running_operation(context, context.stack());
  if (!context.json())
    context.err("following " + operation.kind + " " + operation.id + "; Ctrl-C leaves it\n");
  return finish_operation(context, operation, "the " + operation.kind + " has succeeded");
}

}  // namespace stackd::client
