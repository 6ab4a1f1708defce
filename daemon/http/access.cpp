#include "daemon/http/access.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>

#include "daemon/http/target.hpp"
#include "daemon/util/text.hpp"

namespace stackd::http {

std::optional<uid_t> peer_uid(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return credentials.uid;
}

std::optional<Refusal> check_peer(std::optional<uid_t> peer, uid_t own) {
  if (peer && (*peer == own || *peer == 0)) return std::nullopt;
  const auto who = peer ? "user id " + std::to_string(*peer) : std::string("an unknown user");
  return Refusal{403, "cannot serve " + who + ": this daemon belongs to user id " + std::to_string(own) +
                          "; start one of your own, or set STACKD_SOCKET to its socket"};
}

std::optional<Refusal> check_tcp_request(const Request& request, std::string_view token) {
  if (request.header("Origin"))
    return Refusal{403, "cannot serve a web page: requests with an Origin header are refused"};
  const auto host = request.header("Host");
  const auto named = authority_of(request.path);  // counts more than the header
  if (!host || !is_loopback_host(*host) || (!named.empty() && !is_loopback_host(named)))
    return Refusal{403, "cannot serve this Host: use localhost, 127.0.0.1 or [::1]"};
  const auto given = request.header("Authorization");
  if (!given || !util::starts_with_icase(*given, "Bearer "))
    return Refusal{401,
                   "cannot serve a request over TCP without a token: send 'Authorization: Bearer <token>'"};
  if (token.empty() || !equal_in_constant_time(util::trim(given->substr(7)), token))
    return Refusal{
        401, "cannot serve this request: the token is wrong; it is in the file 'token' of the daemon's home"};
  return std::nullopt;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  // Walks `a` whatever differs, and keeps the compiler from cutting it short.
  volatile unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = difference | static_cast<unsigned char>(a[i] ^ (b.empty() ? 0 : b[i % b.size()]));
  return difference == 0;
}

bool is_loopback_host(std::string_view host) {
  std::string name(host);
  if (!name.empty() && name.front() == '[') {
    const auto end = name.find(']');
    if (end == std::string::npos) return false;
    const auto rest = name.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return false;
    in6_addr address{};
    return ::inet_pton(AF_INET6, name.substr(1, end - 1).c_str(), &address) == 1 &&
           IN6_IS_ADDR_LOOPBACK(&address);
  }
  name = name.substr(0, name.find(':'));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  if (name == "localhost") return true;
  in_addr address{};
  return ::inet_pton(AF_INET, name.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

}  // namespace stackd::http
