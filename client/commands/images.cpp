// stackctl build, pull and push: the images of a stack's services, whether it is up or was never.
#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

// A name alone takes the value that the variable has here, and is nothing when it has none.
std::map<std::string, std::string> build_args(const std::vector<std::string>& texts,
                                              const std::map<std::string, std::string>& environment) {
  std::map<std::string, std::string> args;
  for (const auto& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (equals != std::string::npos)
      args[name] = text.substr(equals + 1);
    else if (const auto found = environment.find(name); found != environment.end())
      args[name] = found->second;
  }
  return args;
}

}  // namespace

int run_images(Context& context, const std::string& action, const ImagesArgs& args) {
  proto::ImagesRequest request{.action = action, .stack = context.up_request()};
  request.stack.services = args.services;
  request.no_cache = args.no_cache;
  request.pull = args.pull;
  request.build_args = build_args(args.build_args, request.stack.environment);
  request.policy = args.policy;
  request.include_deps = args.include_deps;
  request.ignore_failures = args.ignore_failures;
  const proto::Operation operation = context.api().images(request);
  const std::string done = action == "build" ? "built" : action + "ed";
  return finish_operation(context, operation,
                          (args.services.empty() ? "images " : join(args.services, ", ") + " ") + done);
}

}  // namespace stackd::client
