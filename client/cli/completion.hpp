// Completion scripts for bash, zsh and fish, from a plain description of the commands. Pure.
#pragma once

#include <string>
#include <vector>

namespace stackd::client {

struct OptionWords {
  std::vector<std::string> names;  // "-f", "--file"; empty for a positional argument
  std::string description;
  bool takes_value = false;
  std::vector<std::string> choices;  // of the value; empty: anything
  bool is_file = false, is_directory = false;
  std::string value = {};  // what help calls it: SERVICE
  std::string words = {};  // of the value: the kind that `stackctl completion words` knows; "" none
};

struct CommandWords {
  std::string name, description;
  std::vector<OptionWords> options;
};

// `shell`: bash, zsh or fish; "" for another.
std::string completion_script(const std::string& shell, const std::vector<CommandWords>& commands);

}  // namespace stackd::client
