// Readiness: waits, and nothing but waits; run again they look anew.
#include <algorithm>
#include <set>

#include "daemon/async/deadline.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/probes/ready.hpp"
#include "daemon/process/log_tail.hpp"
#include "daemon/spec/references.hpp"
#include "daemon/stacks/endings.hpp"
#include "daemon/stacks/images.hpp"
#include "daemon/stacks/plan.hpp"
#include "daemon/stacks/process_request.hpp"
#include "daemon/stacks/steps.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using util::Error;
using util::ErrorKind;

constexpr milliseconds k_default_timeout{60'000};  // L3.4
constexpr milliseconds k_settle{100};              // L3.5
constexpr milliseconds k_engine_tells{2000};

int first_port(const Model& model, const spec::Service& service) {
  const auto ports = model.facts->ports.find(service.name);
  if (service.ports.empty() || ports == model.facts->ports.end()) return 0;
  const auto port = ports->second.find(service.ports.front().key);
  return port == ports->second.end() ? 0 : port->second;
}

// Text of ready_when with references resolved, as the probes take it. Log, death and command are the
// caller's.
probes::ReadyWait ready_wait(const Model& model, const spec::Service& service) {
  const auto& wish = *service.ready_when;
  const auto resolve = [&](const std::string& text) {
    return spec::resolve(text, spec::Strictness::shell, *model.spec, *model.facts);
  };
  probes::ReadyWait wait;
  wait.what = "service '" + service.name + "'";
  wait.log_match = wish.log_match;
  wait.fail_match = wish.fail_log_match;
  wait.capture = wish.capture;
  wait.timeout = wish.timeout.value_or(model.spec->runtime.ready_when_timeout.value_or(k_default_timeout));
  wait.extend_on_progress = wish.extend_on_progress;
  if (!wish.http_get.empty()) {
    const auto url = resolve(wish.http_get);
    wait.http_url =
        url.front() == '/' ? "http://127.0.0.1:" + std::to_string(first_port(model, service)) + url : url;
  }
  if (!wish.tcp.empty()) {
    const auto address = resolve(wish.tcp);
    const auto colon = address.rfind(':');
    wait.tcp_host = colon == std::string::npos ? "127.0.0.1" : address.substr(0, colon);
    wait.tcp_port = std::atoi(address.substr(colon == std::string::npos ? 0 : colon + 1).c_str());
  }
  return wait;
}

// One run of ready_when.cmd (L3.4): the service's environment and directory, output dropped.
std::function<awaitable<bool>()> command_probe(Services& services, Model model, const spec::Service& service,
                                               std::string run, milliseconds limit) {
  auto count = std::make_shared<int>(0);
  auto command = spec::resolve(service.ready_when->cmd, spec::Strictness::shell, *model.spec, *model.facts);
  auto named = service;
  if (!named.process) named.process = spec::Process{};  // a container's probe runs on the host too
  return [&services, model, named, command, run, limit, count]() -> awaitable<bool> {
    auto request = process_request(model, named, command);
    request.directory = services.paths.run(model.id, run + ".probe" + std::to_string((*count)++));
    request.log = "/dev/null";
    request.timeout = limit;
    std::error_code ignored;
    std::filesystem::remove_all(request.directory, ignored);  // of a probe from before a restart
    co_await services.runs.start(request);
    const auto exit = co_await services.runs.wait(request.directory);
    std::filesystem::remove_all(request.directory, ignored);
    if (exit.cause == process::Cause::not_started)
      throw Error(ErrorKind::unsupported, "cannot run the command of ready_when: " + exit.error);
    co_return exit.ok();
  };
}

// What became of a container that should become healthy; empty when it did.
awaitable<std::string> health_verdict(Services& services, std::string id, std::string name,
                                      std::shared_ptr<bool> passed) {
  for (;;) {
    const auto state = services.monitor.find(id);
    if (*passed || (state && state->health == "healthy")) co_return "";
    if (state && state->dead())
      co_return "container " + name + " exited (" + std::to_string(state->exit_code.value_or(0)) + ")";
    if (state && state->health == "unhealthy") co_return "container " + name + " is unhealthy";
    co_await services.monitor.changed().wait();
  }
}

// Until the engine or stackd's own probing says healthy (design.md, "Event-driven").
awaitable<void> wait_healthy(Services& services, Model model, std::string id, std::string name,
                             std::vector<std::string> test, milliseconds limit) {
  auto passed = std::make_shared<bool>(false);
  async::TaskGroup probing(services.executor);
  if (model.spec->runtime.fast_readiness)
    probing.spawn("healthcheck of " + name, [&services, id, test, limit, passed]() -> awaitable<void> {
      co_await probes::until_healthy(services.engine, id, test, limit);
      *passed = true;
      services.monitor.changed().notify();
    });
  auto judging = health_verdict(services, id, name, passed);
  auto verdict = co_await probing.during(std::move(judging));
  if (verdict.empty()) co_return;
  std::string output;
  if (verdict.ends_with("unhealthy")) {
    const auto details = co_await services.engine.inspect_container(id);
    // The engine's own check fails too when the container is just ending, and that is what is to be said
    // then.
    if (details && !details->running)
      verdict = "container " + name + " exited (" + std::to_string(details->exit_code) + ")";
    else if (details)
      output = util::join(util::tail_lines(details->health_output), "\n");
  }
  if (!verdict.ends_with("unhealthy")) output = co_await last_container_lines(services, id);
  throw Error(ErrorKind::failed, verdict + (output.empty() ? "" : ": " + output));
}

std::function<awaitable<void>(std::function<void(const std::string&)>)> container_lines(Services& services,
                                                                                        std::string id,
                                                                                        bool tty) {
  return [&services, id, tty](std::function<void(const std::string&)> on_line) -> awaitable<void> {
    docker::LogOptions options;
    options.follow = true;
    auto partial = std::make_shared<std::string>();
    auto sink = [partial, on_line](docker::Stream, std::string_view piece) {
      *partial += piece;
      for (auto at = partial->find('\n'); at != std::string::npos; at = partial->find('\n')) {
        on_line(partial->substr(0, at));
        partial->erase(0, at + 1);
      }
    };
    co_await services.engine.logs(id, tty, options, sink);
  };
}

// Where there is nothing to wait for but what the log says: a moment (L3.5).
awaitable<bool> settled() {
  co_await async::sleep_for(k_settle);
  co_return true;
}

awaitable<void> keep_captures(Services& services, Model model, std::string service, probes::Captured values) {
  if (values.empty()) co_return;
  auto change = [service, values](spec::Facts& facts) { facts.captured[service] = values; };
  co_await services.models.change_facts(model.id, change);
}

awaitable<void> ready_container(Services& services, StepContext context, Model model,
                                const spec::Service& service, std::string id, std::string name) {
  const auto& container = *service.container;
  std::vector<std::string> test;
  if (container.healthcheck && !container.healthcheck->test.empty())
    test = container.healthcheck->test;
  else
    test = context.result_of("image " + image_of(*model.spec, service))
               .value("healthcheck", std::vector<std::string>{});
  const bool checked = !test.empty() && test.front() != "NONE";
  if (!checked && !service.ready_when && context.params.value("awaited_healthy", false))
    throw Error(ErrorKind::failed, "container " + name + " has no healthcheck configured");  // C6.3
  if (checked) {
    const auto limit = container.healthcheck ? container.healthcheck->timeout.value_or(milliseconds(30'000))
                                             : milliseconds(30'000);
    co_await wait_healthy(services, model, id, name, test, limit);
  }
  if (!service.ready_when) co_return;
  auto wait = ready_wait(model, service);
  if (!service.ready_when->any()) wait.command = settled;
  if (!service.ready_when->cmd.empty())
    wait.command =
        command_probe(services, model, service,
                      context.operation.id + "-" + std::to_string(context.step.ordinal), wait.timeout);
  wait.log_lines = container_lines(services, id, container.tty);
  wait.died = [&services, id, name] { return container_death(services, id, "container " + name); };
  const auto captured = co_await probes::wait_ready(std::move(wait));
  co_await keep_captures(services, model, service.name, captured);
}

// What an end during the wait is called; one with status 0 is none where there is nothing else to wait for
// (L3.5).
awaitable<std::string> process_death(Services& services, std::string run, bool zero_is_fine) {
  const auto exit = co_await services.runs.wait(run);
  while (zero_is_fine && exit.ok()) co_await async::sleep_for(k_default_timeout);
  co_return "it " + exit_words(exit) + " before it was ready";
}

std::function<awaitable<void>(std::function<void(const std::string&)>)> process_lines(Services& services,
                                                                                      store::ProcessRow row) {
  return [&services, row](std::function<void(const std::string&)> on_line) -> awaitable<void> {
    process::LogTail tail(services.executor, row.log, row.log_offset);
    for (;;) on_line(co_await tail.next_line());
  };
}

// C6.6: what nobody requires may fail: that is told, and those who would have waited for it go on.
awaitable<Outcome> unless_optional(StepContext context, awaitable<Outcome> work) {
  if (!context.params.value("optional", false)) co_return co_await std::move(work);
  Outcome outcome;
  try {
    outcome = co_await std::move(work);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
    outcome.result["failed"] = true;
    outcome.warnings.push_back("optional dependency '" + context.step.service +
                               "' is not waited for: " + e.what());
  }
  co_return outcome;
}

awaitable<Outcome> wait_until_ready(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto& service = model.service(context.step.service);
  for (int n = 1; n <= context.params.value("replicas", 1); ++n) {
    const auto made = context.result_of("create " + replica(service.name, n));
    std::optional<Error> failure;
    try {
      co_await ready_container(services, context, model, service, made.at("id"), made.at("name"));
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::cancelled) throw;
      // C6.3: in Compose's words when another service waits until it is healthy.
      failure = e.wrap(context.params.value("awaited_healthy", false)
                           ? "dependency failed to start"
                           : "service '" + service.name + "' did not become ready");
    }
    if (failure) throw Error(ErrorKind::failed, failure->what(), failure->details());
  }
  co_return Outcome{};
}

awaitable<Outcome> wait_until_process_ready(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto& service = model.service(context.step.service);
  auto query = [id = model.id, name = service.name](store::Database& db) {
    return store::Processes::get(db, id, name);
  };
  const auto row = co_await services.journal.run(query);
  if (!row) throw Error(ErrorKind::internal, "service '" + service.name + "' has no run to wait for");
  Outcome outcome;
  if (row->operation_id != context.operation.id &&
      services.runs.state(row->run_directory) == process::RunState::running)
    co_return outcome;

  if (service.kind == spec::ServiceKind::oneshot) {
    const auto exit = co_await services.runs.wait(row->run_directory);
    if (!exit.ok()) throw process_failure(service, *row, exit_words(exit));
  } else if (!service.ready_when ||
             (!service.ready_when->any() && service.ready_when->fail_log_match.empty())) {
    std::optional<process::RunExit> exit;
    try {
      auto waiting = services.runs.wait(row->run_directory);
      exit = co_await async::within(k_settle, "exit", std::move(waiting));
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::timed_out) throw;  // still alive after 100 ms: ready (L3.5)
    }
    if (exit && !exit->ok()) throw process_failure(service, *row, exit_words(*exit));
  }
  if (!service.ready_when) co_return outcome;

  auto wait = ready_wait(model, service);
  if (!service.ready_when->any()) wait.command = settled;
  if (!service.ready_when->cmd.empty())
    wait.command =
        command_probe(services, model, service,
                      context.operation.id + "-" + std::to_string(context.step.ordinal), wait.timeout);
  wait.log_lines = process_lines(services, *row);
  if (service.kind != spec::ServiceKind::oneshot)
    wait.died = [&services, run = row->run_directory, fine = !service.ready_when->any()] {
      return process_death(services, run, fine);
    };
  std::optional<Error> failure;
  probes::Captured captured;
  try {
    captured = co_await probes::wait_ready(std::move(wait));
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::cancelled) throw;
    failure = process_failure(service, *row, std::string("did not become ready: ") + e.what());
  }
  if (failure) throw *failure;
  co_await keep_captures(services, model, service.name, captured);
  co_return outcome;
}

awaitable<Outcome> wait_until_completed(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto& service = model.service(context.step.service);
  int code = 0;
  if (service.container) {
    const auto made = context.result_of("create " + replica(service.name, 1));
    if (!made.contains("id")) co_return Outcome{};  // C6.7: scale 0, nothing to wait for
    const auto id = made.at("id").get<std::string>();
    code = co_await services.engine.wait_container(id);
  } else {
    auto query = [id = model.id, name = service.name](store::Database& db) {
      return store::Processes::get(db, id, name);
    };
    const auto row = co_await services.journal.run(query);
    if (row) {
      const auto exit = co_await services.runs.wait(row->run_directory);
      code = exit.code;
    }
  }
  if (code != 0)
    throw Error(ErrorKind::failed, "service \"" + service.name + "\" didn't complete successfully: exit " +
                                       std::to_string(code));  // C6.5
  co_return Outcome{};
}

// L2.2: a process that has died with an error since it was ready.
awaitable<void> check_process(Services& services, Model model, const spec::Service& service) {
  auto query = [id = model.id, name = service.name](store::Database& db) {
    return store::Processes::get(db, id, name);
  };
  const auto row = co_await services.journal.run(query);
  if (!row || service.kind != spec::ServiceKind::process || !service.process->restart.empty()) co_return;
  const auto exit = services.runs.exit_of(row->run_directory);
  if (exit && !exit->ok()) throw process_failure(service, *row, exit_words(*exit));
}

}  // namespace

