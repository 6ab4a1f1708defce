// stackctl logs: what the services wrote; of a phase ("before_up") what its hooks wrote.
#include <unistd.h>

#include <algorithm>
#include <map>

#include "client/commands/commands.hpp"
#include "client/commands/log_printer.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/follow.hpp"
#include "client/output/progress_model.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

LogLook look_of(const LogsArgs& args, bool timestamps) {
  return {timestamps, !args.no_prefix, !args.no_colour, args.raw};
}

// Hook runs that a name means which is no service's: a phase ("after_up", "api.pre_stop"), or one entry of it
// ("after_up[0]"); of each entry the newest. Oldest first.
std::vector<proto::HookRun> runs_of(const std::vector<proto::HookRun>& all, const std::string& name) {
  std::map<std::string, proto::HookRun> newest;
  for (const auto& run : all) {
    const std::string label = hook_label(run.service, run.phase, run.index);
    if (run.log.empty() || (label != name && label.substr(0, label.rfind('[')) != name && run.phase != name))
      continue;
    auto [known, added] = newest.try_emplace(label, run);
    if (!added && known->second.started_at < run.started_at) known->second = run;
  }
  std::vector<proto::HookRun> runs;
  for (auto& [label, run] : newest) runs.push_back(std::move(run));
  std::stable_sort(runs.begin(), runs.end(),
                   [](const auto& a, const auto& b) { return a.started_at < b.started_at; });
  return runs;
}

void show_hook(Context& context, LogPrinter& printer, const proto::HookRun& run, const LogsArgs& args) {
  std::string text;
  std::uint64_t shown = 0;
  const LogReader reader{.target = [&] { return target::hook_log(run.id, args.follow, shown); },
                         .accept = "text/plain",
                         .on_bytes =
                             [&](const std::string& bytes) {
                               text += bytes;
                               shown += bytes.size();
                             },
                         .on_lost = [&](bool first) { tell_lost(context, first); },
                         .on_head = [&](const Head& head) { shown = log_place(head, shown); }};
  read_log(context.api(), reader, args.follow);
  std::vector<std::string> lines = lines_of(text);
  std::size_t from = 0;
  if (args.tail != "all") {
    const auto wanted = static_cast<std::size_t>(std::max(0, std::atoi(args.tail.c_str())));
    from = lines.size() > wanted ? lines.size() - wanted : 0;
  }
  proto::LogLine line;
  line.service = hook_label(run.service, run.phase, run.index);
  for (; from < lines.size(); ++from) {
    line.text = lines[from];
    if (context.json())
      context.document(nlohmann::json(line).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    else
      printer.print(line);
  }
}

// Shows those of the hooks that were named, and returns the names of services.
std::vector<std::string> show_hooks(Context& context, const proto::Stack& stack, const LogsArgs& args) {
  std::vector<std::string> services;
  std::vector<proto::HookRun> runs, all;
  for (const auto& name : args.services) {
    const bool is_service = std::any_of(stack.services.begin(), stack.services.end(),
                                        [&](const auto& service) { return service.name == name; });
    if (!is_service && all.empty()) all = context.api().hooks(stack.id);
    auto found = is_service ? std::vector<proto::HookRun>{} : runs_of(all, name);
    if (found.empty()) services.push_back(name);  // the daemon says which are near
    runs.insert(runs.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  LogPrinter printer(context, stack, look_of(args, false));
  for (const auto& run : runs) printer.widen(display_width(hook_label(run.service, run.phase, run.index)));
  for (const auto& run : runs) show_hook(context, printer, run, args);
  return services;
}

}  // namespace

int run_logs(Context& context, const LogsArgs& args) {
  proto::Stack stack = context.stack();
  const std::vector<std::string> services = show_hooks(context, stack, args);
  if (services.empty() && !args.services.empty()) return proto::k_done;
  proto::LogsRequest request{.services = services,
                             .tail = args.tail,
                             .since = args.since,
                             .until = args.until,
                             .follow = args.follow,
                             .timestamps = args.timestamps,
                             .keep = args.keep};
  LogPrinter printer(context, stack, look_of(args, args.timestamps));
  std::string buffer;
  std::map<std::string, std::string> seen;  // the cursor of each container's or process's last line
  auto take_line = [&](const std::string& text) {
    if (text.empty()) return;
    const auto line = nlohmann::json::parse(text).get<proto::LogLine>();
    if (!line.cursor.empty()) seen[line.service + "/" + std::to_string(line.number)] = line.cursor;
    if (context.json())
      context.document(text);
    else
      printer.print(line);
  };
  const auto target = [&] {
    request.after.clear();
    for (const auto& [source, cursor] : seen) request.after.push_back(source + "/" + cursor);
    return target::logs(stack.id, request);
  };
  const auto on_bytes = [&](const std::string& bytes) {
    buffer += bytes;
    std::size_t start = 0;
    for (std::size_t end; (end = buffer.find('\n', start)) != std::string::npos; start = end + 1)
      take_line(buffer.substr(start, end - start));
    buffer.erase(0, start);
  };
  const auto on_lost = [&](bool first) {
    buffer.clear();  // half a line is sent again
    // Whoever had written nothing yet is shown whole from now on, whatever was wanted of the lines before.
    if (request.tail != "0") request.tail = "all";
    tell_lost(context, first);
  };
  read_log(context.api(), {target, "application/x-ndjson", on_bytes, on_lost}, args.follow);
  take_line(buffer);
  return proto::k_done;
}

}  // namespace stackd::client
