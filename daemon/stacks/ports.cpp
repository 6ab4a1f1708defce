#include "daemon/stacks/ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <set>

#include "daemon/store/records.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::stacks {
namespace {

using util::Error;
using util::ErrorKind;

// True when binding works, or fails for a reason that is not another program (no IPv6 here, an address of
// another machine).
bool can_bind(int family, const sockaddr* address, socklen_t size, int type) {
  const util::Fd fd(::socket(family, type | SOCK_CLOEXEC, 0));
  if (!fd) return true;
  const int on = 1;
  if (type == SOCK_STREAM) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  return ::bind(fd.get(), address, size) == 0 || (errno != EADDRINUSE && errno != EACCES);
}

class Allocation {
public:
  Allocation(store::Database& db, const std::string& stack_id, PortRange range)
      : db_(db), stack_id_(stack_id), range_(range) {
    for (auto& row : store::Ports::all(db)) {
      if (row.stack_id == stack_id) {
        mine_[{row.service, row.key}] = row;
      } else if (row.active) {
        others_[{row.port, row.protocol}] = row.stack_id;
      }
    }
    store::Ports::release(db, stack_id);
  }

  int choose(const spec::Service& service, const spec::Port& port, const std::string& key) {
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
    taken_.insert({chosen, port.protocol});
    store::Ports::put(db_, {chosen, port.host_ip, port.protocol, stack_id_, service.name, key, true});
    return chosen;
  }

private:
  std::pair<int, int> range_of(const spec::Port& port) const {
    return port.published_end ? std::pair(port.published, port.published_end)
                              : std::pair(range_.first, range_.last);
  }
  bool in_range(const spec::Port& port, int number) const {
    const auto [first, last] = range_of(port);
    return number >= first && number <= last && !taken_.contains({number, port.protocol});
  }
  bool is_free(int number, const spec::Port& port) const {
    return !taken_.contains({number, port.protocol}) && !others_.contains({number, port.protocol}) &&
           !kept_for_another(number, port) && port_is_free(number, port.protocol, port.host_ip);
  }
  // A remembered port of another of this stack's own services stays that one's.
  bool kept_for_another(int number, const spec::Port& port) const {
    for (const auto& [key, row] : mine_)
      if (row.active && row.port == number && row.protocol == port.protocol) return true;
    return false;
  }

  void refuse_if_taken(const spec::Service& service, const spec::Port& port) const {
    const auto what = where(port.place) + "host port " + std::to_string(port.published) +
                      ", which service '" + service.name + "' publishes, ";
    if (const auto other = others_.find({port.published, port.protocol}); other != others_.end())
      throw Error(ErrorKind::failed,
                  what + "belongs to stack '" + other->second + "'; take that down or publish another port");
    if (taken_.contains({port.published, port.protocol}))
      throw Error(ErrorKind::failed, what + "is published by another service of this stack");
    if (!port_is_free(port.published, port.protocol, port.host_ip))
      throw Error(ErrorKind::failed, what + "is taken by another program; stop that or publish another port");
  }

  int lowest_free(const spec::Service& service, const spec::Port& port) const {
    const auto [first, last] = range_of(port);
    for (int number = first; number <= last; ++number)
      if (is_free(number, port)) return number;
    throw Error(ErrorKind::failed, where(port.place) + "service '" + service.name +
                                       "' needs a host port, and none from " + std::to_string(first) +
                                       " to " + std::to_string(last) + " is free");
  }

  static std::string where(const spec::Place& place) {
    if (place.file.empty()) return {};
    return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": ";
  }

  store::Database& db_;
  std::string stack_id_;
  PortRange range_;
  std::map<std::pair<std::string, std::string>, store::PortRow> mine_;
  std::map<std::pair<int, std::string>, std::string> others_;
  std::set<std::pair<int, std::string>> taken_;
};

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

std::map<std::string, std::map<std::string, int>> allocate_ports(store::Database& db, const spec::Spec& spec,
                                                                 const std::string& stack_id, PortRange range,
                                                                 const std::map<std::string, int>& scale) {
  if (spec.runtime.port_first) range = {spec.runtime.port_first, spec.runtime.port_last};
  Allocation allocation(db, stack_id, range);
  std::map<std::string, std::map<std::string, int>> ports;
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
        for (int n = 1; n <= replicas; ++n) {
          const auto key = n == 1 ? port.key : port.key + "@" + std::to_string(n);
          ports[service.name][key] = allocation.choose(service, port, key);
        }
      }
    }
  return ports;
}

}  // namespace stackd::stacks
