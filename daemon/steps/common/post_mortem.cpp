#include "daemon/steps/common/post_mortem.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "daemon/logs/container_tail.hpp"
#include "daemon/logs/saved_log.hpp"
#include "daemon/model/probes.hpp"
#include "daemon/plan/step_kinds.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/hook_names.hpp"
#include "daemon/steps/common/endings.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::steps {
namespace {

using nlohmann::json;
using util::Error;
using util::ErrorKind;
using util::TimeMs;

struct Failed {
  std::string service, phase, probe, signal, log, message;
  std::string said;    // beside the message
  std::string reason;  // the line of its log that says most
  std::optional<int> exit_code;
  TimeMs at = 0;
  bool from_error = false;  // the operation's own error says it
};

bool waits(const store::StepRow& step) {
  return step.kind == plan::Ready::k_kind || step.kind == plan::ReadyProcess::k_kind ||
         step.kind == plan::Completed::k_kind || step.kind == plan::Settle::k_kind;
}

// ---- what failed as a step

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string probe_of(const model::Stack& stack, const std::string& name) {
  const auto* service = stack.spec->find(name);
  if (!service) return "";
  if (service->container && service->container->healthcheck && !service->ready_when) return "healthcheck";
  if (!service->ready_when) return service->container ? "healthcheck" : "";
  const auto* deciding = service->ready_when->deciding();
  return deciding ? std::string(model::row_of(deciding->first).key) : "log_match";
}

// How the run of a hook ended, that a step stands for.
const store::HookRunRow* run_of(const store::StepRow& step, const std::vector<store::HookRunRow>& hooks) {
  const store::HookRunRow* found = nullptr;
  for (const auto& run : hooks)
    if (run.state == "failed" && (run.step == step.ordinal || (run.service == step.service && run.step < 0)))
      found = &run;
  return found;
}

Failed failed_step(const model::Stack& stack, const store::StepRow& step,
                   const std::vector<store::HookRunRow>& hooks) {
  Failed failed;
  failed.service = step.service;
  failed.message = step.reason;
  failed.at = step.ended_at.value_or(0);
  if (waits(step)) {
    failed.probe = probe_of(stack, step.service);
    return failed;
  }
  failed.phase = step.kind;
  if (const auto* run = run_of(step, hooks)) {
    failed.phase = run->phase;
    failed.exit_code = run->exit_code;
    failed.log = run->log;
    failed.reason = util::telling_line(run->err_tail.empty() ? run->out_tail : run->err_tail);
    failed.at = run->ended_at.value_or(failed.at);
    if (!failed.exit_code) {
      constexpr std::string_view k_by = "ended by signal ";
      if (const auto place = step.reason.find(k_by); place != std::string::npos)
        if (const char* name = ::sigabbrev_np(std::atoi(step.reason.c_str() + place + k_by.size())))
          failed.signal = std::string("SIG") + name;
    }
  }
  return failed;
}

// ---- what has died since this operation started it

std::set<std::string> started_containers(const std::vector<store::StepRow>& steps) {
  std::set<std::string> ids;
  for (const auto& step : steps) {
    if (step.kind != plan::Start::k_kind || step.state != "done") continue;
    const auto result = model::decoded<plan::Start::Result>(json::parse(step.result), "result of a step");
    if (result.started) ids.insert(result.id);
  }
  return ids;
}

// Those that nobody requires: they were told of, and are no reason.
std::set<std::string> optional_services(const std::vector<store::StepRow>& steps) {
  std::set<std::string> names;
  for (const auto& step : steps)
    if (waits(step) && json::parse(step.params).value("optional", false)) names.insert(step.service);
  return names;
}

logs::ToSave log_of(Tools& tools, const model::Stack& stack, const docker::ContainerDetails& container) {
  logs::ToSave what;
  what.stack = tools.paths.stack(stack.id);
  what.service = translate::label_of(container.labels, translate::label::k_service);
  what.number = translate::number_of(container.labels);
  what.id = container.id;
  what.tty = container.tty;
  what.limit = tools.saved_log_size;
  what.secrets = resolve::secret_values(*stack.spec, *stack.facts);
  return what;
}

// Where its log is, now and after it is removed.
awaitable<std::string> saved(Tools& tools, model::Stack stack, docker::ContainerDetails container) {
  const auto what = log_of(tools, stack, container);
  const auto path = logs::saved_log_path(what.stack, what.service, what.number, what.id);
  try {
    co_await logs::save_log(tools.engine, tools.files, what);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled || e.kind() == ErrorKind::no_engine) throw;
  }
  co_return path.string();
}

awaitable<std::optional<Failed>> dead_container(Tools& tools, model::Stack stack,
                                                docker::ContainerDetails container) {
  const auto service = translate::label_of(container.labels, translate::label::k_service);
  if (container.running || container.restarting || container.exit_code == 0) co_return std::nullopt;
  Failed failed;
  failed.service = service;
  failed.exit_code = container.exit_code;
  failed.at = util::parse_time(container.finished_at);
  const auto lines = co_await logs::last_container_lines(tools.engine, container.id);
  failed.message = "service '" + service + "' exited with status " + std::to_string(container.exit_code) +
                   (container.oom_killed ? ", out of memory" : "") + (lines.empty() ? "" : ": " + lines);
  failed.reason = util::telling_line(lines);
  failed.log = co_await saved(tools, stack, container);
  co_return failed;
}

