// What help, man pages and the overview say of commands beyond their options: where each belongs, and an
// example of it. Pure.
#pragma once

#include <string>
#include <vector>

#include "client/cli/completion.hpp"

namespace stackd::client {

enum class HelpGroup { day, look, files, daemon };
const char* title_of(HelpGroup group);

// Throws std::out_of_range for no command.
HelpGroup group_of(const std::string& command);
// Command lines, one each, with what each does behind a #.
std::vector<std::string> examples_of(const std::string& command);

// "stackctl(1)": all commands by their groups; "stackctl-up(1)": one of them. As man takes them.
std::string man_overview(const std::vector<CommandWords>& commands);
std::string man_page(const CommandWords& command);

}  // namespace stackd::client
