#include "daemon/docker/address.hpp"

#include <sys/un.h>

#include <algorithm>

#include "daemon/util/error.hpp"

namespace stackd::docker {
namespace {

constexpr std::string_view k_default = "unix:///var/run/docker.sock";
constexpr std::string_view k_unix = "unix://";
constexpr std::string_view k_tcp = "tcp://";

[[noreturn]] void refuse(std::string_view host, std::string_view why) {
  throw util::Error(util::ErrorKind::invalid_request,
                    "cannot use the Docker host \"" + std::string(host) + "\": " + std::string(why));
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Address parse_tcp(std::string_view whole, std::string_view rest) {
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  Address address{std::string(whole), "", "", "2375"};
  std::string_view after;  // what follows the host: "" or ":<port>"
  if (!rest.empty() && rest.front() == '[') {
    const auto end = rest.find(']');
    if (end == rest.npos) refuse(whole, "the IPv6 address has no closing bracket");
    address.host = rest.substr(1, end - 1);
    after = rest.substr(end + 1);
  } else {
    const auto colon = rest.find(':');
    address.host = rest.substr(0, colon);
    if (colon != rest.npos) after = rest.substr(colon);
  }
  if (!after.empty()) {
    if (after.front() != ':' || !is_port(after.substr(1))) refuse(whole, "the port is not a number");
    address.port = after.substr(1);
  }
  // The host goes into a request header as it is.
  const bool plain = std::all_of(address.host.begin(), address.host.end(),
                                 [](unsigned char c) { return c > ' ' && c < 0x7f && c != '/' && c != '@'; });
  if (address.host.empty() || !plain) refuse(whole, "expected tcp://<host>:<port>");
  return address;
}

}  // namespace

Address parse_address(std::string_view host) {
  if (host.empty()) host = k_default;
  if (host.substr(0, k_unix.size()) == k_unix) {
    const auto path = host.substr(k_unix.size());
    if (path.empty() || path.front() != '/') refuse(host, "a socket's path is absolute: unix:///<path>");
    if (path.size() >= sizeof(sockaddr_un{}.sun_path)) refuse(host, "the path is too long for a socket");
    return Address{std::string(host), std::string(path), "", ""};
  }
  if (host.substr(0, k_tcp.size()) == k_tcp) return parse_tcp(host, host.substr(k_tcp.size()));
  refuse(host, "expected unix:///<path> or tcp://<host>:<port>");
}

}  // namespace stackd::docker
