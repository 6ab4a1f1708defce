#include "daemon/hooks/hook_runner.hpp"

#include <spdlog/spdlog.h>

#include "daemon/async/task_group.hpp"
#include "daemon/hooks/failure.hpp"
#include "daemon/hooks/judge.hpp"
#include "daemon/hooks/newest.hpp"
#include "daemon/logs/run_log.hpp"
#include "daemon/process/file_watch.hpp"
#include "daemon/process/log_files.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"
#include "daemon/world/seen.hpp"

namespace stackd::hooks {
namespace {

using model::Hook;
using model::HookPlace;
using nlohmann::json;
using store::HookRunRow;

std::string resolved(const HookJob& job, const std::string& text) {
  return resolve::resolved(text, resolve::Strictness::shell, *job.spec, *job.facts);
}

std::vector<std::string> argv_of(const HookJob& job) {
  if (!job.hook.shell.empty()) return {"/bin/sh", "-c", resolved(job, job.hook.shell)};
  std::vector<std::string> argv;
  for (const auto& word : job.hook.argv) argv.push_back(resolved(job, word));
  return argv;
}

// L9.1, X19: the stack's directory, or `cwd` from there; a service's hook too, wherever its process runs.
std::string host_directory(const HookJob& job) {
  if (job.hook.cwd.empty()) return job.spec->directory;
  const auto cwd = resolved(job, job.hook.cwd);
  return cwd.front() == '/' ? cwd : job.spec->directory + "/" + cwd;
}

}  // namespace

resolve::Variables variables_of(const HookJob& job) {
  const auto& about = job.about;
  return {{"STACKD_STACK", about.stack},
          {"STACKD_STACK_ID", about.stack_id},
          {"STACKD_OPERATION", about.operation},
          {"STACKD_PHASE", model::to_string(job.hook.phase)},
          {"STACKD_INDEX", std::to_string(job.hook.index)},
          {"STACKD_SERVICE", job.hook.service},
          {"STACKD_REASON", about.reason},
          {"STACKD_PROFILE", about.profile}};
}

namespace {

// Over the container's own. The context file is on the host.
resolve::Variables exec_environment(const HookJob& job) {
  auto variables = variables_of(job);
  for (const auto& [name, value] : job.hook.env)
    if (value) variables[name] = resolve::resolved(*value, resolve::Strictness::value, *job.spec, *job.facts);
  return variables;
}

HookRunRow row_of(const HookJob& job, int number) {
  HookRunRow row;
  row.id = job.run_id + "-" + std::to_string(number);
  row.stack_id = job.about.stack_id;
  row.operation_id = job.about.operation;
  row.step = job.step;
  row.phase = model::to_string(job.hook.phase);
  row.service = job.hook.service;
  row.container = job.container;
  row.place = to_string(resolve::place_of(job.hook));
  row.command = job.hook.text();
  row.index = job.hook.index;
  row.attempt = number;
  row.reason = job.about.reason;
  row.started_at = util::now_ms();
  return row;
}

// Of a hook that is a container: the name says which run it is, so that it is found again after a crash.
std::string container_name(const std::string& run_id) {
  return "stackd-hook-" + run_id;
}

// C4.7, C4.8: the container of a pre_start that failed is kept for a look, and its id is in the text; of
// several tries the last one's.
bool is_kept(const HookJob& job, int attempt, bool ok) {
  return !ok && job.hook.phase == model::Phase::pre_start && attempt > job.hook.retries;
}

void close(HookRunRow& row, const Hook& hook, const process::RunExit& exit,
           const std::vector<std::string>& secrets) {
  row.state = exit.ok() ? "succeeded" : exit.cause == process::Cause::ended ? "cancelled" : "failed";
  if (exit.cause == process::Cause::exited || exit.cause == process::Cause::signalled)
    row.exit_code = exit.code;
  row.out_tail = resolve::mask(util::valid_utf8(exit.out_tail), secrets);
  row.err_tail = resolve::mask(util::valid_utf8(exit.err_tail), secrets);
  if (exit.started_at) row.started_at = exit.started_at;
  row.ended_at = exit.ended_at ? exit.ended_at : util::now_ms();
  if (!exit.ok()) {
    const auto place = model::place_from(row.place).value_or(HookPlace::host);
    row.reason = resolve::mask(failure_text(hook, place, exit), secrets);
  }
}

void apply_policy(const HookJob& job, HookResult& result) {
  result.message = result.row.reason;
  const auto policy = resolve::on_failure_of(job.hook);
  result.ok = policy == model::OnFailure::ignore;
  result.warn = policy == model::OnFailure::warn;
}

}  // namespace

json event_of(const HookRunRow& row) {
  json data{{"run", row.id},        {"phase", row.phase},     {"index", row.index}, {"service", row.service},
            {"place", row.place},   {"command", row.command}, {"state", row.state}, {"attempt", row.attempt},
            {"reason", row.reason}, {"log", row.log}};
  if (row.exit_code) data["exit_code"] = *row.exit_code;
  if (row.ended_at) {
    data["duration_ms"] = *row.ended_at - row.started_at;
    data["stderr_tail"] = util::join(util::tail_lines(row.err_tail), "\n");
  }
  return data;
}

std::function<void(store::Database&)> writing(HookRunRow row, std::string event) {
  return [row = std::move(row), event = std::move(event)](store::Database& db) {
    store::HookRuns::put(db, row);
    journal::Journal::event(db, row.stack_id, row.operation_id, event, event_of(row));
  };
}

HookRunner::HookRunner(Tools& tools) : tools_(tools) {}

awaitable<HookResult> HookRunner::run(HookJob job) {
  HookResult result;
  co_await look_again(job);
  const auto why_not = co_await reason_to_skip(job);
  bool begun = false;
  if (!why_not.empty()) begun = co_await has_begun(job);
  if (!why_not.empty() && !begun) {
    result.row = co_await leave(job, "skipped", why_not);
    co_return result;
  }
  if (!job.failure.empty()) {
    result.row = co_await leave(job, "failed", job.failure);
    apply_policy(job, result);
    co_return result;
  }
  auto delay = job.hook.retry_delay;
  for (int number = 1; number <= job.hook.retries + 1; ++number, delay *= 2) {
    co_await attempt(job, number, result);
    if (result.row.state == "succeeded") co_return result;
    if (number > job.hook.retries) break;
    co_await async::sleep_for(delay);
    co_await look_again(job);
  }
  apply_policy(job, result);
  co_return result;
}

// Whoever ran before may have made its directory, or a secret.
awaitable<void> HookRunner::look_again(HookJob& job) {
  const model::Stack known{job.about.stack_id, job.spec, job.facts};
  const auto stack = co_await world::looked_at(tools_.user_files, known);
  job.facts = stack.facts;
}

// Before the daemon was restarted: what it did itself is no reason to skip it.
awaitable<bool> HookRunner::has_begun(const HookJob& job) {
  auto query = [id = row_of(job, 1).id](store::Database& db) {
    const auto row = store::HookRuns::get(db, id);
    return row && row->state != "skipped";
  };
  co_return co_await tools_.journal.run(query);
}

awaitable<std::string> HookRunner::reason_to_skip(const HookJob& job) {
  if (!job.skip.empty() || job.by_hand) co_return job.skip;
  const auto judged = co_await judge(tools_.journal, job);
  if (!judged.skip.empty()) co_return judged.skip;
  const auto& hook = job.hook;
  const bool post_start = hook.phase == model::Phase::post_start;
  const bool own_say = hook.run == model::RunPolicy::once || hook.run == model::RunPolicy::changed;
  if (own_say || !job.only_unless_succeeded || (!post_start && hook.run == model::RunPolicy::always))
    co_return "";
  auto query = [stack = job.about.stack_id, service = hook.service, phase = model::to_string(hook.phase),
                definition = definition_of(job), container = job.container, index = hook.index,
                post_start](store::Database& db) {
    // A container may have been started more than once: its last post_start counts (X1, X30).
    if (post_start) {
      const auto last = store::HookRuns::last(db, stack, service, phase, index, container);
      return last && last->state == "succeeded";
    }
    return store::HookRuns::succeeded(db, stack, service, phase, definition, container);
  };
  const bool done = co_await tools_.journal.run(query);
  co_return done ? "it has succeeded in this container already" : "";
}

awaitable<HookRunRow> HookRunner::leave(const HookJob& job, std::string state, std::string why) {
  auto row = row_of(job, 1);
  row.state = std::move(state);
  row.reason = std::move(why);
  row.ended_at = row.started_at;
  // It may be this very job that did it, for a daemon that was killed before the step's end: then its record
  // stays, and is what counts.
  auto get_or_put = [row](store::Database& db) {
    auto known = store::HookRuns::get(db, row.id);
    if (!known) writing(row, "hook.ended")(db);
    return known;
  };
  const auto known = co_await tools_.journal.commit(get_or_put);
  co_return known ? *known : row;
}

awaitable<void> HookRunner::attempt(HookJob& job, int number, HookResult& result) {
  bool resumed = false;
  result.row = co_await begin(job, number, resumed);
  auto& row = result.row;
  if (row.state != "running") {  // it ended before the daemon was restarted
    co_await remove_own(job, row);
    co_return;
  }
  process::RunExit exit;
  if (job.own_container)
    exit = co_await run_container(job, row, resumed);
  else
    exit = co_await run_held(job, row);
  co_await look_again(job);  // what it has put into a file of secrets is hidden in its own words already
  close(row, job.hook, exit, resolve::secret_values(*job.spec, *job.facts));
  if (row.state == "succeeded" && !job.own_container) {
    result.record = writing(row, "hook.ended");
  } else {
    co_await record(row, "hook.ended");
    co_await remove_own(job, row);
  }
}

// After the record: without the container a daemon that dies in between could not tell that the hook ran.
awaitable<void> HookRunner::remove_own(const HookJob& job, HookRunRow row) {
  if (job.own_container && !is_kept(job, row.attempt, row.state == "succeeded"))
    co_await tools_.engine.remove_container(container_name(row.id), true, true);
}

// The record as it is, or a new one.
awaitable<HookRunRow> HookRunner::begin(const HookJob& job, int number, bool& resumed) {
  auto row = row_of(job, number);
  row.log = tools_.paths.hook_log(row.stack_id, row.service, row.phase, row.index).string();
  row.definition = definition_of(job);
  auto get_or_put = [row](store::Database& db) {
    auto known = store::HookRuns::get(db, row.id);
    if (!known) writing(row, "hook.started")(db);
    return known;
  };
  const auto known = co_await tools_.journal.commit(get_or_put);
  resumed = known.has_value();
  co_return known ? *known : row;
}

awaitable<process::RunExit> HookRunner::run_held(const HookJob& job, HookRunRow row) {
  auto request = request_of(job, row);
  const auto directory = request.directory;
  // All that it needs on disk, at once.
  std::string context;
  if (resolve::place_of(job.hook) == HookPlace::host) context = job.about.context.dump(2) + "\n";
  auto prepare = [row, context, file = context_file(row)](async::FileWorker&) {
    logs::link_run_log(row);
    if (context.empty()) return;
    util::make_directories(file.parent_path());
    util::write_file(file, context, 0600, util::Durability::fleeting);
  };
  const auto there = co_await tools_.runs.look(directory);
  if (there.state == process::RunState::absent) {
    co_await tools_.files.run(prepare);
    co_await tools_.runs.start(std::move(request));
  }
  async::TaskGroup watchers(tools_.executor);
  watchers.spawn("output of " + row.id, [this, row] { return follow(row); });
  auto ending = tools_.runs.wait(directory);
  const auto exit = co_await watchers.during(std::move(ending));
  co_await link_log(row);
  co_return exit;
}

awaitable<process::RunExit> HookRunner::run_container(const HookJob& job, HookRunRow row, bool resumed) {
  auto hook = *job.own_container;
  hook.name = container_name(row.id);
  const auto secrets = resolve::secret_values(*job.spec, *job.facts);
  auto on_line = [this, row, secrets](const std::string& line) {
    note_line(row, resolve::mask(line, secrets));
  };
  logs::RunLog log(tools_.files, row, secrets);
  ContainerRun run{std::move(hook), resolve::timeout_of(job.hook, job.spec->runtime), resumed, on_line};
  auto result = co_await run_container_hook(tools_.engine, std::move(run), log);
  if (is_kept(job, row.attempt, result.exit.ok()) && !result.id.empty())
    result.exit.error = "container " + result.id.substr(0, 12) + " is kept for a look";
  co_return result.exit;
}

process::RunRequest HookRunner::request_of(const HookJob& job, const HookRunRow& row) const {
  process::RunRequest request;
  request.directory = tools_.paths.run(row.stack_id, row.id);
  request.argv = argv_of(job);
  request.log = logs::run_log(row.log, row.id);
  request.truncate_log = row.attempt == 1;
  request.timeout = resolve::timeout_of(job.hook, job.spec->runtime);
  request.secrets = resolve::secret_values(*job.spec, *job.facts);
  if (resolve::place_of(job.hook) == HookPlace::exec) {
    request.place = process::Place::exec;
    request.engine_host = tools_.engine.host();
    request.api_version = tools_.engine.known_version() ? tools_.engine.known_version()->api_version
                                                        : std::string(docker::k_oldest_api);
    request.container = job.container;
    request.cwd = resolved(job, job.hook.cwd);
    request.user = resolved(job, job.hook.user);
    request.privileged = job.hook.privileged;
    const auto* service = job.spec->find_known(job.hook.service);
    request.tty = service && service->container && service->container->tty;  // C2.10
    request.env = exec_environment(job);
    for (const auto& [name, value] : job.hook.env)
      if (!value) request.bare_env.push_back(name);
    return request;
  }
  request.cwd = host_directory(job);
  request.umask = job.facts->umask.value_or(process::k_umask);
  request.env = resolve::hook_environment(*job.spec, *job.facts, job.hook);
  for (const auto& [name, value] : variables_of(job)) request.env[name] = value;
  request.env["STACKD_CONTEXT"] = context_file(row).string();
  return request;
}

awaitable<std::filesystem::path> HookRunner::link_log(HookRunRow row) {
  auto work = [row](async::FileWorker&) { return logs::link_run_log(row); };
  return tools_.files.run(work);
}

std::filesystem::path HookRunner::context_file(const HookRunRow& row) const {
  return tools_.paths.runs(row.stack_id) / (row.id + ".context.json");
}

void HookRunner::note_line(const HookRunRow& row, const std::string& line) {
  tools_.journal.note(row.stack_id, row.operation_id, "hook.output",
                      {{"run", row.id},
                       {"phase", row.phase},
                       {"index", row.index},
                       {"service", row.service},
                       {"line", util::valid_utf8(line)}});
}

awaitable<void> HookRunner::record(HookRunRow row, std::string event) {
  auto write = writing(std::move(row), std::move(event));
  co_await tools_.journal.commit(write);
}

// Passes the newest output line on to whoever watches now; not each, of one that writes fast.
awaitable<void> HookRunner::follow(HookRunRow row) {
  const auto log = logs::run_log(row.log, row.id);
  process::FileWatch watch(tools_.executor, log.parent_path(), log.filename().string());
  auto look = [log](async::FileWorker&) { return process::newest_line(log); };
  for (std::string told;;) {
    watch.follow(log);
    const auto line = co_await tools_.files.run(look);
    if (!line.empty() && line != told) note_line(row, line);
    told = line;
    co_await async::sleep_for(k_line_pause);
    co_await watch.changed();
  }
}

awaitable<void> HookRunner::end(HookRunRow row, std::string why) {
  process::RunExit exit;
  if (row.place == "container")
    co_await tools_.engine.remove_container(container_name(row.id), true, true);  // C4.10, X4
  else
    exit = co_await tools_.runs.end(tools_.paths.run(row.stack_id, row.id), std::chrono::seconds(5));
  // It may have come to its own end before, unheard by a daemon that was killed.
  row.state = exit.ok() ? "succeeded" : "cancelled";
  if (exit.ok())
    row.exit_code = 0;
  else
    row.reason = std::move(why);
  if (!exit.error.empty() && exit.cause != process::Cause::not_started) row.reason += ": " + exit.error;
  row.out_tail = util::valid_utf8(exit.out_tail);
  row.err_tail = util::valid_utf8(exit.err_tail);
  row.ended_at = util::now_ms();
  co_await record(row, "hook.ended");
}

}  // namespace stackd::hooks
