// Builders: each command's options, bound to its struct. Private to cli/.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string_view>
#include <vector>

#include "client/context.hpp"

namespace stackd::client {

// What to run once the options are parsed.
using Run = std::function<int(Context&)>;

struct Command {
  std::string_view name, summary;
  Run (*build)(CLI::App&);
  bool takes_a_command = false;  // everything from the first other word on is a command line of its own
  void (*more_help)(Context&) = nullptr;  // what only the stack file knows, after the options
};

// In the order in which help shows them.
const std::vector<Command>& commands();

}  // namespace stackd::client
