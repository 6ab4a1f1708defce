#include "daemon/stacks/views.hpp"

#include <algorithm>
#include <set>

#include "daemon/docker/words.hpp"
#include "daemon/plan/step_kinds.hpp"
#include "daemon/process/restart_policy.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "daemon/world/stack_state.hpp"
#include "daemon/world/status.hpp"

namespace stackd::stacks {
namespace {

namespace label = translate::label;
using nlohmann::json;
using translate::label_of;

std::string time_text(const std::optional<util::TimeMs>& at) {
  return at && *at ? util::format_time(*at) : std::string();
}

// What one may do with a port: open it in a browser, unless the container port says otherwise.
std::string url_of(const model::Port& port, int host_port) {
  if (port.protocol != "tcp") return {};
  static const std::map<int, std::string> k_schemes{
      {22, "ssh"},    {443, "https"},  {1433, "sqlserver"}, {3306, "mysql"},      {5432, "postgres"},
      {5672, "amqp"}, {6379, "redis"}, {8443, "https"},     {11211, "memcached"}, {27017, "mongodb"}};
  const auto known = k_schemes.find(port.target);
  return (known == k_schemes.end() ? "http" : known->second) + "://localhost:" + std::to_string(host_port);
}

proto::ContainerView container_view(const docker::ContainerSummary& container) {
  proto::ContainerView view{container.id, container.name, container.state,
                            std::string(docker::health_in(container.status)), container.image};
  view.number = translate::number_of(container.labels);
  view.exit_code = docker::exit_code_in(container.status);
  return view;
}

void fill_container(proto::Service& view, const model::Service& service, const EngineLook& look,
                    const std::string& stack, const world::Circumstances& now) {
  if (!now.engine_answered) {
    view.status = now.stack_status == "down" ? "down" : "unknown";
    view.reason = now.stack_status == "down" ? "" : "the engine does not answer";
    return;
  }
  for (const auto& container : look.containers)
    if (label_of(container, label::k_stack) == stack &&
        label_of(container, label::k_service) == service.name && label_of(container, label::k_hook).empty())
      view.containers.push_back(container_view(container));
  std::sort(view.containers.begin(), view.containers.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  std::vector<std::string> statuses;
  for (const auto& container : view.containers)
    statuses.push_back(
        world::container_status({container.state, container.health, container.exit_code}, service, now));
  view.status = world::worst(statuses);
  if (view.containers.empty()) return;
  view.container = view.containers.front().id;
  view.exit_code = view.containers.front().exit_code;
  if (view.status == "exited")
    view.reason = "exited with status " + std::to_string(view.exit_code.value_or(0));
}

// `look`: of its run, when it has one.
void fill_process(proto::Service& view, const model::Service& service, const store::ProcessRow* row,
                  const process::RunLook& look, const world::Circumstances& now) {
  std::optional<world::ProcessSeen> seen;
  if (row) {
    seen.emplace();
    seen->running = look.running();
    seen->streak = row->streak;
    seen->restarts = row->restarts;
    view.pid = look.pid;
    if (look.exit) seen->exit = *look.exit;
    if (!seen->running) view.exit_code = seen->exit.code;
  }
  const auto status = world::process_status(seen, service, now);
  view.status = status.status;
  view.reason = status.reason;
}

std::vector<proto::Port> ports_of(const model::Service& service, const model::Facts& facts) {
  std::vector<proto::Port> ports;
  const auto allocated = facts.ports.find(service.name);
  if (allocated == facts.ports.end()) return ports;
  for (const auto& port : service.ports)
    for (int n = 1; n == 1 || allocated->second.contains(port.key + "@" + std::to_string(n)); ++n) {
      const auto key = n == 1 ? port.key : port.key + "@" + std::to_string(n);
      const auto found = allocated->second.find(key);
      if (found == allocated->second.end()) break;
      ports.push_back(
          {key, port.protocol, port.host_ip, url_of(port, found->second), found->second, port.target});
    }
  return ports;
}

proto::Operation without_steps(const store::OperationRow& row) {
  proto::Operation view;
  view.id = row.id;
  view.stack = row.stack_id;
  view.kind = row.kind;
  view.state = row.state;
  view.warnings = json::parse(row.warnings).get<std::vector<std::string>>();
  if (!row.error.empty()) view.error = json::parse(row.error).get<proto::OperationError>();
  view.started_at = util::format_time(row.created_at);
  view.ended_at = time_text(row.ended_at);
  if (row.ended_at) view.duration_ms = *row.ended_at - row.created_at;
  view.rolling_back = row.mode == "rollback" && row.state == "running";
  return view;
}

// An up whose plan found nothing to do.
bool is_unchanged(const std::vector<store::StepRow>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const auto& step) {
    return step.kind == plan::PlanUp::k_kind &&
           model::decoded<plan::PlanUp::Result>(json::parse(step.result), "result of a step").unchanged;
  });
}

}  // namespace

proto::Operation operation_view(store::Database& db, const store::OperationRow& row) {
  auto view = without_steps(row);
  view.unchanged = is_unchanged(store::Steps::of_kind(db, row.id, plan::PlanUp::k_kind));
  return view;
}

proto::Operation operation_view(const store::OperationRow& row, const std::vector<store::StepRow>& steps) {
  auto view = without_steps(row);
  view.unchanged = is_unchanged(steps);
  for (const auto& step : steps) {
    proto::StepView s{step.key,
                      step.kind,
                      step.service,
                      step.state,
                      step.reason,
                      time_text(step.started_at),
                      time_text(step.ended_at)};
    if (step.started_at && step.ended_at) s.duration_ms = *step.ended_at - *step.started_at;
    view.steps.push_back(std::move(s));
  }
  return view;
}

