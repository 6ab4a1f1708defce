// stackctl exec: a command on this host, with the stack's environment over the caller's, in the stack's
// directory.
#include "client/commands/commands.hpp"
#include "client/commands/host_command.hpp"

namespace stackd::client {

int run_exec(Context& context, const ExecArgs& args) {
  return run_on_host(context.api().surroundings(host_request(context), "", args.env_group), args.command);
}

}  // namespace stackd::client
