// Who may speak to the daemon. On the Unix socket the kernel says who the peer is; on loopback TCP a bearer
// token does, and because browsers reach loopback too, a foreign Host (DNS rebinding) or any Origin is
// refused.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "daemon/http/message.hpp"

namespace stackd::http {

enum class Transport { unix_socket, tcp };

struct Refusal {
  int status = 403;  // 401 when a token would help
  std::string detail;
};

// SO_PEERCRED of a connected Unix socket; nothing when the kernel does not say.
std::optional<uid_t> peer_uid(int socket);

// Nothing when the peer may go on: it must be `own` or root.
std::optional<Refusal> check_peer(std::optional<uid_t> peer, uid_t own);

// Nothing when a request that came over TCP may go on.
std::optional<Refusal> check_tcp_request(const Request& request, std::string_view token);

// In time that depends on the lengths only.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// "localhost", "127.x.x.x" or "[::1]", with or without a port.
bool is_loopback_host(std::string_view host);

}  // namespace stackd::http