awaitable<Outcome> ready_step(Services& services, StepContext context) {
  return unless_optional(context, wait_until_ready(services, context));
}
awaitable<Outcome> ready_process_step(Services& services, StepContext context) {
  return unless_optional(context, wait_until_process_ready(services, context));
}
awaitable<Outcome> completed_step(Services& services, StepContext context) {
  return unless_optional(context, wait_until_completed(services, context));
}

namespace {

struct Started {
  const spec::Service* service;
  std::string id;
  int pid;  // of its first process; 0 is not known, or k_ended
};

bool is_alive(int pid) {
  const auto stat = util::read_file_if_there("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat ? stat->rfind(") ") : std::string::npos;
  return name_end != std::string::npos && stat->substr(name_end + 2, 1) != "Z";
}

// The engine tells of an end as late as it is busy; that the process is gone is seen at once, where the
// engine's processes can be seen from here.
awaitable<bool> has_ended(Services& services, Started container) {
  const auto dead = [&] {
    const auto state = services.monitor.find(container.id);
    return state && state->dead();
  };
  if (dead()) co_return true;
  if (!container.pid || !services.sees_engine_processes.value_or(true)) co_return false;
  if (container.pid != k_ended && is_alive(container.pid)) {
    services.sees_engine_processes = true;
    co_return false;
  }
  const auto until = std::chrono::steady_clock::now() + k_engine_tells;
  for (auto left = k_engine_tells; !dead() && left.count() > 0;
       left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now()))
    co_await services.monitor.changed().wait_for(left);
  if (!services.sees_engine_processes) services.sees_engine_processes = dead();
  co_return dead();
}

}  // namespace

