// Where daemon and client meet: socket and state directory (design.md, "Daemon" and "REST API").
#pragma once

#include <string>

namespace stackd::proto {

// STACKD_HOME, else $XDG_STATE_HOME/stackd, else ~/.local/state/stackd. Environment is the process's own.
std::string default_home();
// STACKD_SOCKET, else $XDG_RUNTIME_DIR/stackd/stackd.sock, else /run/stackd/stackd.sock.
std::string default_socket();

}  // namespace stackd::proto
