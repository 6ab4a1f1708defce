// Base64, as config.json and the engine's headers have it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stackd::dotdocker {

enum class Alphabet { standard, url };  // url: "-" and "_" in the place of "+" and "/"

std::string to_base64(std::string_view bytes, Alphabet alphabet = Alphabet::standard);
// Of either alphabet, with its padding or without; nothing for what is none.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace stackd::dotdocker