// X28: what was started must still be there at the end, or have ended well.
awaitable<Outcome> settle_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  std::vector<Started> containers;
  util::TimeMs newest = 0;
  const auto optional = context.params.value("optional", std::set<std::string>{});
  for (const auto& name : context.params.at("services")) {
    const auto& service = model.service(name);
    if (optional.contains(service.name)) continue;
    if (!service.container) {
      co_await check_process(services, model, service);
      continue;
    }
    for (int n = 1;; ++n) {
      const auto made = context.result_of("create " + replica(service.name, n));
      if (!made.contains("id")) break;
      const auto start = context.result_of("start " + replica(service.name, n));
      newest = std::max(newest, start.value("at", util::TimeMs{0}));
      containers.push_back({&service, made.at("id"), start.value("pid", 0)});
    }
  }
  const auto wait = milliseconds(newest + k_settle.count() - util::now_ms());
  if (wait.count() > 0) co_await async::sleep_for(std::min(wait, k_settle));
  for (const auto& started : containers) {
    const auto& container = *started.service->container;
    const bool checked = container.healthcheck && !container.healthcheck->disabled();
    if (!container.restart.empty() && container.restart != "no") continue;
    const bool ended = co_await has_ended(services, started);
    if (!ended) continue;
    const auto state = services.monitor.find(started.id);
    const int code = state ? state->exit_code.value_or(0) : 0;
    if (code == 0 && !checked) continue;
    const auto lines = co_await last_container_lines(services, started.id);
    throw Error(ErrorKind::failed, "service '" + started.service->name + "' exited with status " +
                                       std::to_string(code) + (lines.empty() ? "" : ": " + lines));
  }
  co_return Outcome{};
}

}  // namespace stackd::stacks
