// Builders that stand in files of their own beside commands.cpp, by file, and what they have in common.
// Private to cli/.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "client/cli/commands.hpp"

namespace stackd::client {

// Of an option that may be given several times, one value each: the next word is no value of it.
inline CLI::Option* each_time(CLI::Option* option) {
  return option->expected(1)->allow_extra_args(false)->take_all();
}

// run_command.cpp
Run build_run(CLI::App& app);
// container_commands.cpp
Run build_exec(CLI::App& app);
Run build_ps(CLI::App& app);
Run build_kill(CLI::App& app);
Run build_pause(CLI::App& app);
Run build_unpause(CLI::App& app);
Run build_port(CLI::App& app);
Run build_rm(CLI::App& app);
Run build_scale(CLI::App& app);
Run build_volumes(CLI::App& app);
// wishes.cpp
Run build_up(CLI::App& app);
Run build_diff(CLI::App& app);
Run build_down(CLI::App& app);
Run build_stop(CLI::App& app);
Run build_start(CLI::App& app);
Run build_restart(CLI::App& app);
// image_commands.cpp
Run build_build(CLI::App& app);
Run build_pull(CLI::App& app);
Run build_push(CLI::App& app);

}  // namespace stackd::client
