#include "daemon/steps/common/host_ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <tuple>

#include "daemon/plan/plan.hpp"
#include "daemon/steps/common/holders.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::steps {
namespace {

// True when binding works, or fails for a reason that is not another program (no IPv6 here, an address of
// another machine, a low port, which the engine may bind where its user may not).
bool can_bind(int family, const sockaddr* address, socklen_t size, int type) {
  const util::Fd fd(::socket(family, type | SOCK_CLOEXEC, 0));
  if (!fd) return true;
  const int on = 1;
  if (type == SOCK_STREAM) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  return ::bind(fd.get(), address, size) == 0 || errno != EADDRINUSE;
}

plan::HeldPort held_from(const store::PortRow& row) {
  return {row.port, row.host_ip, row.protocol, row.stack_id, row.service, row.key, row.active};
}

// What this stack would get. Those of orphans that go first are as good as free.
std::vector<plan::HeldPort> choose(store::Database& db, const model::Stack& stack, plan::PortRange range,
                                   const plan::Wish& wish) {
  std::vector<plan::HeldPort> held;
  std::set<std::pair<int, std::string>> going;
  for (const auto& row : store::Ports::all(db)) {
    const bool orphan = row.active && row.stack_id == stack.id && !stack.spec->find(row.service);
    if (orphan && wish.remove_orphans)
      going.insert({row.port, row.protocol});
    else
      held.push_back(held_from(row));
  }
  // A one-off of a service publishes none of its ports: who has them meanwhile does not matter.
  const auto started = plan::selected_by(*stack.spec, {"", plan::Kind::up, wish, false});
  for (const auto& service : stack.spec->services)
    for (const auto& port : service.ports)
      if (!wish.prepare.empty() && port.published != 0 && !started.contains(service.name))
        going.insert({port.published, port.protocol});
  const plan::PortIsFree is_free = [&](int port, const std::string& protocol, const std::string& host_ip) {
    return going.contains({port, protocol}) || port_is_free(port, protocol, host_ip);
  };
  return plan::allocate_ports(*stack.spec, stack.id, range, plan::scale_of(*stack.spec, wish), held, is_free);
}

// What the stack has already, and nothing else.
bool has_them(store::Database& db, const std::string& stack, std::vector<plan::HeldPort> ports) {
  std::vector<plan::HeldPort> held;
  for (const auto& row : store::Ports::of_stack(db, stack))
    if (row.active) held.push_back(held_from(row));
  const auto by_place = [](const plan::HeldPort& a, const plan::HeldPort& b) {
    return std::tie(a.service, a.key) < std::tie(b.service, b.key);
  };
  std::sort(held.begin(), held.end(), by_place);
  std::sort(ports.begin(), ports.end(), by_place);
  const auto same = [](const plan::HeldPort& a, const plan::HeldPort& b) {
    return std::tie(a.port, a.host_ip, a.protocol, a.service, a.key) ==
           std::tie(b.port, b.host_ip, b.protocol, b.service, b.key);
  };
  return std::equal(held.begin(), held.end(), ports.begin(), ports.end(), same);
}

// In one transaction, so that two stacks never get the same port.
std::vector<plan::HeldPort> allocate(store::Database& db, const model::Stack& stack, plan::PortRange range,
                                     const plan::Wish& wish) {
  auto ports = choose(db, stack, range, wish);
  if (has_them(db, stack.id, ports)) return ports;
  store::Ports::release(db, stack.id);
  for (const auto& port : ports)
    store::Ports::put(db, {port.port, port.host_ip, port.protocol, port.stack, port.service, port.key, true});
  return ports;
}

std::map<std::string, std::map<std::string, int>> ports_of(const model::Stack& stack,
                                                           const std::vector<plan::HeldPort>& held) {
  auto ports = plan::by_service(held);
  // What a service that is gone was given is for its last hooks and its stop_cmd.
  for (const auto& gone : stack.spec->gone)
    if (const auto had = stack.facts->ports.find(gone.name); had != stack.facts->ports.end())
      ports.insert(*had);
  return ports;
}

// A container's port is the engine's to the eye of the system: whose it is, only the engine says.
awaitable<std::string> with_holder(Tools& tools, model::Stack stack, std::string message, int port) {
  if (!plan::needs_engine(*stack.spec)) co_return message;
  const auto holder = co_await holder_of_port(tools.engine, stack, port);
  if (!holder.empty()) message += "; " + holder;
  co_return message;
}

}  // namespace

bool port_is_free(int port, const std::string& protocol, const std::string& host_ip) {
  const int type = protocol == "udp" ? SOCK_DGRAM : SOCK_STREAM;
  if (protocol == "sctp") return true;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<uint16_t>(port));
  v4.sin_addr.s_addr = INADDR_ANY;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(static_cast<uint16_t>(port));
  v6.sin6_addr = in6addr_any;
  const bool want_v4 = host_ip.empty() || ::inet_pton(AF_INET, host_ip.c_str(), &v4.sin_addr) == 1;
  const bool want_v6 = host_ip.empty() || ::inet_pton(AF_INET6, host_ip.c_str(), &v6.sin6_addr) == 1;
  if (want_v4 && !can_bind(AF_INET, reinterpret_cast<const sockaddr*>(&v4), sizeof v4, type)) return false;
  return !want_v6 || can_bind(AF_INET6, reinterpret_cast<const sockaddr*>(&v6), sizeof v6, type);
}

awaitable<model::Stack> with_ports_foreseen(Tools& tools, model::Stack stack, plan::Wish wish) {
  auto ask = [stack, range = tools.ports, wish](store::Database& db) {
    return choose(db, stack, range, wish);
  };
  const auto ports = co_await tools.journal.run(ask);
  auto facts = std::make_shared<model::Facts>(*stack.facts);
  facts->ports = ports_of(stack, ports);
  stack.facts = std::move(facts);
  co_return stack;
}

bool are_ports_settled(store::Database& db, const model::Stack& stack, plan::PortRange range,
                       const plan::Wish& wish) {
  try {
    const auto ports = choose(db, stack, range, wish);
    return has_them(db, stack.id, ports) && ports_of(stack, ports) == stack.facts->ports;
  } catch (const plan::PortTaken&) {
    return false;
  }
}

awaitable<void> settle_ports(Tools& tools, std::string id, plan::Wish wish) {
  const auto stack = co_await tools.models.get(id);
  auto write = [stack, range = tools.ports, wish](store::Database& db) {
    return allocate(db, stack, range, wish);
  };
  std::vector<plan::HeldPort> held;
  std::string taken;
  int port = 0;
  try {
    held = co_await tools.journal.commit(write);
  } catch (const plan::PortTaken& error) {
    taken = error.what();
    port = error.port();
  }
  if (!taken.empty()) {
    const auto message = co_await with_holder(tools, stack, taken, port);
    throw util::Error(util::ErrorKind::failed, message);
  }
  const auto ports = ports_of(stack, held);
  if (ports == stack.facts->ports) co_return;
  auto change = [ports](model::Facts& facts) { facts.ports = ports; };
  co_await tools.models.change_facts(id, change);
}

}  // namespace stackd::steps
