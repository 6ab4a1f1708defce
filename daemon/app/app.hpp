// App: the composition root, the only place that knows every part. Builds in order, recovers, listens, and
// stops in reverse; services and hooks go on without it.
#pragma once

#include "daemon/config/settings.hpp"

namespace stackd::app {

// Runs the daemon until SIGTERM, SIGINT or SIGHUP. Throws Error when it cannot start (another daemon has the
// home directory or the socket, the database cannot be read).
void run(const config::Settings& settings);

}  // namespace stackd::app
