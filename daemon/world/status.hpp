// What a container's or a process's state means for its service, and the services' for their stack. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/model/spec.hpp"
#include "daemon/process/types.hpp"
#include "daemon/store/records.hpp"

namespace stackd::world {

// What is known of a stack besides.
struct Circumstances {
  std::string stack_status;
  bool operation_running = false;
  std::string operation_kind;
  std::set<std::string> stopped;         // services that were stopped on purpose, and not started since
  std::set<std::string> ready, unready;  // whose readiness the running operation has seen, or waits for
  bool engine_answered = false;

  // While it comes up, stackd's own word counts; after that, so it did.
  bool waits_for(const std::string& service) const;
};

struct ContainerSeen {
  std::string state, health;
  std::optional<int> exit_code;
  std::string health_output;
  bool out_of_memory = false, killed = false;
};
std::string container_status(const ContainerSeen& container, const model::Service& service,
                             const Circumstances& now);
// Why it is so: what the engine said of its end, its health or its pause; "" where there is nothing to
// explain.
std::string container_reason(const std::string& status, const ContainerSeen& container);
// What somebody has changed of a container that is there: its name, or a network that it has left. "" when it
// is as stackd has made it.
std::string changed_by_hand(const model::Spec& spec, const model::Service& service, int number,
                            const std::string& name, const std::vector<std::string>& networks);
// The worst replica speaks for the service; "down" when there is none.
std::string worst(const std::vector<std::string>& statuses);

struct ProcessSeen {
  bool running = false;
  process::RunExit exit;  // when it does not run
  int streak = 0, restarts = 0;
};
struct Status {
  std::string status, reason;
};
// `seen`: nothing when there is no run of it.
Status process_status(const std::optional<ProcessSeen>& seen, const model::Service& service,
                      const Circumstances& now);

// Of the whole, by those of its services. `started`: services that somebody has started since the last down.
struct ServiceStatus {
  std::string service, status;
};
std::string stack_status(const std::string& told, const std::vector<ServiceStatus>& services,
                         const std::set<std::string>& started);

// Which services this one cannot start before, and how they are: "needs db (starting)". "" when nothing is
// missing.
std::string unmet_needs(const model::Service& service, const std::vector<ServiceStatus>& services);

// The service that the last operation failed for, and why; empty when it did not fail, or for no service.
struct Failure {
  std::string service, message;
};
Failure last_failure(const std::optional<store::OperationRow>& operation);

}  // namespace stackd::world