proto::HookRun hook_view(const store::HookRunRow& row) {
  proto::HookRun view;
  view.id = row.id;
  view.stack = row.stack_id;
  view.operation = row.operation_id;
  view.phase = row.phase;
  view.service = row.service;
  view.container = row.container;
  view.place = row.place;
  view.command = row.command;
  view.state = row.state;
  view.reason = row.reason;
  view.index = row.index;
  view.attempt = row.attempt;
  view.exit_code = row.exit_code;
  view.started_at = util::format_time(row.started_at);
  view.ended_at = time_text(row.ended_at);
  if (row.ended_at) view.duration_ms = *row.ended_at - row.started_at;
  view.log = row.log;
  view.stdout_tail = row.out_tail;
  view.stderr_tail = row.err_tail;
  return view;
}

proto::Event event_view(const store::EventRow& row) {
  return {row.sequence, util::format_time(row.at), row.stack_id, row.operation_id,
          row.kind,     json::parse(row.data)};
}

awaitable<EngineLook> look_at_engine(Parts& parts, std::string stack_id) {
  EngineLook look;
  docker::Filters filters{{"label", std::string(label::k_stack) + (stack_id.empty() ? "" : "=" + stack_id)}};
  try {
    look.containers = co_await parts.engine.list_containers(filters);
    look.answered = true;
  } catch (const util::Error&) {
    // The stack is shown without them, and says so.
  }
  co_return look;
}

awaitable<proto::Stack> stack_view(Parts& parts, store::StackRow row, EngineLook look) {
  const auto model = co_await parts.models.get(row.id);
  struct Rows {
    std::optional<store::OperationRow> operation;
    std::optional<proto::Operation> shown;
    std::vector<store::StepRow> steps;
    std::map<std::string, store::ProcessRow> processes;
    std::set<std::string> stopped, started;
    std::map<std::string, store::HookRunRow> pre_runs;  // by service: a failed one, of a container that ended
  };
  std::map<std::string, std::pair<std::string, std::vector<const model::Hook*>>> ended;
  for (const auto& container : look.containers)
    if (container.state == "exited" && label_of(container, label::k_stack) == row.id)
      if (const auto* service = model.spec->find(label_of(container, label::k_service)))
        if (auto hooks = service->hooks_of(model::Phase::pre_run); !hooks.empty())
          ended[service->name] = {container.id, std::move(hooks)};
  auto query = [id = row.id, operation = row.last_operation, ended, model](store::Database& db) {
    Rows r;
    for (const auto& [service, container] : ended)
      for (const auto* hook : container.second)
        if (auto last = store::HookRuns::last(db, id, service, "pre_run", hook->index, container.first);
            last && last->state == "failed")
          r.pre_runs[service] = *last;
    r.operation = store::Operations::get(db, operation);
    if (r.operation) r.shown = operation_view(db, *r.operation);
    if (r.operation && r.operation->state == "running") r.steps = store::Steps::of_operation(db, operation);
    for (auto& process : store::Processes::of_stack(db, id)) r.processes[process.service] = process;
    for (const auto& start : store::Starts::of_stack(db, id))
      (start.state == "stopped" ? r.stopped : r.started).insert(start.service);
    return r;
  };
  const auto rows = co_await parts.journal.run(query);
  std::vector<std::filesystem::path> runs;
  for (const auto& [service, process] : rows.processes) runs.push_back(process.run_directory);
  const auto looked = co_await parts.runs.look_at(runs);
  std::map<std::string, process::RunLook> looks;
  for (const auto& [service, process] : rows.processes) looks[service] = looked[looks.size()];
  world::Circumstances now;
  now.stack_status = row.status;
  now.operation_running = rows.operation && rows.operation->state == "running";
  if (rows.operation) now.operation_kind = rows.operation->kind;
  now.engine_answered = look.answered;
  now.stopped = rows.stopped;
  for (const auto& step : rows.steps)
    if (step.kind == plan::Ready::k_kind || step.kind == plan::ReadyProcess::k_kind)
      (step.state == "done" || step.state == "skipped" ? now.ready : now.unready).insert(step.service);

  proto::Stack view;
  view.id = row.id;
  view.name = row.name;
  view.directory = row.directory;
  view.profile = row.profile;
  view.format = row.format;
  view.files = model.spec->files;
  view.status = row.status;
  view.created_at = util::format_time(row.created_at);
  view.updated_at = util::format_time(row.updated_at);
  if (const auto at = world::state_from(row).started_at) view.started_at = util::format_time(at);
  view.warnings = model.spec->warnings;
  view.last_operation = rows.shown;
  std::vector<world::ServiceStatus> statuses;
  for (const auto& service : model.spec->services) {
    proto::Service s;
    s.name = service.name;
    s.kind = model::to_string(service.kind);
    const auto process = rows.processes.find(service.name);
    if (service.container)
      fill_container(s, service, look, row.id, now);
    else
      fill_process(s, service, process == rows.processes.end() ? nullptr : &process->second,
                   looks[service.name], now);
    if (const auto failed = rows.pre_runs.find(service.name);
        failed != rows.pre_runs.end() && s.exit_code == failed->second.exit_code)
      s.reason = failed->second.reason;  // X24: it was the hook, not the command
    if (s.status != "down") s.ports = ports_of(service, *model.facts);
    for (const auto& port : s.ports)
      if (!port.url.empty()) view.urls.push_back(port.url);
    statuses.push_back({s.name, s.status});
    view.services.push_back(std::move(s));
  }
  view.status = world::stack_status(view.status, statuses, rows.started);
  co_return view;
}

}  // namespace stackd::stacks
