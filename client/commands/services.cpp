// stackctl stop, start and restart: a stack's services, or some of them.
#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {

namespace {

// Whether the stop, or start, has nothing to do: to say so, not to leave it undone.
bool is_done(const proto::Stack& stack, const std::string& verb, const std::vector<std::string>& named) {
  const std::vector<std::string> ends =
      verb == "stop" ? std::vector<std::string>{"stopped", "down", "exited", "completed"}
                     : std::vector<std::string>{"ready", "completed"};
  return verb != "restart" &&
         std::all_of(stack.services.begin(), stack.services.end(), [&](const proto::Service& service) {
           const bool meant =
               named.empty() || std::find(named.begin(), named.end(), service.name) != named.end();
           return !meant || std::find(ends.begin(), ends.end(), service.status) != ends.end();
         });
}

}  // namespace

int run_services(Context& context, const std::string& verb, const ServicesArgs& args) {
  proto::Stack stack = context.stack();
  const proto::ServicesRequest request{
      .services = args.services, .timeout = args.timeout, .no_deps = args.no_deps};
  if (args.dry_run) {
    proto::PlanRequest plan{.stack = stack.id};
    (verb == "stop" ? plan.stop : verb == "start" ? plan.start : plan.restart) = request;
    return show_plan(context, plan);
  }
  proto::Operation operation = context.api().services(stack.id, verb, request);
  const std::string name = args.services.empty() ? stack.name : join(args.services, ", ");
  std::string done = name + (verb == "stop" ? " stopped" : verb == "start" ? " started" : " restarted");
  if (is_done(stack, verb, args.services))
    done = "nothing to do: " + name + (verb == "stop" ? " was not running" : " was running already");
  return finish_operation(context, operation, done);
}

}  // namespace stackd::client
