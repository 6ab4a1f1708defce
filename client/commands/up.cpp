// stackctl up: sends the directory, its files and the whole environment, follows the operation, shows the
// stack.
#include <charconv>
#include <chrono>
#include <thread>

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
  options.skip_hooks = args.skip_hooks;
  options.no_recreate = args.no_recreate;
  options.always_recreate_deps = args.always_recreate_deps;
  options.renew_anon_volumes = args.renew_anon_volumes;
  options.no_start = args.no_start;
  options.no_build = args.no_build;
  options.stop_timeout = args.stop_timeout;
  options.adopt = args.adopt;
  if (args.wait_timeout) options.timeout_ms = std::int64_t{*args.wait_timeout} * 1000;
  for (const auto& scale : args.scale)
    options.scale.insert_or_assign(parse_scale(scale).first, parse_scale(scale).second);
  if (!args.timeout.empty() && args.timeout.find_first_not_of("0123456789") == std::string::npos)
    throw ClientError(proto::k_bad_usage, "cannot use --timeout " + args.timeout + ": say --timeout " +
                                              args.timeout + "s for the whole up, or -t " + args.timeout +
                                              " for how long a container has to stop");
  if (!args.timeout.empty()) {
    options.timeout_ms = parse_duration(args.timeout);
    if (!options.timeout_ms)
      throw ClientError(proto::k_bad_usage,
                        "cannot use --timeout " + args.timeout + ": expected a duration such as 90s or 2m");
  }
  return request;
}

// Until the operation that is in the way has been cancelled, and what it had changed is put back.
void make_way(Context& context, const std::string& running) {
  if (!context.json()) context.err("another operation runs (" + running + "): cancelling it\n");
  try {
    context.api().cancel(running);
  } catch (const ApiError& error) {  // it has ended by itself
    if (error.problem().code != "conflict") throw;
  }
  while (context.api().operation(running).state == "running")
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

proto::Operation begin_up(Context& context, const proto::UpRequest& request, bool supersede) {
  for (;;) {
    try {
      return context.api().up(request);
    } catch (const ApiError& error) {
      auto problem = error.problem();
      if (problem.code != "conflict" || problem.operation.empty()) throw;
      if (supersede) {
        make_way(context, problem.operation);
        continue;
      }
      problem.detail += " (`stackctl attach` follows it, `stackctl up --supersede` cancels it and goes on)";
      throw ApiError(problem);
    }
  }
}

}  // namespace

int run_diff(Context& context, const UpArgs& args) {
  return show_plan(context, {.up = request_of(context, args)}, true);
}

int run_up(Context& context, const UpArgs& args) {
  const auto& foreground = args.foreground;
  if (foreground.wanted && (args.detach || args.no_start))
    throw ClientError(proto::k_bad_usage, std::string("an up that stays attached is not ") +
                                              (args.detach ? "detached" : "one that starts nothing"));
  if (foreground.attach_dependencies && !foreground.attach.empty())
    throw ClientError(proto::k_bad_usage, "--attach and --attach-dependencies exclude each other");
  proto::UpRequest request = request_of(context, args);
  // What has ended before all are ready is to be looked at, and not to be taken away.
  if (foreground.aborts()) request.options.keep = true;
  if (args.dry_run) return show_plan(context, {.up = std::move(request)});
  proto::Operation operation = begin_up(context, request, args.supersede);
  if (args.detach && !args.wait) {
    context.document(context.json() ? nlohmann::json(operation).dump() : operation.id);
    return proto::k_done;
  }
  if (operation.joined && !context.json())
    context.err("the same up is already running: following it (" + operation.id + ")\n");
  if (operation.state != "running" && !context.json()) context.warn(operation.warnings);

  Context::End end = context.follow_to_end(operation, true);
  const bool succeeded = end.operation.state == "succeeded";
  if (foreground.wanted && !end.left &&
      (succeeded || (foreground.aborts() && end.operation.state == "failed"))) {
    const int code = stay_attached(context, end.operation, args.services, foreground);
    return succeeded || code != 0 ? code : end.exit_code;
  }
  if (context.json()) return end.exit_code;
  if (end.left) {
    context.err("the cancelled up is being taken away by the daemon: `stackctl status` shows it\n");
    return end.exit_code;
  }
  show_outcome(context, end.operation);
  if (end.operation.state == "succeeded") {
    if (end.operation.unchanged) context.out("nothing to do: everything is as it should be\n");
    show_up(context, context.api().stack(operation.stack), end.operation);
  }
  return end.exit_code;
}

}  // namespace stackd::client
