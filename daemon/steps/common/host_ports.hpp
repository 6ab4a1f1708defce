// Host ports: chosen before anything starts (plan/ports.hpp), recorded, and put into the stack's facts.
#pragma once

#include <string>

#include "daemon/plan/wish.hpp"
#include "daemon/steps/common/tools.hpp"

namespace stackd::steps {

// Throws Error(failed) when there is none to have.
awaitable<void> settle_ports(Tools& tools, std::string stack, plan::Wish wish);

// Whether settle_ports would leave everything as it is. On the store's thread.
bool are_ports_settled(store::Database& db, const model::Stack& stack, plan::PortRange range,
                       const plan::Wish& wish);

// The stack with the ports that settle_ports would give it, given to nobody.
awaitable<model::Stack> with_ports_foreseen(Tools& tools, model::Stack stack, plan::Wish wish);

// Does nobody else have this port on this address now? IPv4 and IPv6 when the address is empty.
bool port_is_free(int port, const std::string& protocol, const std::string& host_ip);

}  // namespace stackd::steps
