#include "daemon/stacks/views.hpp"

#include <algorithm>

#include "daemon/plan/step_kinds.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "daemon/world/stack_state.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;

// Whether what it publishes is there to be asked: nobody listens where nothing runs.
bool answers(const std::string& status) {
  return status != "down" && status != "failed" && status != "stopped" && status != "exited" &&
         status != "completed";
}

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

proto::ContainerView container_view(const std::string& id, const world::ContainerState& container) {
  proto::ContainerView view{id, container.name, container.state, container.health, container.image};
  view.number = container.number;
  view.exit_code = container.exit_code;
  view.started_at = time_text(container.started_at);
  view.ended_at = container.dead() || container.state == "restarting" ? time_text(container.ended_at) : "";
  view.restarts = container.restarts;
  view.out_of_memory = container.out_of_memory;
  return view;
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
    s.needs = nlohmann::json::parse(step.needs).get<std::vector<std::string>>();
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

proto::Stack stack_view(const world::StackNow& now) {
  proto::Stack view;
  view.id = now.row.id;
  view.name = now.row.name;
  view.directory = now.row.directory;
  view.profile = now.row.profile;
  view.format = now.row.format;
  view.files = now.model.spec->files;
  view.status = now.status;
  view.created_at = util::format_time(now.row.created_at);
  view.updated_at = util::format_time(now.row.updated_at);
  if (const auto at = world::state_from(now.row).started_at) view.started_at = util::format_time(at);
  if (now.engine_away) view.as_of = time_text(now.as_of);
  view.warnings = now.model.spec->warnings;
  if (now.operation) {
    view.last_operation = without_steps(*now.operation);
    view.last_operation->unchanged = is_unchanged(now.steps);
  }
  for (const auto& service : now.services) {
    const auto& spec = now.model.service(service.name);
    proto::Service s;
    s.name = service.name;
    s.kind = model::to_string(spec.kind);
    s.status = service.status;
    s.known_status = service.known;
    s.reason = service.reason;
    s.waiting_for = service.waiting_for;
    s.since = service.status == "down" && service.since == 0 ? "" : time_text(service.since);
    s.restarts = service.restarts;
    s.exit_code = service.exit_code;
    s.pid = service.pid;
    for (const auto& [id, container] : service.containers)
      s.containers.push_back(container_view(id, container));
    if (!s.containers.empty()) s.container = s.containers.front().id;
    if (answers(s.known_status.empty() ? s.status : s.known_status))
      s.ports = ports_of(spec, *now.model.facts);
    for (const auto& port : s.ports)
      if (!port.url.empty()) view.urls.push_back(port.url);
    view.services.push_back(std::move(s));
  }
  return view;
}

}  // namespace stackd::stacks
