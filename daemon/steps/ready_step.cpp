// A container becomes ready: its healthcheck (C6.3), then ready_when.
#include "daemon/async/deadline.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/logs/container_tail.hpp"
#include "daemon/probes/healthcheck.hpp"
#include "daemon/process/end_exec.hpp"
#include "daemon/process/log_times.hpp"
#include "daemon/steps/common/endings.hpp"
#include "daemon/steps/common/engine_wait.hpp"
#include "daemon/steps/common/waiting.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::steps {
namespace {

using std::chrono::milliseconds;
using util::Error;
using util::ErrorKind;

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

// What the engine runs to see whether the container is healthy: the file's, or the image's.
std::vector<std::string> health_test(const Step<plan::Ready>& step, const model::Container& container) {
  if (container.healthcheck && !container.healthcheck->test.empty()) return container.healthcheck->test;
  return step.result_of<plan::Image>(step.params.image_step).image.healthcheck;
}

// L3.5 for a container whose service says how long: those who depend on it wait for that.
awaitable<void> outlive_settle(Tools& tools, const model::Service& service, std::string id,
                               std::string name) {
  const auto state = tools.monitor.find(id);
  const auto left =
      state && state->started_at > 0
          ? std::chrono::milliseconds(state->started_at + settle_of(service).count() - util::now_ms())
          : settle_of(service);
  if (left.count() <= 0 || left > settle_of(service)) co_return;
  std::string death;
  try {
    auto dying = container_death(tools, id, "container " + name);
    death = co_await async::within(left, "its end", std::move(dying));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::timed_out) throw;
  }
  const auto now = tools.monitor.find(id);
  if (!death.empty() && now && now->exit_code.value_or(0) != 0) throw Error(ErrorKind::failed, death);
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
  if (service.ready_when->settle && !service.ready_when->any() && service.ready_when->fail_log_match.empty())
    co_return co_await outlive_settle(tools, service, id, name);
  auto wait = ready_wait(tools, stack, service, step.name());
  wait.output = container_output(tools, id, container.tty);
  wait.died = [&tools, id, name] { return container_death(tools, id, "container " + name); };
  const Waiting waiting(tools, stack.id, service.name, what_is_awaited(service), wait.timeout);
  wait.on_try = waiting.on_try();
  const auto captured = co_await probes::wait_ready(std::move(wait));
  co_await keep_captures(tools, stack.id, service.name, captured);
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

}  // namespace

awaitable<Outcome> ready(Tools& tools, Step<plan::Ready> step) {
  const bool optional = step.params.optional;
  auto service = step.service();
  return unless_optional(optional, std::move(service), wait_until_ready(tools, std::move(step)));
}

}  // namespace stackd::steps
