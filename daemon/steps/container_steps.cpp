// Start, stop and removal of containers: the engine's own idempotent calls. (semantics.md X30, E5, C10)
#include "daemon/docker/in_flight.hpp"
#include "daemon/hooks/pre_run.hpp"
#include "daemon/logs/marks.hpp"
#include "daemon/steps/common/save_log.hpp"
#include "daemon/steps/common/set_aside.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/translate/pre_run.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
namespace {

using util::Error;
using util::ErrorKind;

// Which start of the container this operation answers for (X30). Its process, k_ended when that has ended
// already.
awaitable<std::optional<int>> record_start(Tools& tools, const Step<plan::Start>& step, std::string id) {
  const auto there = co_await tools.engine.inspect_container(id);
  if (!there) co_return std::nullopt;
  store::StartRow row{step.stack(), step.service(), step.params.number, id, there->started_at, "running"};
  auto write = [row](store::Database& db) { store::Starts::put(db, row); };
  co_await tools.journal.run(write);
  co_return there->running ? there->pid : plan::k_ended;
}

// For its log: what it is that begins here.
std::string beginning(const plan::Create::Result& made, const std::string& reason) {
  if (reason == "rollback") return "put back";
  if (made.replaced) return "replaced";
  const bool again = !made.created && reason != "up" && reason != "start";
  return again ? "restarted: " + reason : "started";
}

// What its pre_run hooks are, written before the container reads it.
awaitable<void> prepare_pre_run(Tools& tools, const Step<plan::Start>& step, model::Stack stack,
                                const plan::Create::Result& made, std::string token) {
  const hooks::PreRunWish wish{step.operation(), stack, step.service(), made.name, token, step.params.reason};
  const auto first = co_await hooks::write_pre_run(tools.hook_tools, tools.hooks, wish);
  if (!first) co_return;
  hooks::PreRunStart start{.operation = step.operation(),
                           .step = step.context.step.ordinal,
                           .container = made.id,
                           .name = made.name,
                           .token = token,
                           .reason = step.params.reason};
  co_await hooks::announce_pre_run(tools.hook_tools, *first, start);
}

}  // namespace

awaitable<Outcome> start(Tools& tools, Step<plan::Start> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto made = step.result_of<plan::Create>(step.params.create_step);
  plan::Start::Result result{.id = made.id};
  if (made.restarted) {
    result.restarted = true;
    co_await record_start(tools, step, made.id);
    co_return with(result);
  }
  const bool paused = made.state == "paused";
  if (made.was_running && !paused) co_return skipped("it is running");
  result.started = true;
  result.token = step.name();
  if (step.resumed()) {
    if (paused) {
      const auto there = co_await tools.engine.inspect_container(made.id);
      if (there && !there->paused) co_return with(result);
    } else if (co_await docker::start_landed(tools.engine, made.id,
                                             step.context.step.started_at.value_or(0))) {
      co_await record_start(tools, step, made.id);
      co_return with(result);
    }
  }
  if (translate::has_pre_run(stack.service(step.service())))
    co_await prepare_pre_run(tools, step, stack, made, result.token);
  if (!paused) {
    const auto what = beginning(made, step.params.reason);
    co_await logs::write_mark(tools.files, tools.paths.stack(stack.id), step.service(), step.params.number,
                              what);
  }
  try {
    if (paused)
      co_await tools.engine.unpause_container(made.id);
    else
      co_await tools.engine.start_container(made.id);
  } catch (const Error& e) {
    throw e.wrap("service '" + step.service() + "'");
  }
  result.at = util::now_ms();
  result.pid = co_await record_start(tools, step, made.id);
  co_return with(result);
}

awaitable<Outcome> stop(Tools& tools, Step<plan::Stop> step) {
  std::optional<docker::ContainerDetails> old;
  if (step.params.keeps) old = co_await tools.engine.inspect_container(step.params.id);
  if (old) co_await note_kept(tools, step.stack(), step.service(), *old, step.params.aside);
  auto write = [id = step.params.id](store::Database& db) {
    store::Starts::set_state(db, id, "", "stopped");
  };
  co_await tools.journal.run(write);
  try {
    co_await tools.engine.stop_container(step.params.id, step.params.timeout);
    if (old && step.params.aside) co_await set_aside(tools, *old);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::not_found) throw;  // gone is as good as stopped
  }
  co_return Outcome{};
}

awaitable<Outcome> remove(Tools& tools, Step<plan::Remove> step) {
  // C10, X13: anonymous volumes hold somebody's data; they go with the others, when that was asked for.
  Outcome outcome;
  try {
    co_await save_and_remove(tools, step.stack(), step.params.id, true, step.params.volumes);
  } catch (const Error& e) {
    if (!step.params.warns || e.kind() == ErrorKind::no_engine) throw;
    outcome.warnings.push_back(e.what());
  }
  co_return outcome;
}

}  // namespace stackd::steps
