#include "daemon/world/picture.hpp"

#include <algorithm>

#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/world/stack_state.hpp"
#include "daemon/world/status.hpp"

namespace stackd::world {

struct Picture::Rows {
  std::optional<store::StackRow> stack;
  std::optional<store::OperationRow> operation;
  std::vector<store::StepRow> steps;
  std::map<std::string, store::ProcessRow> processes;
  std::set<std::string> stopped, started;
  std::map<std::string, store::HookRunRow> pre_runs;  // by service: a failed one, of a container that ended
};

Picture::Picture(asio::any_io_executor executor, journal::Journal& journal, Monitor& monitor, Models& models,
                 process::Runs& runs, Waits& waits, StepKinds kinds)
    : executor_(executor),
      journal_(journal),
      monitor_(monitor),
      models_(models),
      runs_(runs),
      waits_(waits),
      kinds_(std::move(kinds)),
      changed_(executor) {
  monitor_.on_picture = [this](const std::string& stack) { touch(stack); };
  // What is waited for changes no status: nothing is to be told.
  waits_.on_change = [this](const std::string& stack) {
    if (loaded_) ++stacks_[stack].touched;
    changed_.notify();
  };
  journal_.on_touched = [this](const std::vector<std::string>& stacks) {
    for (const auto& stack : stacks) {
      monitor_.mind(stack);
      touch(stack);
    }
  };
}

void Picture::touch(const std::string& stack) {
  if (stack.empty()) {
    for (auto& [id, seen] : stacks_) {
      ++seen.touched;
      untold_.insert(id);
    }
  } else if (loaded_) {
    ++stacks_[stack].touched;
    untold_.insert(stack);
  }
  changed_.notify();
}

// The stacks that there are, and what was told of them by whoever was here before.
awaitable<void> Picture::load() {
  struct Stored {
    std::vector<store::StackRow> stacks;
    std::vector<store::StatusRow> told;
  };
  auto query = [](store::Database& db) { return Stored{store::Stacks::all(db), store::Statuses::all(db)}; };
  const auto stored = co_await journal_.run(query);
  if (loaded_) co_return;
  loaded_ = true;
  for (const auto& row : stored.stacks) {
    monitor_.mind(row.id);
    touch(row.id);
  }
  for (const auto& row : stored.told) told_[{row.stack_id, row.service}].row = row;
}

// Who asks right after the daemon has begun is not told `unknown` for the few milliseconds of the first list.
awaitable<void> Picture::begun() {
  if (!loaded_) co_await load();
  constexpr std::chrono::milliseconds k_first_list{1000};
  const auto end = std::chrono::steady_clock::now() + k_first_list;
  while (!monitor_.tried()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    co_await monitor_.changed().wait_for(left);
  }
}

awaitable<std::shared_ptr<const StackNow>> Picture::of(std::string stack) {
  co_await begun();
  if (is_current(stack)) co_return stacks_[stack].now;
  co_return co_await look(stack);
}

bool Picture::is_current(const std::string& stack) const {
  const auto found = stacks_.find(stack);
  return found != stacks_.end() && found->second.now && found->second.looked == found->second.touched;
}

awaitable<std::shared_ptr<const StackNow>> Picture::known(std::string stack) {
  co_await begun();
  if (!stacks_.contains(stack)) co_return nullptr;
  co_return co_await of(stack);
}

awaitable<std::vector<std::shared_ptr<const StackNow>>> Picture::all() {
  co_await begun();
  std::vector<std::string> ids;
  for (const auto& [id, seen] : stacks_) ids.push_back(id);
  std::vector<std::shared_ptr<const StackNow>> stacks;
  for (const auto& id : ids) {
    try {
      auto now = co_await of(id);
      stacks.push_back(std::move(now));
    } catch (const util::Error& e) {
      if (e.kind() != util::ErrorKind::not_found) throw;  // forgotten meanwhile
    }
  }
  std::sort(stacks.begin(), stacks.end(), [](const auto& a, const auto& b) {
    return std::pair(a->row.created_at, a->row.id) < std::pair(b->row.created_at, b->row.id);
  });
  co_return stacks;
}

// One look at the store, its containers as the monitor has them, its processes' run directories.
awaitable<std::shared_ptr<const StackNow>> Picture::look(std::string stack) {
  const auto touched = stacks_[stack].touched;
  std::shared_ptr<StackNow> now;
  try {
    auto known = co_await models_.get(stack);
    const auto model = std::make_shared<const model::Stack>(std::move(known));
    const auto rows = co_await read(stack, model);
    if (!rows.stack) throw util::Error(util::ErrorKind::not_found, "there is no stack '" + stack + "'");
    std::vector<std::filesystem::path> directories;
    for (const auto& [service, process] : rows.processes) directories.push_back(process.run_directory);
    std::vector<process::RunLook> looked;
    if (!directories.empty()) looked = co_await runs_.look_at(directories);
    std::map<std::string, process::RunLook> runs;
    for (const auto& [service, process] : rows.processes) runs[service] = looked[runs.size()];
    now = std::make_shared<StackNow>();
    now->model = *model;
    fill(*now, rows, runs);
  } catch (const util::Error& e) {
    if (e.kind() == util::ErrorKind::not_found) stacks_.erase(stack);
    throw;
  }
  now->number = ++numbers_;
  auto& seen = stacks_[stack];
  if (touched >= seen.looked) {
    seen.now = now;
    seen.looked = touched;
  }
  co_return now;
}

awaitable<Picture::Rows> Picture::read(std::string stack, std::shared_ptr<const model::Stack> model) {
  std::map<std::string, std::pair<std::string, std::vector<const model::Hook*>>> ended;
  for (const auto& [id, state] : monitor_.of_stack(stack))
    if (state.dead())
      if (const auto* service = model->spec->find(state.service))
        if (auto hooks = service->hooks_of(model::Phase::pre_run); !hooks.empty())
          ended[service->name] = {id, std::move(hooks)};
  auto query = [stack, ended, model, planning = kinds_.planning](store::Database& db) {
    Rows r;
    r.stack = store::Stacks::get(db, stack);
    if (!r.stack) return r;
    r.stack->spec.clear();
    r.stack->facts.clear();
    for (const auto& [service, container] : ended)
      for (const auto* hook : container.second)
        if (auto last = store::HookRuns::last(db, stack, service, "pre_run", hook->index, container.first);
            last && last->state == "failed")
          r.pre_runs[service] = *last;
    r.operation = store::Operations::get(db, r.stack->last_operation);
    if (r.operation)
      r.steps = r.operation->state == "running" ? store::Steps::of_operation(db, r.operation->id)
                                                : store::Steps::of_kind(db, r.operation->id, planning);
    for (auto& process : store::Processes::of_stack(db, stack)) r.processes[process.service] = process;
    for (const auto& start : store::Starts::of_stack(db, stack))
      (start.state == "stopped" ? r.stopped : r.started).insert(start.service);
    return r;
  };
  co_return co_await journal_.run(query);
}

namespace {

std::vector<std::pair<std::string, ContainerState>> containers_of(
    const std::map<std::string, ContainerState>& all, const std::string& service) {
  std::vector<std::pair<std::string, ContainerState>> found;
  for (const auto& [id, state] : all)
    if (state.service == service && state.hook.empty()) found.emplace_back(id, state);
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.second.number < b.second.number; });
  return found;
}

