// What the two writers of a stack's model (compose_model.cpp, stack_model.cpp) share.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "daemon/model/spec.hpp"

namespace stackd::stackfile {

using namespace model;

// Left out when it says nothing: empty, zero, false.
template <class T>
void put(nlohmann::json& out, const char* key, const T& value) {
  if (value != T{}) out[key] = value;
}
template <class T>
void put(nlohmann::json& out, const char* key, const std::optional<T>& value) {
  if (value) out[key] = *value;
}

// A name without a value is null.
inline nlohmann::json variables(const Environment& environment) {
  auto out = nlohmann::json::object();
  for (const auto& [name, value] : environment) out[name] = value ? nlohmann::json(*value) : nlohmann::json();
  return out;
}

}  // namespace stackd::stackfile
