// Sockets that the service manager opened and passed on (socket activation). They belong to the manager:
// never unlink their paths.
#pragma once

#include <string>
#include <vector>

#include "daemon/util/fd.hpp"

namespace stackd::systemd {

struct PassedSocket {
  std::string name;  // FileDescriptorName= of the socket unit, else the unit's own name
  util::Fd fd;       // listening, close-on-exec
};

// The sockets passed to this process, in the manager's order; empty when it was not activated. Takes them:
// LISTEN_FDS and its companions leave the environment, so that no child believes they are its own, and a
// second call finds none. Call it before there is another thread. Throws `io` when the variables are there
// but make no sense.
std::vector<PassedSocket> take_passed_sockets();

}  // namespace stackd::systemd