// The one that speaks for the service: the first whose own status is the service's.
const ContainerState* speaker(const ServiceNow& now, const model::Service& service,
                              const Circumstances& all) {
  for (const auto& [id, c] : now.containers)
    if (container_status({c.state, c.health, c.exit_code}, service, all) == now.status) return &c;
  return now.containers.empty() ? nullptr : &now.containers.front().second;
}

void fill_container(ServiceNow& now, const model::Service& service, const Circumstances& all) {
  std::vector<std::string> statuses;
  for (const auto& [id, c] : now.containers) {
    statuses.push_back(container_status({c.state, c.health, c.exit_code}, service, all));
    now.restarts += c.restarts;
  }
  now.status = worst(statuses);
  now.cause = Cause::caller;  // of one that is there no more
  const auto* c = speaker(now, service, all);
  if (!c) return;
  now.exit_code = now.containers.front().second.exit_code;
  now.cause = c->cause;
  now.reason = container_reason(
      now.status, {c->state, c->health, c->exit_code, c->health_output, c->out_of_memory, c->killed});
}

void fill_process(ServiceNow& now, const model::Service& service, const store::ProcessRow* row,
                  const process::RunLook& look, const Circumstances& all) {
  std::optional<ProcessSeen> seen;
  now.cause = Cause::process;
  if (row) {
    seen.emplace();
    seen->running = look.running();
    seen->streak = row->streak;
    seen->restarts = now.restarts = row->restarts;
    now.pid = look.pid;
    if (look.exit) seen->exit = *look.exit;
    if (!seen->running) now.exit_code = seen->exit.code;
  }
  const auto status = process_status(seen, service, all);
  now.status = status.status;
  now.reason = status.reason;
}

}  // namespace