awaitable<std::optional<Failed>> dead_process(Tools& tools, model::Stack stack, store::ProcessRow row) {
  const auto* service = stack.spec->find(row.service);
  if (!service || !service->process) co_return std::nullopt;
  const auto look = co_await tools.runs.look(row.run_directory);
  if (!look.exit || look.exit->ok()) co_return std::nullopt;
  const auto words = exit_words(*look.exit);
  const auto error = co_await process_failure(tools, *service, row, words);
  Failed failed;
  failed.service = row.service;
  failed.at = look.exit->ended_at;
  failed.message = error.what();
  if (const auto place = failed.message.find(words + ": "); place != std::string::npos)
    failed.reason = util::telling_line(failed.message.substr(place + words.size() + 2));
  failed.log = row.log;
  if (look.exit->cause == process::Cause::exited) failed.exit_code = look.exit->code;
  if (const char* name =
          look.exit->cause == process::Cause::signalled ? ::sigabbrev_np(look.exit->signal) : nullptr)
    failed.signal = std::string("SIG") + name;
  co_return failed;
}

// ---- together

json part_of(const Failed& failed) {
  json part{{"message", first_line(failed.message)}};
  for (const auto& [name, text] : {std::pair("service", failed.service),
                                   {"phase", failed.phase},
                                   {"probe", failed.probe},
                                   {"signal", failed.signal},
                                   {"log", failed.log}})
    if (!text.empty()) part[name] = text;
  if (failed.exit_code) part["exit_code"] = *failed.exit_code;
  return part;
}

// Each service once, with what is known of it from both sides: its own end, and who waited for it.
void add(std::vector<Failed>& all, const Failed& one) {
  const auto known = std::find_if(all.begin(), all.end(), [&](const auto& other) {
    return !one.service.empty() && other.service == one.service;
  });
  if (known == all.end()) {
    all.push_back(one);
    return;
  }
  // What its own hook says of its end is enough; of anything else the end is the reason.
  const bool said =
      one.reason.empty() || (known->message + known->said).find(one.reason) != std::string::npos;
  if (!said && !known->phase.empty() && one.phase.empty()) {
    known->message = one.message;
    known->from_error = false;
  }
  known->from_error = known->from_error || one.from_error;
  known->at = known->at == 0 ? one.at : std::min(known->at, one.at == 0 ? known->at : one.at);
  if (known->log.empty()) known->log = one.log;
  if (known->reason.empty()) known->reason = one.reason;
  if (!known->exit_code) known->exit_code = one.exit_code;
  if (known->signal.empty()) known->signal = one.signal;
  // An end is why a probe was not fulfilled.
  if (known->exit_code || !known->signal.empty()) known->probe.clear();
}

}  // namespace

awaitable<json> post_mortem(Tools& tools, model::Stack stack, store::OperationRow operation,
                            std::vector<store::StepRow> steps, std::vector<store::HookRunRow> hooks) {
  json explained = json::object();
  const auto error = json::parse(operation.error, nullptr, false);
  if (!error.is_object()) co_return explained;
  std::vector<Failed> all;
  const auto cause = error.value("cause", json::object());
  for (const auto& step : steps) {
    if (step.state != "failed" || step.on_error != "stop") continue;
    auto failed = failed_step(stack, step, hooks);
    failed.from_error = step.key == cause.value("step", "");
    if (failed.from_error)
      for (const auto& detail : error.value("details", json::array()))
        if (detail.is_string()) failed.said += detail.get<std::string>() + "\n";
    add(all, failed);
  }
  const auto passed_over = optional_services(steps);
  std::set<std::string> failing;
  for (const auto& one : all) failing.insert(one.service);
  const auto ids = started_containers(steps);
  for (const auto& id : ids) {
    const auto container = co_await tools.engine.inspect_container(id);
    if (!container) continue;
    const auto service = translate::label_of(container->labels, translate::label::k_service);
    if (passed_over.contains(service)) continue;
    const auto dead = co_await dead_container(tools, stack, *container);
    if (dead) add(all, *dead);
    if (dead || !failing.contains(service)) continue;
    const auto log = co_await saved(tools, stack, *container);
    for (auto& one : all)
      if (one.service == service && one.log.empty()) one.log = log;
  }
  auto query = [id = stack.id](store::Database& db) { return store::Processes::of_stack(db, id); };
  const auto processes = co_await tools.journal.run(query);
  for (const auto& row : processes) {
    for (auto& one : all)
      if (one.service == row.service && one.log.empty()) one.log = row.log;
    if (row.operation_id != operation.id || passed_over.contains(row.service)) continue;
    const auto dead = co_await dead_process(tools, stack, row);
    if (dead) add(all, *dead);
  }
  // The step that looks at all of them at the end has nothing of its own to say when one of them is known.
  if (all.size() > 1)
    std::erase_if(
        all, [](const auto& one) { return one.service.empty() && one.probe.empty() && one.phase.empty(); });
  if (all.empty()) co_return explained;
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  const auto& first = all.front();
  explained = part_of(first);
  explained["message"] =
      first.from_error || first.message.empty() ? error.value("message", "") : first.message;
  if (!first.reason.empty()) explained["reason"] = first.reason;
  explained["failures"] = json::array();
  for (const auto& one : all) explained["failures"].push_back(part_of(one));
  co_return explained;
}

}  // namespace stackd::steps
