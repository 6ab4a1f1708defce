#include "daemon/steps/common/waiting.hpp"

#include <filesystem>

#include "daemon/resolve/references.hpp"
#include "daemon/steps/common/endings.hpp"
#include "daemon/translate/process_request.hpp"
#include "daemon/util/error.hpp"
#include "daemon/world/seen.hpp"

namespace stackd::steps {
namespace {

using std::chrono::milliseconds;
using util::Error;
using util::ErrorKind;

constexpr milliseconds k_default_timeout{60'000};  // L3.4

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
probes::Probe settled(milliseconds settle) {
  return {.attempt = [settle]() -> awaitable<void> { co_await async::sleep_for(settle); }};
}

}  // namespace

std::string what_is_awaited(const model::Service& service) {
  const auto* deciding = service.ready_when->deciding();
  if (!deciding) return "its log";
  return std::string(model::row_of(deciding->first).key) + " " + deciding->second;
}

probes::ReadyWait ready_wait(Tools& tools, const model::Stack& stack, const model::Service& service,
                             const std::string& run) {
  const auto& wish = *service.ready_when;
  probes::ReadyWait wait;
  wait.what = "service '" + service.name + "'";
  wait.fail_match = wish.fail_log_match;
  wait.capture = wish.capture;
  wait.timeout = limit_of(stack, wish);
  wait.extend_on_progress = wish.extend_on_progress;
  if (!wish.any()) wait.probe = settled(settle_of(service));
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

awaitable<void> keep_captures(Tools& tools, std::string stack, std::string service, probes::Captured values) {
  if (values.empty()) co_return;
  auto change = [service, values](model::Facts& facts) { facts.captured[service] = values; };
  co_await tools.models.change_facts(stack, change);
}

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

milliseconds limit_of(const model::Stack& stack, const model::Service& service) {
  return limit_of(stack, service.ready_when.value_or(model::Readiness{}));
}

}  // namespace stackd::steps
