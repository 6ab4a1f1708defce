// App: the composition root, the only place that knows every part. Builds in order, recovers, listens, and
// stops in reverse; services and hooks go on without it.
#pragma once

#include <functional>

#include "daemon/config/settings.hpp"
#include "daemon/store/database.hpp"

namespace stackd::app {

// Is shown the database before anything is read from it. For tests, which let the daemon die at its commits.
using Prepare = std::function<void(store::Database&)>;

// Runs the daemon until SIGTERM, SIGINT or SIGHUP. Throws Error when it cannot start (another daemon has the
// home directory or the socket, the database cannot be read).
void run(const config::Settings& settings, const Prepare& prepare = nullptr);

}  // namespace stackd::app
