// The command line: which commands there are, their options, their help. CLI11 stays in this folder.
#pragma once

#include <string>
#include <vector>

#include "client/cli/completion.hpp"

namespace stackd::client {

// Runs one command line (without the program's name) and returns the exit code. Throws ClientError.
int run_command_line(const std::vector<std::string>& arguments);

// Every command with its options, as completion needs them.
std::vector<CommandWords> all_commands();

}  // namespace stackd::client
