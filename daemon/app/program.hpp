// The program stackd: parses its settings, runs the app, turns anything thrown into one line and an exit
// code.
#pragma once

#include "daemon/app/app.hpp"

namespace stackd::app {

// What main returns: 0 for a daemon that was asked to end, 2 for settings that make no sense, else 1.
int program(int argc, char** argv, const Prepare& prepare = nullptr);

}  // namespace stackd::app
