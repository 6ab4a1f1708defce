// A process becomes ready: ready_when, or that it is still there a moment later (L3.5); a oneshot by its end.
#include "daemon/async/deadline.hpp"
#include "daemon/process/log_tail.hpp"
#include "daemon/steps/common/endings.hpp"
#include "daemon/steps/common/process_run.hpp"
#include "daemon/steps/common/waiting.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::chrono::hours k_for_ever{24};

// What an end during the wait is called; one with status 0 is none where there is nothing else to wait for
// (L3.5).
awaitable<std::string> process_death(Tools& tools, std::string run, bool zero_is_fine) {
  const auto exit = co_await tools.runs.wait(run);
  while (zero_is_fine && exit.ok()) co_await async::sleep_for(k_for_ever);
  co_return "it " + exit_words(exit) + " before it was ready";
}

OutputFeed process_output(Tools& tools, store::ProcessRow row) {
  return [&tools, row](std::function<void(std::string_view)> on_output) -> awaitable<void> {
    process::LogTail tail(tools.executor, tools.files, row.log, row.log_offset);
    for (;;) {
      const auto piece = co_await tail.now();
      if (!piece.text.empty()) on_output(piece.text);
      if (piece.more || piece.moved) continue;
      const bool more = !piece.unfinished.empty() && co_await tail.changed_within(k_unfinished);
      if (!more && !piece.unfinished.empty()) on_output(piece.unfinished);
      if (!more) co_await tail.changed();
    }
  };
}

// L3.5: with nothing to ask it, it is ready when it is still there a moment later.
awaitable<void> outlive_a_moment(Tools& tools, const model::Service& service, store::ProcessRow row) {
  std::optional<process::RunExit> exit;
  try {
    auto waiting = tools.runs.wait(row.run_directory);
    exit = co_await async::within(settle_of(service), "exit", std::move(waiting));
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::timed_out) throw;
  }
  if (!exit || exit->ok()) co_return;
  const auto failure = co_await process_failure(tools, service, row, exit_words(*exit));
  throw failure;
}

bool has_something_to_ask(const model::Service& service) {
  return service.ready_when && (service.ready_when->any() || !service.ready_when->fail_log_match.empty());
}

// `run`: names the directories of its commands.
awaitable<void> wait_for_ready_when(Tools& tools, model::Stack stack, std::string name, std::string run,
                                    store::ProcessRow row, std::chrono::milliseconds limit) {
  const auto& service = stack.service(name);
  auto wait = ready_wait(tools, stack, service, run);
  wait.timeout = limit;
  wait.output = process_output(tools, row);
  if (service.kind != model::ServiceKind::oneshot)
    wait.died = [&tools, run = row.run_directory, fine = !service.ready_when->any()] {
      return process_death(tools, run, fine);
    };
  const Waiting waiting(tools, stack.id, service.name, what_is_awaited(service), wait.timeout);
  wait.on_try = waiting.on_try();
  std::string why;
  probes::Captured captured;
  try {
    captured = co_await probes::wait_ready(std::move(wait));
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
    why = e.what();
  }
  if (!why.empty()) {
    const auto failure = co_await process_failure(tools, service, row, "did not become ready: " + why);
    throw failure;
  }
  co_await keep_captures(tools, stack.id, service.name, captured);
}

awaitable<void> wait_for_end(Tools& tools, std::string stack, const model::Service& service,
                             store::ProcessRow row) {
  const Waiting waiting(tools, stack, service.name, "its end");
  const auto exit = co_await tools.runs.wait(row.run_directory);
  if (exit.ok()) co_return;
  const auto failure = co_await process_failure(tools, service, row, exit_words(exit));
  throw failure;
}

// The run that takes the place of one that has died, as its `restart` says; throws `failure` when there is
// none.
awaitable<store::ProcessRow> next_run(Tools& tools, store::ProcessRow row, Error failure) {
  const auto look = co_await tools.runs.look(row.run_directory);
  if (!look.exit) throw failure;
  const Waiting waiting(tools, row.stack_id, row.service,
                        "its next start, since it " + exit_words(*look.exit));
  const auto next = co_await start_again(tools, row, *look.exit);
  if (!next) throw failure;
  co_return *next;
}

awaitable<Outcome> wait_until_process_ready(Tools& tools, Step<plan::ReadyProcess> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto& service = stack.service(step.service());
  auto row = co_await process_row(tools, stack.id, service.name);
  if (!row) throw Error(ErrorKind::internal, "service '" + service.name + "' has no run to wait for");
  const auto look = co_await tools.runs.look(row->run_directory);
  if (row->operation_id != step.operation().id && look.running()) co_return Outcome{};
  // The daemon died between the row of a next start and the start.
  if (look.state == process::RunState::absent) co_await begin_named(tools, *row);
  if (service.kind == model::ServiceKind::oneshot) co_await wait_for_end(tools, stack.id, service, *row);
  if (service.kind == model::ServiceKind::oneshot && !service.ready_when) co_return Outcome{};
  const bool asks = has_something_to_ask(service);
  const auto end = std::chrono::steady_clock::now() + limit_of(stack, service);
  for (int run = 0;; ++run) {
    std::optional<Error> failure;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    auto name = step.name();
    if (run > 0) name += "." + std::to_string(run);
    try {
      if (asks)
        co_await wait_for_ready_when(tools, stack, service.name, name, *row, left);
      else
        co_await outlive_a_moment(tools, service, *row);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::cancelled) throw;
      failure = e;
    }
    if (!failure) co_return Outcome{};
    // A recovery is one start; the keeper begins the next.
    if (step.kind() == plan::Kind::recover || std::chrono::steady_clock::now() >= end) throw *failure;
    row = co_await next_run(tools, *row, *failure);
  }
}

}  // namespace

awaitable<Outcome> ready_process(Tools& tools, Step<plan::ReadyProcess> step) {
  const bool optional = step.params.optional;
  auto service = step.service();
  return unless_optional(optional, std::move(service), wait_until_process_ready(tools, std::move(step)));
}

}  // namespace stackd::steps
