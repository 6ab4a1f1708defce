// Readiness: waits, and nothing but waits; run again they look anew.
#include <algorithm>

#include "daemon/async/deadline.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/logs/container_tail.hpp"
#include "daemon/probes/healthcheck.hpp"
#include "daemon/probes/ready.hpp"
#include "daemon/process/end_exec.hpp"
#include "daemon/process/log_tail.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/steps/endings.hpp"
#include "daemon/steps/engine_wait.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/translate/process_request.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "daemon/world/seen.hpp"

namespace stackd::steps {
namespace {

using std::chrono::milliseconds;
using util::Error;
using util::ErrorKind;
using OutputFeed = std::function<awaitable<void>(std::function<void(std::string_view)>)>;

constexpr milliseconds k_default_timeout{60'000};  // L3.4

// Says what a step waits for, as long as it does.
class Waiting {
public:
  Waiting(Tools& tools, std::string stack, std::string service, std::string what, milliseconds limit = {})
      : tools_(tools), stack_(std::move(stack)), service_(std::move(service)) {
    wait_.what = std::move(what);
    wait_.since = util::now_ms();
    if (limit.count() > 0) wait_.deadline = wait_.since + limit.count();
    tools_.waits.set(stack_, service_, wait_);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { tools_.waits.end(stack_, service_); }

  // Must not outlive it.
  std::function<void(int, const std::string&)> on_try() const {
    return [this](int number, const std::string& answer) {
      auto wait = wait_;
      wait.attempt = number;
      wait.answer = answer;
      tools_.waits.set(stack_, service_, std::move(wait));
    };
  }

private:
  Tools& tools_;
  std::string stack_, service_;
  world::Wait wait_;
};

std::string what_is_awaited(const model::Service& service) {
  const auto* deciding = service.ready_when->deciding();
  if (!deciding) return "its log";
  return std::string(model::row_of(deciding->first).key) + " " + deciding->second;
}

int first_port(const model::Stack& stack, const model::Service& service) {
  const auto ports = stack.facts->ports.find(service.name);
  if (service.ports.empty() || ports == stack.facts->ports.end()) return 0;
  const auto port = ports->second.find(service.ports.front().key);
  return port == ports->second.end() ? 0 : port->second;
}

milliseconds limit_of(const model::Stack& stack, const model::Readiness& wish) {
  return wish.timeout.value_or(stack.spec->runtime.ready_when_timeout.value_or(k_default_timeout));
}

// Runs of ready_when.cmd (L3.4): the service's environment and directory, output dropped. `run` names their
// directories.
std::function<awaitable<bool>(std::string)> command_runner(Tools& tools, model::Stack stack,
                                                           const model::Service& service, std::string run,
                                                           milliseconds limit) {
  auto count = std::make_shared<int>(0);
  auto named = service;
  if (!named.process) named.process = model::Process{};  // a container's probe runs on the host too
  return [&tools, stack, named, run, limit, count](std::string command) -> awaitable<bool> {
    const auto now = co_await world::looked_at(tools.user_files, stack);
    auto request = translate::process_request(now, named, command);
    request.directory = tools.paths.run(stack.id, run + ".probe" + std::to_string((*count)++));
    request.log = "/dev/null";
    request.timeout = limit;
    auto clear = [directory = request.directory](async::FileWorker&) {
      std::error_code ignored;
      std::filesystem::remove_all(directory, ignored);
    };
    co_await tools.files.run(clear);  // of a probe from before a restart
    co_await tools.runs.start(request);
    const auto exit = co_await tools.runs.wait(request.directory);
    co_await tools.files.run(clear);
    if (exit.cause == process::Cause::not_started)
      throw Error(ErrorKind::unsupported, "cannot run the command of ready_when: " + exit.error);
    co_return exit.ok();
  };
}

// Where there is nothing to wait for but what the log says: a moment (L3.5).
probes::Probe settled() {
  return {.attempt = []() -> awaitable<void> { co_await async::sleep_for(k_settle); }};
}

// ready_when with references resolved, as the probes take it. Log and death are the caller's.
probes::ReadyWait ready_wait(Tools& tools, const model::Stack& stack, const model::Service& service,
                             const std::string& run) {
  const auto& wish = *service.ready_when;
  probes::ReadyWait wait;
  wait.what = "service '" + service.name + "'";
  wait.fail_match = wish.fail_log_match;
  wait.capture = wish.capture;
  wait.timeout = limit_of(stack, wish);
  wait.extend_on_progress = wish.extend_on_progress;
  if (!wish.any()) wait.probe = settled();
  if (const auto* deciding = wish.deciding()) {
    auto text = deciding->second;
    if (model::row_of(deciding->first).references)
      text = resolve::resolved(text, resolve::Strictness::shell, *stack.spec, *stack.facts);
    const probes::Subject subject{first_port(stack, service),
                                  command_runner(tools, stack, service, run, wait.timeout)};
    wait.probe = probes::make_probe(deciding->first, text, subject);
  }
  return wait;
}

// What became of a container that should become healthy.
enum class Health { healthy, exited, unhealthy };

awaitable<Health> health_verdict(Tools& tools, std::string id, std::shared_ptr<bool> passed) {
  for (;;) {
    const auto state = tools.monitor.find(id);
    if (*passed || (state && state->health == "healthy")) co_return Health::healthy;
    const bool over = state && state->dead() && co_await ended_for_good(tools, id);
    if (over) co_return Health::exited;
    // What happened while the engine was asked is looked at, not waited for.
    const auto now = tools.monitor.find(id);
    if (*passed || (state && now && (state->state != now->state || state->health != now->health))) continue;
    // (The engine calls one unhealthy that has just ended, too.)
    if (now && now->state == "running" && now->health == "unhealthy") co_return Health::unhealthy;
    co_await tools.monitor.changed().wait();
  }
}

// The engine's own check fails too when the container is just ending, and that is what is to be said then.
awaitable<Error> health_failure(Tools& tools, Health verdict, std::string id, std::string name) {
  std::string output;
  int code = 0;
  if (const auto state = tools.monitor.find(id)) code = state->exit_code.value_or(0);
  if (verdict == Health::unhealthy) {
    const auto details = co_await tools.engine.inspect_container(id);
    if (details && !details->running) {
      verdict = Health::exited;
      code = details->exit_code;
    } else if (details) {
      output = util::join(util::tail_lines(details->health_output), "\n");
    }
  }
  if (verdict == Health::exited) output = co_await logs::last_container_lines(tools.engine, id);
  co_return Error(ErrorKind::failed, "container " + name +
                                         (verdict == Health::exited ? " exited (" + std::to_string(code) + ")"
                                                                    : " is unhealthy") +
                                         (output.empty() ? "" : ": " + output));
}

constexpr milliseconds k_probe_grace{1'000};
constexpr milliseconds k_probe_pid{500};  // from the start of an exec until the engine knows its pid

// What is left in the container of a healthcheck that was out of time. That it cannot be ended is no news to
// anybody.
awaitable<void> end_probe(Tools& tools, std::string container, std::string exec, std::string mark) {
  try {
    const auto give_up = std::chrono::steady_clock::now() + k_probe_pid;
    auto state = co_await tools.engine.inspect_exec(exec);
    while (state && state->pid == 0 && !state->exit_code && std::chrono::steady_clock::now() < give_up) {
      co_await async::sleep_for(milliseconds(20));
      state = co_await tools.engine.inspect_exec(exec);
    }
    if (!state || !state->running || state->pid == 0) co_return;
    const auto version = tools.engine.known_version();
    process::HungExec hung{tools.engine.host(), version ? version->api_version : "", container, state->pid,
                           mark};
    co_await process::end_exec(std::move(hung), k_probe_grace);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
  }
}

// Until the engine or stackd's own probing says healthy (design.md, "Event-driven").
awaitable<void> wait_healthy(Tools& tools, model::Stack stack, std::string service, std::string id,
                             std::string name, std::vector<std::string> test, milliseconds limit) {
  const Waiting waiting(tools, stack.id, service, "healthcheck");
  auto passed = std::make_shared<bool>(false);
  async::TaskGroup probing(tools.executor);
  if (stack.spec->runtime.fast_readiness)
    probing.spawn("healthcheck of " + name, [&tools, &waiting, id, test, limit, passed]() -> awaitable<void> {
      auto end = [&tools, id](std::string exec, std::string mark) {
        return end_probe(tools, id, std::move(exec), std::move(mark));
      };
      co_await probes::until_healthy(tools.engine, id, test, limit, end, waiting.on_try());
      *passed = true;
      tools.monitor.changed().notify();
    });
  auto judging = health_verdict(tools, id, passed);
  const auto verdict = co_await probing.during(std::move(judging));
  if (verdict == Health::healthy) co_return;
  const auto failure = co_await health_failure(tools, verdict, id, name);
  throw failure;
}

// What has had no end for so long is looked at as it is: a prompt, say.
constexpr milliseconds k_unfinished{100};

// Waits until a container that has ended runs again. When the run before ended, by the engine's clock: what
// it wrote is from before that, what the next one writes from after it; 0 when it has ended for good.
awaitable<util::TimeMs> next_start(Tools& tools, std::string id, int starts) {
  for (;;) {
    const auto state = tools.monitor.find(id);
    if (!state) co_return 0;
    if (state->starts > starts && state->ended_at > 0) co_return state->ended_at;
    const bool over = state->dead() && co_await ended_for_good(tools, id);
    if (over) co_return 0;
    const auto now = tools.monitor.find(id);
    if (now && now->starts == state->starts && now->state == state->state)
      co_await tools.monitor.changed().wait();
  }
}

OutputFeed container_output(Tools& tools, std::string id, bool tty) {
  return [&tools, id, tty](std::function<void(std::string_view)> on_output) -> awaitable<void> {
    docker::LogOptions options;
    options.follow = true;
    auto partial = std::make_shared<std::string>();
    auto changed = std::make_shared<async::Signal>(tools.executor);
    auto sink = [partial, changed, on_output](docker::Stream, std::string_view piece) -> awaitable<void> {
      *partial += piece;
      const auto end = partial->rfind('\n');
      const auto whole = end != std::string::npos                                ? end + 1
                         : partial->size() >= process::log_times::k_longest_line ? partial->size()
                                                                                 : 0;
      if (whole > 0) on_output(std::string_view(*partial).substr(0, whole));
      partial->erase(0, whole);
      changed->notify();
      co_return;
    };
    async::TaskGroup looking(tools.executor);
    looking.spawn("unfinished lines of " + id, [partial, changed, on_output]() -> awaitable<void> {
      for (;;) {
        co_await changed->wait();
        while (co_await changed->wait_for(k_unfinished)) continue;
        if (!partial->empty()) on_output(*partial);
      }
    });
    // The stream ends with each run; what its policy starts again goes on to write.
    const auto all_runs = [&]() -> awaitable<void> {
      for (int starts = 0;;) {
        if (const auto state = tools.monitor.find(id)) starts = state->starts;
        co_await tools.engine.logs(id, tty, options, sink);
        const auto next = co_await next_start(tools, id, starts);
        if (next == 0) co_return;
        options.since = std::to_string(next / 1000) + "." + std::to_string(1000 + next % 1000).substr(1);
      }
    };
    auto reading = all_runs();
    co_await looking.during(std::move(reading));
  };
}

awaitable<void> keep_captures(Tools& tools, std::string stack, std::string service, probes::Captured values) {
  if (values.empty()) co_return;
  auto change = [service, values](model::Facts& facts) { facts.captured[service] = values; };
  co_await tools.models.change_facts(stack, change);
}

// What the engine runs to see whether the container is healthy: the file's, or the image's.
std::vector<std::string> health_test(const Step<plan::Ready>& step, const model::Container& container) {
  if (container.healthcheck && !container.healthcheck->test.empty()) return container.healthcheck->test;
  return step.result_of<plan::Image>(step.params.image_step).image.healthcheck;
}

awaitable<void> ready_container(Tools& tools, const Step<plan::Ready>& step, model::Stack stack,
                                std::string id, std::string name) {
  const auto& service = stack.service(step.service());
  const auto& container = *service.container;
  const auto test = health_test(step, container);
  const bool checked = !test.empty() && test.front() != "NONE";
  if (!checked && !service.ready_when && step.params.awaited_healthy)
    throw Error(ErrorKind::failed, "container " + name + " has no healthcheck configured");  // C6.3
  if (checked) {
    constexpr milliseconds k_engine_default{30'000};
    const auto limit =
        container.healthcheck ? container.healthcheck->timeout.value_or(k_engine_default) : k_engine_default;
    co_await wait_healthy(tools, stack, service.name, id, name, test, limit);
  }
  if (!service.ready_when) co_return;
  auto wait = ready_wait(tools, stack, service, step.name());
  wait.output = container_output(tools, id, container.tty);
  wait.died = [&tools, id, name] { return container_death(tools, id, "container " + name); };
  const Waiting waiting(tools, stack.id, service.name, what_is_awaited(service), wait.timeout);
  wait.on_try = waiting.on_try();
  const auto captured = co_await probes::wait_ready(std::move(wait));
  co_await keep_captures(tools, stack.id, service.name, captured);
}

// What an end during the wait is called; one with status 0 is none where there is nothing else to wait for
// (L3.5).
awaitable<std::string> process_death(Tools& tools, std::string run, bool zero_is_fine) {
  const auto exit = co_await tools.runs.wait(run);
  while (zero_is_fine && exit.ok()) co_await async::sleep_for(k_default_timeout);
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

// C6.6: what nobody requires may fail: that is told, and those who would have waited for it go on.
awaitable<Outcome> unless_optional(bool optional, std::string service, awaitable<Outcome> work) {
  if (!optional) co_return co_await std::move(work);
  Outcome outcome;
  try {
    outcome = co_await std::move(work);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled || e.kind() == ErrorKind::no_engine) throw;
    outcome = with(plan::Ready::Result{true});
    outcome.warnings.push_back("optional dependency '" + service + "' is not waited for: " + e.what());
  }
  co_return outcome;
}

awaitable<Outcome> wait_until_ready(Tools& tools, Step<plan::Ready> step) {
  const auto stack = co_await tools.models.get(step.stack());
  for (const auto& key : step.params.create_steps) {
    const auto made = step.result_of<plan::Create>(key);
    std::optional<Error> failure;
    try {
      auto waiting = ready_container(tools, step, stack, made.id, made.name);
      co_await while_engine_is_there(tools, std::move(waiting));
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::cancelled || e.kind() == ErrorKind::no_engine) throw;
      // C6.3: in Compose's words when another service waits until it is healthy.
      failure = e.wrap(step.params.awaited_healthy ? "dependency failed to start"
                                                   : "service '" + step.service() + "' did not become ready");
    }
    if (failure) throw Error(ErrorKind::failed, failure->what(), failure->details());
  }
  co_return Outcome{};
}

awaitable<std::optional<store::ProcessRow>> process_row(Tools& tools, std::string stack,
                                                        std::string service) {
  auto query = [stack, service](store::Database& db) { return store::Processes::get(db, stack, service); };
  return tools.journal.run(query);
}

// L3.5: with nothing to ask it, it is ready when it is still there a moment later.
awaitable<void> outlive_a_moment(Tools& tools, const model::Service& service, store::ProcessRow row) {
  std::optional<process::RunExit> exit;
  try {
    auto waiting = tools.runs.wait(row.run_directory);
    exit = co_await async::within(k_settle, "exit", std::move(waiting));
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::timed_out) throw;
  }
  if (!exit || exit->ok()) co_return;
  const auto failure = co_await process_failure(tools, service, row, exit_words(*exit));
  throw failure;
}

awaitable<Outcome> wait_until_process_ready(Tools& tools, Step<plan::ReadyProcess> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto& service = stack.service(step.service());
  const auto row = co_await process_row(tools, stack.id, service.name);
  if (!row) throw Error(ErrorKind::internal, "service '" + service.name + "' has no run to wait for");
  if (row->operation_id != step.operation().id) {
    const auto look = co_await tools.runs.look(row->run_directory);
    if (look.running()) co_return Outcome{};
  }
  const bool oneshot = service.kind == model::ServiceKind::oneshot;
  if (oneshot) {
    const Waiting waiting(tools, stack.id, service.name, "its end");
    const auto exit = co_await tools.runs.wait(row->run_directory);
    if (!exit.ok()) {
      const auto failure = co_await process_failure(tools, service, *row, exit_words(exit));
      throw failure;
    }
  } else if (!service.ready_when ||
             (!service.ready_when->any() && service.ready_when->fail_log_match.empty())) {
    co_await outlive_a_moment(tools, service, *row);
  }
  if (!service.ready_when) co_return Outcome{};

  auto wait = ready_wait(tools, stack, service, step.name());
  wait.output = process_output(tools, *row);
  if (!oneshot)
    wait.died = [&tools, run = row->run_directory, fine = !service.ready_when->any()] {
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
    const auto failure = co_await process_failure(tools, service, *row, "did not become ready: " + why);
    throw failure;
  }
  co_await keep_captures(tools, stack.id, service.name, captured);
  co_return Outcome{};
}

// Of one that is started again by its policy (on-failure) after an end, the end after that counts.
awaitable<int> code_of_the_last_end(Tools& tools, std::string id) {
  for (;;) {
    const int code = co_await tools.engine.wait_container(id);
    const bool over = co_await ended_for_good(tools, id);
    if (over) co_return code;
    co_await async::sleep_for(milliseconds(20));  // it is between two runs: the wait would answer at once
  }
}

awaitable<void> wait_for_end(Tools& tools, std::string id, int& code, std::size_t& left,
                             std::optional<Error>& failed, async::Signal& changed) {
  try {
    const int own = co_await code_of_the_last_end(tools, id);
    if (code == 0) code = own;
  } catch (const Error& error) {
    failed = error;
  }
  --left;
  changed.notify();
}

// C6.5: complete when all replicas are; the first that ends badly decides.
awaitable<int> code_of_all(Tools& tools, const Step<plan::Completed>& step) {
  int code = 0;
  std::size_t left = step.params.create_steps.size();
  async::Signal changed(tools.executor);
  async::TaskGroup waiting(tools.executor);
  std::optional<Error> failed;
  for (const auto& key : step.params.create_steps) {
    const auto id = step.result_of<plan::Create>(key).id;
    waiting.spawn("end of " + key, [&, id] { return wait_for_end(tools, id, code, left, failed, changed); });
  }
  while (left > 0 && code == 0 && !failed) co_await changed.wait();
  if (failed) throw *failed;
  co_return code;
}

awaitable<Outcome> wait_until_completed(Tools& tools, Step<plan::Completed> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto& service = stack.service(step.service());
  int code = 0;
  if (service.container) {
    if (step.params.create_steps.empty()) co_return Outcome{};  // C6.7: scale 0, nothing to wait for
    code = co_await code_of_all(tools, step);
  } else if (const auto row = co_await process_row(tools, stack.id, service.name)) {
    const auto exit = co_await tools.runs.wait(row->run_directory);
    code = exit.code;
  }
  if (code != 0)
    throw Error(ErrorKind::failed, "service \"" + service.name + "\" didn't complete successfully: exit " +
                                       std::to_string(code));  // C6.5
  co_return Outcome{};
}

}  // namespace

awaitable<Outcome> ready(Tools& tools, Step<plan::Ready> step) {
  const bool optional = step.params.optional;
  auto service = step.service();
  return unless_optional(optional, std::move(service), wait_until_ready(tools, std::move(step)));
}
awaitable<Outcome> ready_process(Tools& tools, Step<plan::ReadyProcess> step) {
  const bool optional = step.params.optional;
  auto service = step.service();
  return unless_optional(optional, std::move(service), wait_until_process_ready(tools, std::move(step)));
}
awaitable<Outcome> completed(Tools& tools, Step<plan::Completed> step) {
  const bool optional = step.params.optional;
  auto service = step.service();
  return unless_optional(optional, std::move(service), wait_until_completed(tools, std::move(step)));
}

}  // namespace stackd::steps
