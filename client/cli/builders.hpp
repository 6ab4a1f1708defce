// How the options of each command are read, by file. commands.cpp has the table and all that is not here.
#pragma once

#include "client/cli/commands.hpp"

namespace stackd::client {

// wishes.cpp
Run build_up(CLI::App& app);
Run build_diff(CLI::App& app);
Run build_down(CLI::App& app);
Run build_stop(CLI::App& app);
Run build_start(CLI::App& app);
Run build_restart(CLI::App& app);

}  // namespace stackd::client
