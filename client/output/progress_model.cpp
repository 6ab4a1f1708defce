#include "client/output/progress_model.hpp"

#include <algorithm>

#include "client/text.hpp"
#include "proto/time.hpp"

namespace stackd::client {
namespace {

std::string text(const nlohmann::json& data, const char* name) {
  auto found = data.find(name);
  return found != data.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// What a step kind looks like while it runs, and the status that its success gives the service ("" says
// nothing).
struct StepWords {
  std::string_view kind, activity, status;
};
constexpr StepWords k_steps[] = {{"image", "preparing", ""},        {"pull", "pulling", ""},
                                 {"build", "building", ""},         {"push", "pushing", ""},
                                 {"derive", "building", ""},        {"create", "creating", ""},
                                 {"start", "starting", "starting"}, {"start-process", "starting", "starting"},
                                 {"ready", "waiting", "ready"},     {"ready-process", "waiting", "ready"},
                                 {"stop", "stopping", "stopped"},   {"stop-process", "stopping", "stopped"},
                                 {"remove", "removing", "down"}};

const StepWords* words_of(const std::string& kind) {
  for (const auto& words : k_steps)
    if (words.kind == kind) return &words;
  return nullptr;
}

bool is_settled(const std::string& status) {
  return status == "ready" || status == "completed" || status == "exited" || status == "failed" ||
         status == "stopped" || status == "down" || status == "unhealthy";
}

bool is_over(const std::string& state) {
  return state != "pending" && state != "running";
}

void keep_newest(std::vector<std::string>& lines, std::string line) {
  lines.push_back(std::move(line));
  if (lines.size() > ProgressModel::k_lines) lines.erase(lines.begin());
}

// What a failed or cancelled operation of this kind does before it ends.
std::string roll_back_words(const std::string& kind) {
  if (kind == "build" || kind == "pull" || kind == "push") return "ending what still runs";
  if (kind == "stop" || kind == "down" || kind == "recover" || kind == "hooks")
    return "ending the hooks that run";
  return kind == "restart" ? "going back to what ran" : "taking away what was started";
}

// A script is known by its beginning.
std::string short_command(const std::string& command) {
  constexpr int k_width = 80;
  std::size_t end = std::min(command.find('\n'), command.size());
  std::string first = clean(command.substr(0, end));
  return end < command.size() && display_width(first) < k_width ? first + " …" : fit(first, k_width);
}

}  // namespace

std::string hook_label(const std::string& service, const std::string& phase, int index) {
  return (service.empty() ? "" : service + ".") + phase + "[" + std::to_string(index) + "]";
}

std::vector<Line> hook_lines(const proto::HookRun& run) {
  std::string what = hook_label(run.service, run.phase, run.index);
  std::string command = short_command(run.command);
  if (!command.empty()) what += " " + command;
  std::string time = run.duration_ms ? " (" + duration_text(*run.duration_ms) + ")" : "";
  // Its first line: what follows is the output's tail, shown below anyhow.
  std::string reason = run.reason.empty() ? "" : ": " + clean(lines_of(run.reason)[0]);
  std::vector<Line> lines;
  if (run.state == "succeeded") {
    lines.push_back({Tone::good, "✓ " + what + time});
  } else if (run.state == "skipped") {
    lines.push_back({Tone::dim, "- " + what + " skipped" + reason});
  } else if (run.state == "cancelled") {
    lines.push_back({Tone::warn, "✗ " + what + " cancelled" + time});
  } else {
    std::string why = run.exit_code ? " failed with exit code " + std::to_string(*run.exit_code) : " failed";
    // A reason that only says the exit code again adds nothing.
    if (run.exit_code && run.reason.find(std::to_string(*run.exit_code)) != std::string::npos) reason.clear();
    lines.push_back({Tone::bad, "✗ " + what + why + reason + time});
  }
  for (const auto& line : lines_of(run.stderr_tail)) lines.push_back({Tone::dim, "    " + clean(line)});
  if (run.state == "failed" && !run.log.empty()) lines.push_back({Tone::dim, "    log: " + run.log});
  return lines;
}

const ProgressModel::Service* ProgressModel::find(const std::string& name) const {
  auto found =
      std::find_if(services_.begin(), services_.end(), [&](const Service& s) { return s.name == name; });
  return found == services_.end() ? nullptr : &*found;
}

ProgressModel::Service& ProgressModel::service(const std::string& name, std::int64_t at) {
  if (const Service* found = find(name)) return const_cast<Service&>(*found);
  services_.push_back({.name = name, .started = at});
  return services_.back();
}

std::string ProgressModel::state_of(const Service& service) {
  // While a step works on a service that is at rest, or was not heard of, what the step does says more.
  if (!service.activity.empty() &&
      (service.status.empty() || service.status == "starting" || service.settled))
    return service.activity;
  return service.status.empty() ? "waiting" : service.status;
}

ProgressModel::Change ProgressModel::apply(const proto::Event& event, std::int64_t now) {
  std::int64_t at = proto::parse_time(event.at).value_or(now);
  const nlohmann::json data = event.data.is_object() ? event.data : nlohmann::json::object();
  const std::string& kind = event.kind;
  if (kind == "step.started" || kind == "step.ended") {
    auto change = on_step(kind, data, at);
    if (kind == "step.ended") settle_tail(data, change);
    return change;
  }
  if (kind == "service.status")
    return set_status(text(data, "service"), text(data, "status"), text(data, "reason"), at);
  if (kind.rfind("hook.", 0) == 0) return on_hook(kind, data, at);
  Change change;
  if (kind == "operation.started") {
    // "shop-1f2e3d4c": the name without what tells two checkouts apart.
    stack_ = event.stack.substr(0, event.stack.rfind('-'));
    kind_ = text(data, "kind");
    began_ = at;
  } else if (kind == "progress") {
    if (std::string name = text(data, "service"); !name.empty()) {
      Service& entry = service(name, at);
      entry.detail = clean(text(data, "text"));
      if (entry.activity == "building") keep_newest(entry.lines, entry.detail);
    }
  } else if (kind == "warning") {
    change.lines.push_back({Tone::warn, "warning: " + clean(text(data, "message"))});
  } else if (kind == "operation.rolling_back") {
    // Why is said at the end, where it stays in sight.
    change.lines.push_back({Tone::warn, roll_back_words(text(data, "kind"))});
  } else if (kind == "engine.lost") {
    change.lines.push_back({Tone::warn, "the engine does not answer; waiting for it"});
  } else if (kind == "engine.found") {
    change.lines.push_back({Tone::plain, "the engine answers again"});
  }
  return change;
}

void ProgressModel::expect(const proto::Operation& operation, std::int64_t now) {
  for (const auto& step : operation.steps) {
    if (!step.service.empty() && words_of(step.kind)) service(step.service, now);
    planned_.insert_or_assign(step.key, step);
  }
}

std::vector<std::string> ProgressModel::needs_of(const std::string& service) const {
  std::vector<std::string> needs;
  for (const auto& [key, step] : planned_) {
    if (step.service != service || step.state != "pending") continue;
    for (const auto& need : step.needs) {
      const auto found = planned_.find(need);
      if (found == planned_.end() || is_over(found->second.state) || found->second.service == service)
        continue;
      const auto& before = found->second;
      const auto what = before.kind == "hook" || before.service.empty() ? before.key : before.service;
      if (std::find(needs.begin(), needs.end(), what) == needs.end()) needs.push_back(what);
    }
  }
  return needs;
}

ProgressModel::Change ProgressModel::on_step(const std::string& kind, const nlohmann::json& data,
                                             std::int64_t at) {
  std::string name = text(data, "service");
  if (auto step = planned_.find(text(data, "key")); step != planned_.end())
    step->second.state = kind == "step.started" ? "running" : text(data, "state");
  const StepWords* words = words_of(text(data, "kind"));
  if (name.empty() || !words) return {};
  Service& entry = service(name, at);
  if (kind == "step.started") {
    if (entry.settled || (entry.status.empty() && entry.activity.empty())) entry.started = at;
    entry.activity = words->activity;
    entry.active = at;
    entry.lines.clear();
    entry.detail.clear();
    entry.reason.clear();
    return {{}, name};
  }
  if (entry.activity == words->activity) {
    entry.activity.clear();
    entry.detail.clear();
  }
  std::string state = text(data, "state");
  if (state == "failed") return set_status(name, "failed", "", at);
  return state == "done" && !words->status.empty() ? set_status(name, std::string(words->status), "", at)
                                                   : Change{};
}

ProgressModel::Change ProgressModel::set_status(const std::string& name, const std::string& status,
                                                const std::string& reason, std::int64_t at) {
  if (name.empty()) return {};
  Service& entry = service(name, at);
  std::string before = entry.status;
  entry.status = status;
  entry.reason = clean(reason);
  if (is_settled(entry.status)) {
    if (before != entry.status || !entry.settled) entry.settled = at;
    entry.detail.clear();
    entry.activity.clear();
  } else {
    if (entry.settled) entry.started = at;
    entry.settled.reset();
  }
  return {{}, before == entry.status ? "" : name};
}

ProgressModel::Change ProgressModel::on_hook(const std::string& kind, const nlohmann::json& data,
                                             std::int64_t at) {
  proto::HookRun run;
  run.id = text(data, "run");
  auto hook = std::find_if(hooks_.begin(), hooks_.end(), [&](const Hook& h) { return h.run == run.id; });
  if (kind == "hook.output") {
    if (hook != hooks_.end()) keep_newest(hook->lines, clean(text(data, "line")));
    return {};
  }
  run.phase = text(data, "phase");
  run.service = text(data, "service");
  run.index = data.value("index", 0);
  run.command = text(data, "command");
  if (kind == "hook.started") {
    hooks_.push_back(
        {run.id, hook_label(run.service, run.phase, run.index), short_command(run.command), run.service, at});
    return {};
  }
  if (kind != "hook.ended") return {};
  run.state = text(data, "state");
  run.reason = text(data, "reason");
  run.log = text(data, "log");
  run.stderr_tail = text(data, "stderr_tail");
  if (auto code = data.find("exit_code"); code != data.end() && code->is_number_integer())
    run.exit_code = code->get<int>();
  if (auto ms = data.find("duration_ms"); ms != data.end() && ms->is_number())
    run.duration_ms = ms->get<std::int64_t>();
  if (hook != hooks_.end()) {
    if (run.command.empty()) run.command = hook->command;
    hooks_.erase(hook);
  }
  auto lines = hook_lines(run);
  if (run.state != "failed") return {std::move(lines), ""};
  // Its output is the reason when the operation fails by it, and is said at the end then.
  tails_.push_back({run.service, {lines.begin() + 1, lines.end()}});
  lines.resize(1);
  return {std::move(lines), ""};
}

void ProgressModel::settle_tail(const nlohmann::json& data, Change& change) {
  if (tails_.empty()) return;
  const auto name = text(data, "service");
  const auto of =
      std::find_if(tails_.begin(), tails_.end(), [&](const auto& tail) { return tail.service == name; });
  if (of == tails_.end()) return;
  if (text(data, "state") != "failed")
    change.lines.insert(change.lines.end(), of->lines.begin(), of->lines.end());
  tails_.erase(of);
}

}  // namespace stackd::client
