// stackctl down: takes away what up made.
#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/text.hpp"

namespace stackd::client {

int run_down(Context& context, const DownArgs& args) {
  proto::Stack stack = context.stack();
  proto::DownRequest request{.volumes = args.volumes,
                             .remove_orphans = args.remove_orphans,
                             .rmi = args.rmi,
                             .timeout = args.timeout,
                             .services = args.services};
  if (args.dry_run) return show_plan(context, {.stack = stack.id, .down = request});
  const std::string what =
      args.services.empty() ? stack.name + " is" : join(args.services, ", ") + " and what needs it are";
  return finish_operation(context, context.api().down(stack.id, request), what + " down");
}

}  // namespace stackd::client
