// What Docker Compose knows and stackctl has no command or option for: what does it here. Pure.
#pragma once

#include <string>
#include <string_view>

namespace stackd::client {

// Compose's other name of a verb as the one it has here; any other word as it is.
std::string_view same_verb(std::string_view verb);

// "here `stackctl top` does that", "nothing here does that"; "" for a word that Compose does not know either.
std::string instead_of_verb(std::string_view verb);
std::string instead_of_option(std::string_view verb, std::string_view option);

// One says the reverse of the other: --build and --no-build.
bool are_opposites(std::string_view option, std::string_view other);

}  // namespace stackd::client
