// Texts that say variables: Lich's two grammars and flat JSON (L6.4, L6.4a). Compose's env_file has a grammar
// of its own (stackfile/sources/dotenv.cpp). Pure.
#pragma once

#include <map>
#include <string>

#include "daemon/model/spec.hpp"

namespace stackd::resolve {

using namespace model;

// env files and the output of env_from commands (L6.4, L6.4a). `name` is for messages. The strict one throws
// invalid_file with one detail a mistake, parse_env_output only for what is no flat JSON object, and both for
// what is not UTF-8. `lines` gets where each variable was set.
Environment parse_env_file(const std::string& text, const std::string& name,
                           std::map<std::string, int>* lines = nullptr);
Environment parse_env_output(const std::string& text, const std::string& format, const std::string& name);

}  // namespace stackd::resolve
