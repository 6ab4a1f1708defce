#include "daemon/steps/common/process_run.hpp"

#include "daemon/async/shielded.hpp"
#include "daemon/logs/marks.hpp"
#include "daemon/process/log_files.hpp"
#include "daemon/process/restart_policy.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/translate/definitions.hpp"
#include "daemon/translate/process_request.hpp"

namespace stackd::steps {
namespace {

constexpr std::string_view k_again = ".again";

// Of the run after this one.
std::string next_name(const store::ProcessRow& ended) {
  const auto name = std::filesystem::path(ended.run_directory).filename().string();
  return name.substr(0, name.find(k_again)) + std::string(k_again) + std::to_string(ended.restarts + 1);
}

awaitable<std::optional<store::ProcessRow>> take_its_place(Tools& tools, store::ProcessRow ended,
                                                           process::RunExit exit) {
  async::NameLock alone(tools.processes);
  co_await alone.take(process_lock(ended.stack_id, ended.service));
  const auto now = co_await process_row(tools, ended.stack_id, ended.service);
  if (!now || now->run_directory != ended.run_directory) co_return std::nullopt;
  const auto stack = co_await tools.models.fresh(ended.stack_id);
  NewRun run{next_name(ended), ended.operation_id, "restarted: process-exit", ended.restarts + 1,
             process::streak_before(ended.streak, exit) + 1};
  co_await begin_run(tools, stack, ended.service, now, std::move(run));
  co_return co_await process_row(tools, ended.stack_id, ended.service);
}

}  // namespace

std::string process_lock(const std::string& stack, const std::string& service) {
  return stack + " " + service;
}

awaitable<std::optional<store::ProcessRow>> process_row(Tools& tools, std::string stack,
                                                        std::string service) {
  auto query = [stack, service](store::Database& db) { return store::Processes::get(db, stack, service); };
  return tools.journal.run(query);
}

awaitable<void> begin_run(Tools& tools, model::Stack stack, std::string name,
                          std::optional<store::ProcessRow> known, NewRun run) {
  const auto& service = stack.service(name);
  const auto directory = tools.paths.run(stack.id, run.name);
  auto request = translate::process_request(
      stack, service,
      resolve::resolved(service.process->cmd, resolve::Strictness::shell, *stack.spec, *stack.facts));
  request.directory = directory;
  // What a oneshot put in the background is what it was run for.
  request.leave_background = service.kind == model::ServiceKind::oneshot;
  request.log = tools.paths.service_log(stack.id, service.name);
  request.log_header = "=== stackd " + run.name + " " + util::format_time(util::now_ms()) + " ===";
  if (!known || known->run_directory != directory.string()) {
    store::ProcessRow row;
    row.stack_id = stack.id;
    row.service = service.name;
    row.run_directory = directory.string();
    row.log = request.log.string();
    auto end = [log = request.log](async::FileWorker&) { return process::LogFiles(log).end(); };
    row.log_offset =
        co_await tools.files.run(end);  // L10.4: nothing is matched against an earlier run's lines
    row.definition = translate::process_definition(stack, service);
    row.operation_id = run.operation;
    row.restarts = run.restarts;
    row.streak = run.streak;
    auto write = [row](store::Database& db) {
      store::Processes::put(db, row);
      store::Starts::put(db, {row.stack_id, row.service, 0, "", "", "running"});
      journal::Journal::touch(row.stack_id);
    };
    co_await tools.journal.commit(write);
    co_await logs::write_mark(tools.files, tools.paths.stack(stack.id), service.name, 1, run.what);
  }
  co_await tools.runs.start(request);  // nothing when it has begun already
}

awaitable<void> begin_named(Tools& tools, store::ProcessRow row) {
  const auto stack = co_await tools.models.fresh(row.stack_id);
  NewRun run;
  run.name = std::filesystem::path(row.run_directory).filename().string();
  const std::optional<store::ProcessRow> known = row;
  co_await begin_run(tools, stack, row.service, known, std::move(run));
}

awaitable<std::optional<store::ProcessRow>> start_again(Tools& tools, store::ProcessRow ended,
                                                        process::RunExit exit) {
  const auto stack = co_await tools.models.get(ended.stack_id);
  const auto* service = stack.spec->find(ended.service);
  if (!service || service->kind != model::ServiceKind::process) co_return std::nullopt;
  const auto pause = process::restart_pause(service->process->restart, ended.streak, exit);
  if (!pause) co_return std::nullopt;
  co_await async::sleep_for(*pause);
  auto taking = take_its_place(tools, ended, exit);
  co_return co_await async::shielded(std::move(taking));
}

}  // namespace stackd::steps
