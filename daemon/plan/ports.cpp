#include "daemon/plan/ports.hpp"

#include "daemon/util/error.hpp"

namespace stackd::plan {
namespace {

using util::Error;
using util::ErrorKind;

std::string where(const model::Place& place) {
  if (place.file.empty()) return {};
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": ";
}

class Allocation {
public:
  Allocation(const model::Spec& spec, const std::string& stack, PortRange range,
             const std::vector<HeldPort>& held, const PortIsFree& is_free)
      : spec_(spec), stack_(stack), range_(range), can_bind_(is_free) {
    for (const auto& port : held) {
      if (port.stack == stack)
        mine_[{port.service, port.key}] = port;
      else if (port.active)
        others_.push_back(port);
    }
  }

  HeldPort choose(const model::Service& service, const model::Port& port, const std::string& key) {
    const auto remembered = mine_.find({service.name, key});
    const bool known = remembered != mine_.end() && remembered->second.protocol == port.protocol;
    int chosen = 0;
    if (port.published && !port.published_end) {
      chosen = port.published;
      // A port that this very service has already is not tested: it holds it itself.
      if (!(known && remembered->second.active && remembered->second.port == chosen))
        refuse_if_taken(service, port);
    } else if (known && in_range(port, remembered->second.port) &&
               (remembered->second.active || is_free(remembered->second.port, port))) {
      chosen = remembered->second.port;
    } else {
      chosen = lowest_free(service, port);
    }
    return taken_.emplace_back(
        HeldPort{chosen, port.host_ip, port.protocol, stack_, service.name, key, true});
  }

private:
  std::pair<int, int> range_of(const model::Port& port) const {
    return port.published_end ? std::pair(port.published, port.published_end)
                              : std::pair(range_.first, range_.last);
  }
  bool in_range(const model::Port& port, int number) const {
    const auto [first, last] = range_of(port);
    return number >= first && number <= last && !holder(taken_, number, port);
  }
  bool is_free(int number, const model::Port& port) const {
    return !holder(taken_, number, port) && !holder(others_, number, port) && !held_by_own(number, port) &&
           can_bind_(number, port.protocol, port.host_ip);
  }
  // Whose of this stack's services it is so far; null when it is none's. It stays that one's.
  const HeldPort* held_by_own(int number, const model::Port& port) const {
    for (const auto& [key, held] : mine_)
      if (held.active && is_it(held, number, port)) return &held;
    return nullptr;
  }

  // One number on two addresses is two ports; a wildcard has every address.
  static bool is_it(const HeldPort& held, int number, const model::Port& port) {
    const auto any = [](const std::string& ip) { return ip.empty() || ip == "0.0.0.0" || ip == "::"; };
    return held.port == number && held.protocol == port.protocol &&
           (held.host_ip == port.host_ip || any(held.host_ip) || any(port.host_ip));
  }
  static const HeldPort* holder(const std::vector<HeldPort>& list, int number, const model::Port& port) {
    for (const auto& held : list)
      if (is_it(held, number, port)) return &held;
    return nullptr;
  }

  void refuse_if_taken(const model::Service& service, const model::Port& port) const {
    const auto what = where(port.place) + "host port " + std::to_string(port.published) +
                      ", which service '" + service.name + "' publishes, ";
    if (const auto* other = holder(others_, port.published, port))
      throw Error(ErrorKind::failed,
                  what + "belongs to stack '" + other->stack + "'; take that down or publish another port");
    if (holder(taken_, port.published, port))
      throw Error(ErrorKind::failed, what + "is published by another service of this stack");
    if (can_bind_(port.published, port.protocol, port.host_ip)) return;
    const auto* own = held_by_own(port.published, port);
    if (own && !spec_.find(own->service))
      throw Error(ErrorKind::failed, what + "is still that of service '" + own->service +
                                         "', which the stack file does not have (any more); `stackctl up "
                                         "--remove-orphans` takes it away");
    if (own)
      throw Error(ErrorKind::failed, what + "was given to service '" + own->service +
                                         "' of this stack; take that down or publish another port");
    throw PortTaken(what + "is taken by another program; stop that or publish another port", port.published);
  }

  int lowest_free(const model::Service& service, const model::Port& port) const {
    const auto [first, last] = range_of(port);
    for (int number = first; number <= last; ++number)
      if (is_free(number, port)) return number;
    throw Error(ErrorKind::failed, where(port.place) + "service '" + service.name +
                                       "' needs a host port, and none from " + std::to_string(first) +
                                       " to " + std::to_string(last) + " is free");
  }

  const model::Spec& spec_;
  std::string stack_;
  PortRange range_;
  const PortIsFree& can_bind_;
  std::map<std::pair<std::string, std::string>, HeldPort> mine_;
  std::vector<HeldPort> others_, taken_;
};

}  // namespace

std::vector<HeldPort> allocate_ports(const model::Spec& spec, const std::string& stack, PortRange range,
                                     const std::map<std::string, int>& scale,
                                     const std::vector<HeldPort>& held, const PortIsFree& is_free) {
  if (spec.runtime.port_first) range = {spec.runtime.port_first, spec.runtime.port_last};
  Allocation allocation(spec, stack, range, held, is_free);
  std::vector<HeldPort> ports;
  // Fixed ports first, so that an allocated one never takes a port that another service asks for by number.
  for (const bool fixed : {true, false})
    for (const auto& service : spec.services) {
      if (service.container && service.container->network_mode == "host") continue;
      const auto wanted = scale.find(service.name);
      const int replicas = wanted != scale.end() ? wanted->second
                           : service.container   ? service.container->scale
                                                 : 1;
      for (const auto& port : service.ports) {
        if ((port.published && !port.published_end) != fixed) continue;
        for (int n = 1; n <= replicas; ++n)
          ports.push_back(
              allocation.choose(service, port, n == 1 ? port.key : port.key + "@" + std::to_string(n)));
      }
    }
  return ports;
}

std::map<std::string, std::map<std::string, int>> by_service(const std::vector<HeldPort>& ports) {
  std::map<std::string, std::map<std::string, int>> out;
  for (const auto& port : ports) out[port.service][port.key] = port.port;
  return out;
}

}  // namespace stackd::plan
