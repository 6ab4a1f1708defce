// Host ports: allocated before anything starts, tested by binding, recorded, kept across ups (L10.1).
#pragma once

#include <map>
#include <string>

#include "daemon/spec/facts.hpp"
#include "daemon/spec/spec.hpp"
#include "daemon/store/database.hpp"

namespace stackd::stacks {

struct PortRange {
  int first = 9000, last = 9999;
};

// Inside the caller's transaction, on the store's thread. The ports of services outside `spec` are let go.
// `scale` overrides a service's own. Throws Error(failed), naming the place in the file, the port and who has
// it.
std::map<std::string, std::map<std::string, int>> allocate_ports(store::Database& db, const spec::Spec& spec,
                                                                 const std::string& stack_id, PortRange range,
                                                                 const std::map<std::string, int>& scale);

// Can this port be bound on this address now? IPv4 and IPv6 when the address is empty.
bool port_is_free(int port, const std::string& protocol, const std::string& host_ip);

}  // namespace stackd::stacks
