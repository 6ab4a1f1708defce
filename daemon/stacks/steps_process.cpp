// Host processes: the run's directory is named after the operation and the step, and the row that points to
// it is committed before the shim is asked; so a process is started once, whatever happens
// (process/runs.hpp).
#include <sys/stat.h>

#include "daemon/spec/environment.hpp"
#include "daemon/spec/references.hpp"
#include "daemon/stacks/process_request.hpp"
#include "daemon/stacks/steps.hpp"
#include "daemon/util/ids.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds k_grace{5000};            // L5.5
constexpr std::chrono::milliseconds k_stop_cmd_limit{30000};  // L5.6

std::chrono::milliseconds grace_of(const spec::Service& service) {
  return service.process->stop_grace_period.value_or(k_grace);
}

std::uint64_t size_of(const std::string& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

// L5.7: containers that a stop_cmd's tool left behind.
awaitable<void> sweep(Services& services, const spec::Process& process) {
  if (process.owned_label.empty() && process.owned_name_pattern.empty()) co_return;
  docker::Engine::Filters filters;
  if (!process.owned_label.empty()) filters.emplace_back("label", process.owned_label);
  if (!process.owned_name_pattern.empty()) filters.emplace_back("name", process.owned_name_pattern);
  const auto containers = co_await services.engine.list_containers(filters);
  for (const auto& container : containers)
    co_await services.engine.remove_container(container.id, true, false);
}

// X14: the service's own directory and environment; a failure is a warning.
awaitable<std::string> run_stop_cmd(Services& services, StepContext context, Model model,
                                    const spec::Service& service) {
  auto request = process_request(
      model, service,
      spec::resolve(service.process->stop_cmd, spec::Strictness::shell, *model.spec, *model.facts));
  request.directory = services.paths.run(
      model.id, context.operation.id + "-" + std::to_string(context.step.ordinal) + ".stop");
  request.log = services.paths.service_log(model.id, service.name);
  request.timeout = k_stop_cmd_limit;
  co_await services.runs.start(request);
  const auto exit = co_await services.runs.wait(request.directory);
  if (exit.ok()) co_return "";
  co_return "stop_cmd of service '" + service.name + "' " +
      (exit.cause == process::Cause::timed_out ? std::string("was out of time and was ended")
                                               : "exited with status " + std::to_string(exit.code));
}

}  // namespace

process::RunRequest process_request(const Model& model, const spec::Service& service,
                                    const std::string& command) {
  process::RunRequest request;
  request.argv = {"/bin/sh", "-c", command};
  request.cwd = service.process->cwd.empty() ? model.spec->directory : service.process->cwd;
  request.env = spec::process_environment(*model.spec, *model.facts, service);
  request.secrets = spec::secret_values(*model.spec, *model.facts);
  request.capture = process::Capture::append;
  request.truncate_log = false;
  request.grace = grace_of(service);
  return request;
}

std::string process_definition(const Model& model, const spec::Service& service) {
  json text{{"cmd", spec::resolve(service.process->cmd, spec::Strictness::shell, *model.spec, *model.facts)},
            {"cwd", service.process->cwd}};
  auto environment = spec::process_environment(*model.spec, *model.facts, service);
  // The terminal's own variables change from one shell to the next and mean nothing to a service.
  for (const auto* name :
       {"_", "PWD", "OLDPWD", "SHLVL", "TERM", "COLUMNS", "LINES", "SSH_AUTH_SOCK", "SSH_TTY", "WINDOWID",
        "TERM_SESSION_ID", "STACKD_OPERATION", "INVOCATION_ID", "JOURNAL_STREAM"})
    environment.erase(name);
  // What was inherited counts only by the file's own say; a new variable in the caller's shell restarts
  // nothing.
  for (const auto& [name, value] : model.facts->caller)
    if (const auto found = environment.find(name); found != environment.end() && found->second == value)
      environment.erase(found);
  text["env"] = environment;
  return util::sha256_hex(text.dump());
}

awaitable<Outcome> start_process_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto& service = model.service(context.step.service);
  const auto run = context.operation.id + "-" + std::to_string(context.step.ordinal);
  const auto directory = services.paths.run(model.id, run);
  const auto definition = process_definition(model, service);
  auto query = [id = model.id, name = service.name](store::Database& db) {
    return store::Processes::get(db, id, name);
  };
  const auto known = co_await services.journal.run(query);
  Outcome outcome;
  if (known && known->run_directory != directory.string()) {
    const bool running = services.runs.state(known->run_directory) == process::RunState::running;
    const bool force = context.request.value("/options/force_recreate"_json_pointer, false);
    const bool done = service.kind == spec::ServiceKind::oneshot &&
                      services.runs.exit_of(known->run_directory).value_or(process::RunExit{}).ok();
    if ((running || done) && known->definition == definition && !force) {
      outcome.skipped = true;
      outcome.reason = running ? "it is running" : "it is done";
      co_return outcome;
    }
    if (running) co_await services.runs.end(known->run_directory, grace_of(service));
  }
  auto request = process_request(
      model, service,
      spec::resolve(service.process->cmd, spec::Strictness::shell, *model.spec, *model.facts));
  request.directory = directory;
  // What a oneshot put in the background is what it was run for.
  request.leave_background = service.kind == spec::ServiceKind::oneshot;
  request.log = services.paths.service_log(model.id, service.name);
  request.log_header = "=== stackd " + run + " " + util::format_time(util::now_ms()) + " ===";
  if (!known || known->run_directory != directory.string()) {
    store::ProcessRow row;
    row.stack_id = model.id;
    row.service = service.name;
    row.run_directory = directory.string();
    row.log = request.log.string();
    row.log_offset = size_of(row.log);  // L10.4: nothing is matched against an earlier run's lines
    row.definition = definition;
    row.operation_id = context.operation.id;
    if (known && context.operation.kind == "recover") {
      row.restarts = known->restarts;
      row.streak = known->streak;
    }
    auto write = [row](store::Database& db) {
      store::Processes::put(db, row);
      store::Starts::put(db, {row.stack_id, row.service, 0, "", "", "running"});
    };
    co_await services.journal.commit(write);
  }
  if (services.runs.state(directory) == process::RunState::absent) co_await services.runs.start(request);
  outcome.result = {{"started", true}, {"run", run}};
  co_return outcome;
}

awaitable<Outcome> stop_process_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  // A container by now, maybe; then the process is that of an earlier up.
  const auto* own = model.spec->find(context.step.service);
  const auto* gone = model.spec->find_gone(context.step.service);
  const auto& service = own && !own->process && gone ? *gone : model.service(context.step.service);
  Outcome outcome;
  auto query = [id = model.id, name = service.name](store::Database& db) {
    return store::Processes::get(db, id, name);
  };
  const auto row = co_await services.journal.run(query);
  if (!row) co_return outcome;
  if (!service.process->stop_cmd.empty()) {
    const auto warning = co_await run_stop_cmd(services, context, model, service);
    if (!warning.empty()) outcome.warnings.push_back(warning);
  }
  const auto exit = co_await services.runs.end(row->run_directory, grace_of(service));
  if (!exit.error.empty() && exit.cause == process::Cause::ended)
    outcome.warnings.push_back("service '" + service.name + "': " + exit.error);
  co_await sweep(services, *service.process);
  auto write = [id = model.id, name = service.name](store::Database& db) {
    store::Processes::remove(db, id, name);
    store::Starts::put(db, {id, name, 0, "", "", "stopped"});
  };
  co_await services.journal.commit(write);
  co_return outcome;
}

}  // namespace stackd::stacks
