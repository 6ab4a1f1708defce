// stackctl hooks: the stack's hook runs; with RUN one run's record and log.
#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/follow.hpp"
#include "client/output/progress_model.hpp"
#include "client/text.hpp"
#include "proto/time.hpp"

namespace stackd::client {
namespace {

std::string duration_of(const proto::HookRun& run) {
  if (run.duration_ms) return duration_text(*run.duration_ms);
  auto started = proto::parse_time(run.started_at);
  return run.state == "running" && started ? duration_text(now_ms() - *started) : "-";
}

int list_runs(Context& context, const std::string& stack) {
  if (context.json()) {
    context.document(context.api().get(target::hooks(stack)));
    return proto::k_done;
  }
  std::vector<proto::HookRun> runs = context.api().hooks(stack);
  std::stable_sort(runs.begin(), runs.end(),
                   [](const auto& a, const auto& b) { return a.started_at < b.started_at; });
  Table table({"RUN", "PHASE", "INDEX", "SERVICE", "STATE", "EXIT", "DURATION", "COMMAND"});
  for (const auto& run : runs)
    table.add({run.id, run.phase, std::to_string(run.index), run.service.empty() ? "-" : run.service,
               run.state, run.exit_code ? std::to_string(*run.exit_code) : "-", duration_of(run),
               run.state == "skipped" && !run.reason.empty() ? run.reason
                                                             : run.command.substr(0, run.command.find('\n'))},
              tone_of(run.state), 4);
  context.out(table);
  return proto::k_done;
}

// By id, or by label ("after_up[0]", "api.pre_stop[1]"; "after_up" is its newest run).
proto::HookRun find_run(Context& context, const std::string& stack, const std::string& wanted) {
  std::vector<proto::HookRun> runs = context.api().hooks(stack);
  for (const auto& run : runs)
    if (run.id == wanted) return run;
  const proto::HookRun* newest = nullptr;
  for (const auto& run : runs) {
    std::string label = hook_label(run.service, run.phase, run.index);
    bool matches = label == wanted || label.substr(0, label.rfind('[')) == wanted;
    if (matches && (!newest || run.started_at > newest->started_at)) newest = &run;
  }
  if (newest) return *newest;
  throw ClientError(proto::k_not_found,
                    "no hook run '" + wanted + "' in this stack: `stackctl hooks` shows all");
}

void show_record(const Context& context, const proto::HookRun& run) {
  std::vector<std::pair<std::string, std::string>> fields{
      {"run", run.id},
      {"hook", hook_label(run.service, run.phase, run.index)},
      {"operation", run.operation},
      {"place", run.place},
      {"container", run.container.substr(0, 12)},
      {"command", run.command},
      {"state", run.state},
      {"exit code", run.exit_code ? std::to_string(*run.exit_code) : ""},
      {"reason", run.reason},
      {"attempt", run.attempt > 1 ? std::to_string(run.attempt) : ""},
      {"started", run.started_at},
      {"ended", run.ended_at},
      {"duration", duration_of(run)},
      {"log", run.log}};
  for (const auto& [name, value] : fields)
    if (!value.empty()) context.out(paint(pad(name, 10), Tone::dim, context.colour()) + value + "\n");
}

int call_hooks(Context& context, const proto::Stack& stack, const std::vector<std::string>& hooks) {
  if (hooks.empty())
    throw ClientError(proto::k_bad_usage, "which hook? `stackctl hooks run after_up[0]`, or a phase");
  return finish_operation(context, context.api().run_hooks(stack.id, hooks), join(hooks, ", ") + " has run");
}

int reset_hooks(Context& context, const proto::Stack& stack, const std::vector<std::string>& phases) {
  if (phases.size() > 1)
    throw ClientError(proto::k_bad_usage, "hooks reset takes one phase, or none for all");
  const proto::HooksResetRequest request{.phase = phases.empty() ? "" : phases.front()};
  const auto answer = context.api().post(target::hooks(stack.id) + "/reset", nlohmann::json(request).dump());
  if (context.json()) {
    context.document(answer);
    return proto::k_done;
  }
  const auto forgotten = nlohmann::json::parse(answer).at("forgotten").get<std::size_t>();
  context.out(forgotten == 0 ? "nothing was remembered\n" : "forgotten: " + counted(forgotten, "run") + "\n");
  return proto::k_done;
}

}  // namespace

int run_hooks(Context& context, const HooksArgs& args) {
  proto::Stack stack = context.stack();
  if (args.words.empty()) return list_runs(context, stack.id);
  const std::vector<std::string> rest(args.words.begin() + 1, args.words.end());
  if (args.words.front() == "run") return call_hooks(context, stack, rest);
  if (args.words.front() == "reset") return reset_hooks(context, stack, rest);
  if (!rest.empty())
    throw ClientError(proto::k_bad_usage, "hooks does not take '" + rest.front() + "': one run at a time");
  proto::HookRun run = find_run(context, stack.id, args.words.front());
  if (context.json()) {
    context.document(nlohmann::json(run).dump());
    return proto::k_done;
  }
  show_record(context, run);
  if (run.state == "skipped") return proto::k_done;
  context.out("\n");
  std::uint64_t shown = 0;
  const LogReader reader{.target = [&] { return target::hook_log(run.id, args.follow, shown); },
                         .accept = "text/plain",
                         .on_bytes =
                             [&](const std::string& bytes) {
                               context.out(bytes);
                               shown += bytes.size();
                             },
                         .on_lost = [&](bool first) { tell_lost(context, first); },
                         .on_head = [&](const Head& head) { shown = log_place(head, shown); }};
  read_log(context.api(), reader, args.follow);
  return proto::k_done;
}

}  // namespace stackd::client