// Of the first container that is not as it was made. While one was not inspected yet, what was told last.
std::string Picture::changed_by_hand(
    const StackNow& now, const model::Service& service,
    const std::vector<std::pair<std::string, ContainerState>>& containers) const {
  std::string changed;
  for (const auto& [id, c] : containers) {
    if (c.start.empty()) {
      const auto told = told_.find({now.row.id, service.name});
      return told != told_.end() && told->second.row.status == "ready" ? told->second.row.reason : "";
    }
    if (changed.empty())
      changed = world::changed_by_hand(*now.model.spec, service, c.number, c.name, c.networks);
  }
  return changed;
}

void Picture::fill(StackNow& now, const Rows& rows,
                   const std::map<std::string, process::RunLook>& runs) const {
  now.row = *rows.stack;
  now.operation = rows.operation;
  now.steps = rows.steps;
  now.engine_away = !monitor_.connected();
  now.as_of = now.engine_away ? monitor_.heard_at() : 0;
  Circumstances all;
  all.stack_status = now.row.status;
  all.operation_running = now.operation && now.operation->state == "running";
  if (now.operation) all.operation_kind = now.operation->kind;
  all.engine_answered = !now.engine_away;
  all.stopped = rows.stopped;
  for (const auto& step : rows.steps)
    if (kinds_.readiness.contains(step.kind))
      (step.state == "done" || step.state == "skipped" ? all.ready : all.unready).insert(step.service);
  const auto failed = last_failure(now.operation);
  const auto containers = monitor_.of_stack(now.row.id);
  std::vector<ServiceStatus> statuses;
  for (const auto& service : now.model.spec->services) {
    ServiceNow s;
    s.name = service.name;
    if (service.container) {
      s.containers = containers_of(containers, service.name);
      fill_container(s, service, all);
      if (s.status == "ready") s.reason = changed_by_hand(now, service, s.containers);
      if (now.engine_away && now.row.status != "down") {
        const auto told = told_.find({now.row.id, s.name});
        s.known =
            told == told_.end() || told->second.row.status == "unknown" ? s.status : told->second.row.status;
        s.status = "unknown";
        s.reason = "the engine does not answer";
      }
    } else {
      const auto row = rows.processes.find(service.name);
      const auto run = runs.find(service.name);
      fill_process(s, service, row == rows.processes.end() ? nullptr : &row->second,
                   run == runs.end() ? process::RunLook{} : run->second, all);
    }
    if (const auto run = rows.pre_runs.find(service.name);
        run != rows.pre_runs.end() && s.exit_code == run->second.exit_code)
      s.reason = run->second.reason;  // X24: it was the hook, not the command
    if (s.status == "down" && failed.service == s.name) {
      s.status = "failed";
      s.reason = failed.message;
    }
    statuses.push_back({s.name, s.status});
    now.services.push_back(std::move(s));
  }
  now.status = stack_status(now.row.status, statuses, rows.started);
  if (all.operation_running)
    for (auto& s : now.services)
      if (s.status == "starting" || s.status == "down" || s.status == "unhealthy") {
        const auto* wait = waits_.find(now.row.id, s.name);
        s.waiting_for = wait ? to_text(*wait) : unmet_needs(now.model.service(s.name), statuses);
      }
  if (all.operation_running)
    for (auto& s : now.services)
      if (s.cause == Cause::caller || s.cause == Cause::process) s.cause = Cause::step;
  set_since(now);
}

// W9. What was told already keeps its time; what is new has the engine's, or now.
void Picture::set_since(StackNow& now) const {
  const auto present = util::now_ms();
  for (auto& s : now.services) {
    const auto told = told_.find({now.row.id, s.name});
    if (told != told_.end() && told->second.row.status == s.status) {
      s.since = told->second.row.since;
      continue;
    }
    s.since = present;
    // (A container that runs is ready once stackd has found it so.)
    if (s.status == "ready" || s.status == "starting") continue;
    for (const auto& [id, c] : s.containers)
      if (c.changed_at > 0) s.since = s.since == present ? c.changed_at : std::max(s.since, c.changed_at);
  }
}

}  // namespace stackd::world
