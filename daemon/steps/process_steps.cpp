// Host processes: the run's directory is named after the operation and the step
// (steps/common/process_run.hpp).
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/steps/common/process_run.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/store/kept.hpp"
#include "daemon/translate/definitions.hpp"
#include "daemon/translate/process_request.hpp"
#include "daemon/util/ids.hpp"

namespace stackd::steps {
namespace {

constexpr std::chrono::milliseconds k_stop_cmd_limit{30000};  // L5.6

// L5.7: containers that a stop_cmd's tool left behind.
awaitable<void> sweep(Tools& tools, const model::Process& process) {
  if (process.owned_label.empty() && process.owned_name_pattern.empty()) co_return;
  docker::Filters filters;
  if (!process.owned_label.empty()) filters.emplace_back("label", process.owned_label);
  if (!process.owned_name_pattern.empty()) filters.emplace_back("name", process.owned_name_pattern);
  const auto containers = co_await tools.engine.list_containers(filters);
  for (const auto& container : containers) co_await tools.engine.remove_container(container.id, true, false);
}

// X14: the service's own directory and environment; a failure is a warning.
awaitable<std::string> run_stop_cmd(Tools& tools, const Step<plan::StopProcess>& step, model::Stack stack,
                                    const model::Service& service) {
  auto request = translate::process_request(
      stack, service,
      resolve::resolved(service.process->stop_cmd, resolve::Strictness::shell, *stack.spec, *stack.facts));
  request.directory = tools.paths.run(stack.id, step.name() + ".stop");
  request.log = tools.paths.service_log(stack.id, service.name);
  request.timeout = k_stop_cmd_limit;
  co_await tools.runs.start(request);
  const auto exit = co_await tools.runs.wait(request.directory);
  if (exit.ok()) co_return "";
  co_return "stop_cmd of service '" + service.name + "' " +
      (exit.cause == process::Cause::timed_out ? std::string("was out of time and was ended")
                                               : "exited with status " + std::to_string(exit.code));
}

// For its log: what it is that begins here.
std::string beginning(const Step<plan::StartProcess>& step, const std::string& service) {
  if (step.operation().mode == "rollback") return "put back";
  const auto reasons = step.wish().reasons;
  if (const auto own = reasons.find(service); own != reasons.end()) return "restarted: " + own->second;
  return step.kind() == plan::Kind::restart ? "restarted: restart" : "started";
}

}  // namespace

awaitable<Outcome> start_process(Tools& tools, Step<plan::StartProcess> step) {
  const auto stack = co_await tools.models.fresh(step.stack());
  const auto& service = stack.service(step.service());
  const auto run = step.name();
  const auto directory = tools.paths.run(stack.id, run);
  const auto known = co_await process_row(tools, stack.id, service.name);
  if (known && known->run_directory != directory.string()) {
    const auto look = co_await tools.runs.look(known->run_directory);
    const bool running = look.running();
    const bool done = service.kind == model::ServiceKind::oneshot && look.done();
    const bool same = known->definition == translate::process_definition(stack, service);
    if ((running || done) && same && !step.params.force)
      co_return skipped(running ? "it is running" : "it is done");
    // Of one that has ended without its shim's word, something may be left.
    co_await tools.runs.end(known->run_directory, translate::grace_of(service));
  }
  NewRun next{run, step.operation().id, beginning(step, service.name)};
  if (known && step.kind() == plan::Kind::recover) {
    next.restarts = known->restarts;
    next.streak = known->streak;
  }
  co_await begin_run(tools, stack, service.name, known, std::move(next));
  co_return with(plan::StartProcess::Result{true, run});
}

awaitable<Outcome> stop_process(Tools& tools, Step<plan::StopProcess> step) {
  const auto stack = co_await tools.models.fresh(step.stack());
  // A container by now, maybe; then the process is that of an earlier up.
  const auto* own = stack.spec->find(step.service());
  const auto* gone = stack.spec->find_gone(step.service());
  const auto& service = own && !own->process && gone ? *gone : stack.service(step.service());
  Outcome outcome;
  // Who is just starting it again comes to its end first.
  async::NameLock alone(tools.processes);
  co_await alone.take(process_lock(stack.id, service.name));
  const auto row = co_await process_row(tools, stack.id, service.name);
  if (!row) co_return outcome;
  if (step.kind() == plan::Kind::up && step.operation().mode == "forward") {
    // X34: a failed up starts it anew from what the stack was.
    const auto look = co_await tools.runs.look(row->run_directory);
    store::KeptRow kept;
    kept.stack_id = stack.id;
    kept.service = service.name;
    kept.name = service.name;
    kept.state = look.running() ? "running" : "exited";
    auto note = [kept](store::Database& db) {
      if (store::Former::exists(db, kept.stack_id)) store::Kept::put(db, kept);
    };
    co_await tools.journal.run(note);
  }
  if (!service.process->stop_cmd.empty()) {
    const auto warning = co_await run_stop_cmd(tools, step, stack, service);
    if (!warning.empty()) outcome.warnings.push_back(warning);
  }
  const auto exit = co_await tools.runs.end(row->run_directory, translate::grace_of(service));
  if (exit.left || (!exit.error.empty() && exit.cause == process::Cause::ended))
    outcome.warnings.push_back("service '" + service.name + "': " + exit.error);
  co_await sweep(tools, *service.process);
  auto write = [id = stack.id, name = service.name](store::Database& db) {
    store::Processes::remove(db, id, name);
    store::Starts::put(db, {id, name, 0, "", "", "stopped"});
  };
  co_await tools.journal.commit(write);
  co_return outcome;
}

}  // namespace stackd::steps
