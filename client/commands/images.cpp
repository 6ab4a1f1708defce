// stackctl build, pull and push: the images of a stack's services, whether it is up or was never.
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/text.hpp"
#include "proto/exit_codes.hpp"

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

// As docker's own client has it; paths are meant from here.
std::map<std::string, std::string> agents(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> found;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    auto& paths = found[text.substr(0, equals)];
    if (equals == std::string::npos) continue;
    std::istringstream each(text.substr(equals + 1));
    for (std::string path; std::getline(each, path, ',');)
      paths += (paths.empty() ? "" : ",") + std::filesystem::absolute(path).lexically_normal().string();
  }
  return found;
}

}  // namespace

int run_images(Context& context, const std::string& action, const ImagesArgs& args) {
  proto::ImagesRequest request{.action = action, .stack = context.up_request()};
  request.stack.services = args.services;
  request.no_cache = args.no_cache;
  request.pull = args.pull;
  request.build_args = build_args(args.build_args, request.stack.environment);
  request.ssh = agents(args.ssh);
  request.push = args.push;
  request.policy = args.policy;
  request.include_deps = args.include_deps;
  request.ignore_failures = args.ignore_failures;
  if (args.print) {
    context.out(context.api().bake(request).dump(2) + "\n");
    return proto::k_done;
  }
  const proto::Operation operation = context.api().images(request);
  const std::string done = action == "build" ? "built" : action + "ed";
  return finish_operation(context, operation,
                          (args.services.empty() ? "images " : join(args.services, ", ") + " ") + done);
}

}  // namespace stackd::client
