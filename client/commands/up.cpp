// stackctl up: sends the directory, its files and the whole environment, follows the operation, shows the
// stack.
#include <charconv>

#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

std::pair<std::string, int> parse_scale(const std::string& text) {
  std::size_t equals = text.find('=');
  int count = -1;
  if (equals != std::string::npos && equals > 0) {
    const char* end = text.data() + text.size();
    if (auto [stop, error] = std::from_chars(text.data() + equals + 1, end, count);
        error != std::errc() || stop != end)
      count = -1;
  }
  if (count < 0)
    throw ClientError(proto::k_bad_usage, "cannot use --scale " + text + ": expected SERVICE=NUMBER");
  return {text.substr(0, equals), count};
}

proto::UpRequest request_of(const Context& context, const UpArgs& args) {
  proto::UpRequest request = context.up_request();
  request.services = args.services;
  proto::UpOptions& options = request.options;
  options.build = args.build;
  options.rebuild = args.rebuild;
  options.force_recreate = args.force_recreate;
  options.no_deps = args.no_deps;
  options.remove_orphans = args.remove_orphans;
  options.keep = args.keep;
  options.pull = args.pull;
  options.rerun_hooks = args.rerun_hooks;
  for (const auto& scale : args.scale)
    options.scale.insert_or_assign(parse_scale(scale).first, parse_scale(scale).second);
  if (!args.timeout.empty()) {
    options.timeout_ms = parse_duration(args.timeout);
    if (!options.timeout_ms)
      throw ClientError(proto::k_bad_usage,
                        "cannot use --timeout " + args.timeout + ": expected a duration such as 90s or 2m");
  }
  return request;
}

}  // namespace

int run_diff(Context& context, const UpArgs& args) {
  return show_plan(context, {.up = request_of(context, args)}, true);
}

int run_up(Context& context, const UpArgs& args) {
  proto::UpRequest request = request_of(context, args);
  if (args.dry_run) return show_plan(context, {.up = std::move(request)});
  proto::Operation operation = context.api().up(request);
  if (args.detach) {
    context.document(context.json() ? nlohmann::json(operation).dump() : operation.id);
    return proto::k_done;
  }
  if (operation.joined && !context.json())
    context.err("the same up is already running: following it (" + operation.id + ")\n");
  if (operation.state != "running" && !context.json()) context.warn(operation.warnings);

  Context::End end = context.follow_to_end(operation, true);
  if (context.json()) return end.exit_code;
  if (end.left) {
    context.err("the cancelled up is being taken away by the daemon: `stackctl status` shows it\n");
    return end.exit_code;
  }
  show_outcome(context, end.operation);
  if (end.operation.state == "succeeded") {
    if (end.operation.unchanged) context.out("nothing to do: everything is as it should be\n");
    show_stack(context, context.api().stack(operation.stack));
  }
  return end.exit_code;
}

}  // namespace stackd::client
