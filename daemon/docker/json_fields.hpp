// Reading the engine's JSON: Docker and Podman leave fields out, or null, where the other has them, so
// whatever is missing or of another type is its empty value. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/docker/engine.hpp"

namespace stackd::docker {

using nlohmann::json;

// The field, or null.
const json& field(const json& object, std::string_view key);
// The same through several objects: field(j, "State", "Health").
template <class... More>
const json& field(const json& object, std::string_view key, std::string_view next, More... more) {
  return field(field(object, key), next, more...);
}

std::string text(const json& object, std::string_view key);
std::int64_t number(const json& object, std::string_view key);
bool flag(const json& object, std::string_view key);
// A list of strings; a single string is a list of one.
std::vector<std::string> texts(const json& object, std::string_view key);
// A map of strings: labels.
Labels text_map(const json& object, std::string_view key);

}  // namespace stackd::docker
