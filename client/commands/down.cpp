// stackctl down: takes away what up made.
#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {

int run_down(Context& context, const DownArgs& args) {
  proto::Stack stack;
  try {
    stack = context.stack();
  } catch (const ApiError&) {
    throw;
  } catch (const ClientError& error) {
    if (error.exit_code() != proto::k_not_found) throw;
    // What was never up is down.
    if (context.json())
      context.document(R"({"kind":"down","state":"succeeded","unchanged":true})");
    else
      context.out(std::string("nothing to take down: ") + error.what() + "\n");
    return proto::k_done;
  }
  proto::DownRequest request{.volumes = args.volumes,
                             .remove_orphans = args.remove_orphans,
                             .no_hooks = args.skip_hooks,
                             .rmi = args.rmi,
                             .timeout = args.timeout,
                             .services = args.services};
  if (args.dry_run) return show_plan(context, {.stack = stack.id, .down = request});
  const std::string what =
      args.services.empty() ? stack.name + " is" : join(args.services, ", ") + " and what needs it are";
  return finish_operation(context, context.api().down(stack.id, request), what + " down");
}

}  // namespace stackd::client
