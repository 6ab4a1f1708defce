#include "daemon/world/status.hpp"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "daemon/process/restart_policy.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/util/text.hpp"

namespace stackd::world {
namespace {

bool may_complete(const model::Service& service) {
  const auto& c = *service.container;
  const bool ends = c.restart.empty() || c.restart == "no" || c.restart.starts_with("on-failure");
  return ends && (!c.healthcheck || c.healthcheck->disabled());
}

bool is_stopping(const Circumstances& now) {
  return now.stack_status == "stopped" || now.stack_status == "stopping";
}

int badness(const std::string& status) {
  static const std::vector<std::string> k_order{"ready",  "completed",  "starting",  "stopped",
                                                "paused", "restarting", "unhealthy", "exited"};
  return static_cast<int>(std::find(k_order.begin(), k_order.end(), status) - k_order.begin());
}

}  // namespace

bool Circumstances::waits_for(const std::string& service) const {
  if (!operation_running) return false;
  if (operation_kind == "recover") return unready.contains(service);
  return stack_status == "starting" && !ready.contains(service);
}

std::string container_status(const ContainerSeen& c, const model::Service& service,
                             const Circumstances& now) {
  if (c.state == "running") {
    if (c.health == "unhealthy") return "unhealthy";
    return now.waits_for(service.name) ? "starting" : "ready";
  }
  if (c.state == "exited" || c.state == "dead") {
    if (is_stopping(now) || now.stopped.contains(service.name)) return "stopped";
    return c.exit_code.value_or(1) == 0 && may_complete(service) ? "completed" : "exited";
  }
  if (c.state == "created") return now.operation_running ? "starting" : "stopped";
  return c.state;  // paused, restarting, removing
}

std::string container_reason(const std::string& status, const ContainerSeen& c) {
  if (status == "paused") return "paused by somebody";
  if (status == "unhealthy") {
    const auto lines = util::tail_lines(c.health_output, 1);
    return "its healthcheck fails" + (lines.empty() || lines.back().empty() ? "" : ": " + lines.back());
  }
  if (status != "exited" && status != "restarting") return {};
  auto text = "exited with status " + std::to_string(c.exit_code.value_or(0));
  const char* name = ::sigabbrev_np(c.exit_code.value_or(0) - 128);
  if (c.out_of_memory)
    text += ", out of memory";
  else if (name && c.killed)
    text += std::string(" (SIG") + name + ", sent by somebody)";
  return status == "restarting" ? text + "; the engine starts it again" : text;
}

std::string changed_by_hand(const model::Spec& spec, const model::Service& service, int number,
                            const std::string& name, const std::vector<std::string>& networks) {
  const auto own = resolve::container_name(spec, service, number);
  if (name != own) return "its container is called '" + name + "' now, and not '" + own + "'";
  for (const auto& [key, attachment] : service.container->networks) {
    const auto network = spec.networks.find(key);
    if (network == spec.networks.end()) continue;
    if (std::find(networks.begin(), networks.end(), network->second.name) == networks.end())
      return "its container is not on network '" + network->second.name + "' any more";
  }
  return {};
}

std::string worst(const std::vector<std::string>& statuses) {
  if (statuses.empty()) return "down";
  std::string worst = "ready";
  for (const auto& status : statuses)
    if (badness(status) > badness(worst)) worst = status;
  return worst;
}

Status process_status(const std::optional<ProcessSeen>& seen, const model::Service& service,
                      const Circumstances& now) {
  const bool oneshot = service.kind == model::ServiceKind::oneshot;
  if (!seen) {
    const bool down = now.stack_status == "down" || now.stack_status == "failed";
    return {now.stopped.contains(service.name) && !down ? "stopped" : "down", ""};
  }
  if (seen->running) return {now.waits_for(service.name) || oneshot ? "starting" : "ready", ""};
  if (oneshot && seen->exit.ok()) return {"completed", ""};
  Status status{"exited", seen->exit.cause == process::Cause::lost
                              ? "it is gone without a word"
                              : "exited with status " + std::to_string(seen->exit.code)};
  if (oneshot || is_stopping(now) || now.stack_status == "down") return status;
  const bool recovers = now.operation_kind == "recover" && now.waits_for(service.name);
  const auto& restart = service.process->restart;
  if (recovers || process::restart_pause(restart, seen->streak, seen->exit)) {
    status.status = "restarting";
    status.reason += "; it is started again";
  } else if (!restart.empty() && seen->restarts > 0) {
    status.reason += "; given up after " + std::to_string(seen->streak) + " restarts";
  }
  return status;
}

std::string stack_status(const std::string& told, const std::vector<ServiceStatus>& services,
                         const std::set<std::string>& started) {
  bool all_well = true, any_left = false, any_stopped = false, any_completed = false;
  for (const auto& [service, status] : services) {
    // One that nobody has started, or that was stopped on purpose, is not missed.
    const bool missed = started.contains(service) || (status != "down" && status != "stopped");
    all_well = all_well && (!missed || status == "ready" || status == "completed");
    any_left = any_left || (missed && status != "completed");
    any_completed = any_completed || status == "completed";
    any_stopped = any_stopped || status == "stopped";
  }
  // Service by service everything may have been stopped, or taken away; what ran to its end is neither.
  if (told == "up" && !any_left && (any_stopped || !any_completed) && !services.empty())
    return any_stopped ? "stopped" : "down";
  return told == "up" && !all_well ? "degraded" : told;
}

std::string unmet_needs(const model::Service& service, const std::vector<ServiceStatus>& services) {
  std::string text;
  for (const auto& [name, status] : services)
    if (service.depends_on.contains(name) && status != "ready" && status != "completed")
      text += (text.empty() ? "needs " : ", ") + name + " (" + status + ")";
  return text;
}

Failure last_failure(const std::optional<store::OperationRow>& operation) {
  if (!operation || operation->state != "failed" || operation->error.empty()) return {};
  const auto error = nlohmann::json::parse(operation->error, nullptr, false);
  if (!error.is_object() || !error.contains("cause") || !error["cause"].is_object()) return {};
  return {error["cause"].value("service", ""), error.value("message", "")};
}

}  // namespace stackd::world
