// Which host ports a stack gets: fixed ones as the file says, others the one that they had last time, else
// the lowest that is free (L10.1). Pure but for the question that it asks of each candidate.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/model/spec.hpp"
#include "daemon/util/error.hpp"

namespace stackd::plan {

struct PortRange {
  int first = 9000, last = 9999;
};

// A port that some stack has, or (not active) had last time.
struct HeldPort {
  int port = 0;
  std::string host_ip, protocol, stack, service, key;
  bool active = true;
};

// Another program has a port that the file asks for by number.
class PortTaken : public util::Error {
public:
  PortTaken(const std::string& message, int port) : Error(util::ErrorKind::failed, message), port_(port) {}
  int port() const { return port_; }

private:
  int port_;
};

// Can this port be bound on this address now?
using PortIsFree = std::function<bool(int port, const std::string& protocol, const std::string& host_ip)>;

// The ports that this stack holds from now on, in place of what it held. `held`: those of all stacks. `scale`
// overrides a service's own. Throws Error(failed), naming the place in the file, the port and who has it.
std::vector<HeldPort> allocate_ports(const model::Spec& spec, const std::string& stack, PortRange range,
                                     const std::map<std::string, int>& scale,
                                     const std::vector<HeldPort>& held, const PortIsFree& is_free);
// service -> key -> port, as model::Facts has them.
std::map<std::string, std::map<std::string, int>> by_service(const std::vector<HeldPort>& ports);

}  // namespace stackd::plan
