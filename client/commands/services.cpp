// stackctl stop, start and restart: a stack's services, or some of them.
#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {

int run_services(Context& context, const std::string& verb, const ServicesArgs& args) {
  proto::Stack stack = context.stack();
  proto::Operation operation =
      context.api().services(stack.id, verb, {.services = args.services, .timeout = args.timeout});
  std::string done = verb == "stop" ? " stopped" : verb == "start" ? " started" : " restarted";
  return finish_operation(context, operation,
                          (args.services.empty() ? stack.name : join(args.services, ", ")) + done);
}

}  // namespace stackd::client
