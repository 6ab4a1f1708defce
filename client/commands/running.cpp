// stackctl cancel, rollback and attach: the stack's running operation, whoever began it; or a service's own
// command.
#include <unistd.h>

#include <algorithm>

#include "client/attach.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/containers.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/terminal.hpp"
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

namespace {

// The ends of a service's own command.
int attach_to(Context& context, const AttachArgs& args) {
  const proto::Stack stack = context.stack();
  if (check_service(stack, args.service).kind != "container")
    throw ClientError(
        proto::k_bad_usage,
        "service '" + args.service +
            "' runs on this host and has no ends that could be attached to: `stackctl logs -f " +
            args.service + "` follows what it writes");
  proto::AttachRequest request;
  request.service = args.service;
  request.index = args.index;
  request.input = !args.no_input && !context.json();
  request.size = window_size();
  const std::string target = target::stack(stack.id) + "/attach", text = nlohmann::json(request).dump();
  if (context.json()) {
    const std::string answer = context.api().post_patiently(target, text);
    context.document(answer);
    return exit_status(nlohmann::json::parse(answer).get<proto::ExecResult>());
  }
  AttachOptions options;
  options.tty = !args.no_input && ::isatty(0) && ::isatty(1);
  options.input = request.input;
  options.signals = args.signals;
  options.detach_keys = keys_of(args.detach_keys);
  return exit_status(attach(context.api().upgrade(target, text), options));
}

}  // namespace

int run_attach(Context& context, const AttachArgs& args) {
  if (!args.service.empty()) return attach_to(context, args);
  const auto operation = running_operation(context, context.stack());
  if (!context.json())
    context.err("following " + operation.kind + " " + operation.id + "; Ctrl-C leaves it\n");
  return finish_operation(context, operation, "the " + operation.kind + " has succeeded");
}

}  // namespace stackd::client
