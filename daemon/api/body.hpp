// Request bodies, read strictly: an unknown field or a wrong type is `invalid_request` that names the field
// ("options.scale.web"). The names come from proto/fields.hpp.
#pragma once

#include <algorithm>
#include <concepts>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "proto/fields.hpp"

namespace stackd::api {

// An empty body is an empty object. Nesting is bounded.
nlohmann::json parse_body(const std::string& body);

[[noreturn]] void wrong_type(const std::string& where, const char* expected, const nlohmann::json& value);

inline void decode_field(const nlohmann::json& json, const std::string& where, std::string& value) {
  if (!json.is_string()) wrong_type(where, "a string", json);
  value = json.get<std::string>();
}

inline void decode_field(const nlohmann::json& json, const std::string& where, bool& value) {
  if (!json.is_boolean()) wrong_type(where, "true or false", json);
  value = json.get<bool>();
}

template <std::signed_integral T>
void decode_field(const nlohmann::json& json, const std::string& where, T& value) {
  if (!json.is_number_integer()) wrong_type(where, "a whole number", json);
  const bool too_large =
      json.is_number_unsigned() &&
      json.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  if (too_large || json.get<std::int64_t>() < 0 || json.get<std::int64_t>() > std::numeric_limits<T>::max())
    wrong_type(where, "a whole number from 0 that is not so large", json);
  value = json.get<T>();
}

// A wire struct: one with a table of its fields.
template <class T>
concept Wire = requires(T& object) {
  proto::Fields<T>::each(object, [](const char*, auto&, proto::Show) {});
};

template <Wire T>
void decode_field(const nlohmann::json& json, const std::string& where, T& object);

template <class T>
void decode_field(const nlohmann::json& json, const std::string& where, std::optional<T>& value) {
  decode_field(json, where, value.emplace());
}

template <class T>
void decode_field(const nlohmann::json& json, const std::string& where, std::vector<T>& values) {
  if (!json.is_array()) wrong_type(where, "a list", json);
  for (std::size_t i = 0; i < json.size(); ++i)
    decode_field(json[i], where + "[" + std::to_string(i) + "]", values.emplace_back());
}

template <class T>
void decode_field(const nlohmann::json& json, const std::string& where, std::map<std::string, T>& values) {
  if (!json.is_object()) wrong_type(where, "an object", json);
  for (const auto& [key, value] : json.items()) decode_field(value, where + "." + key, values[key]);
}

template <Wire T>
void decode_field(const nlohmann::json& json, const std::string& where, T& object) {
  if (!json.is_object()) wrong_type(where, "an object", json);
  std::vector<std::string> names;
  proto::Fields<T>::each(object, [&](const char* name, auto& member, proto::Show) {
    names.emplace_back(name);
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) return;  // null: left out
    decode_field(*found, where.empty() ? name : where + "." + name, member);
  });
  for (const auto& [key, value] : json.items()) {
    if (std::find(names.begin(), names.end(), key) != names.end()) continue;
    const auto near = util::nearest(key, names);
    throw util::Error(
        util::ErrorKind::invalid_request,
        "unknown field '" + (where.empty() ? key : where + "." + key) + "'" +
            (near ? "; did you mean '" + *near + "'?" : ": there are " + util::join(names, ", ")));
  }
}

// The whole body as a T.
template <class T>
T read_body(const std::string& body) {
  T object;
  decode_field(parse_body(body), "", object);
  return object;
}

// A body that names a stack file: `directory` must be there, and absolute.
proto::UpRequest read_up_request(const std::string& body);
void check_up_request(const proto::UpRequest& body);
void check_down_request(const proto::DownRequest& body);

}  // namespace stackd::api
