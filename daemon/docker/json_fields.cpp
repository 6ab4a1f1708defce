#include "daemon/docker/json_fields.hpp"

namespace stackd::docker {

const json& field(const json& object, std::string_view key) {
  static const json k_null;
  if (!object.is_object()) return k_null;
  const auto found = object.find(key);
  return found == object.end() ? k_null : *found;
}

std::string text(const json& object, std::string_view key) {
  const auto& value = field(object, key);
  return value.is_string() ? value.get_ref<const std::string&>() : std::string();
}

std::int64_t number(const json& object, std::string_view key) {
  const auto& value = field(object, key);
  return value.is_number() ? value.get<std::int64_t>() : 0;
}

bool flag(const json& object, std::string_view key) {
  const auto& value = field(object, key);
  return value.is_boolean() && value.get<bool>();
}

std::vector<std::string> texts(const json& object, std::string_view key) {
  const auto& value = field(object, key);
  std::vector<std::string> result;
  if (value.is_string()) result.push_back(value.get_ref<const std::string&>());
  if (!value.is_array()) return result;
  result.reserve(value.size());
  for (const auto& item : value)
    if (item.is_string()) result.push_back(item.get_ref<const std::string&>());
  return result;
}

Labels text_map(const json& object, std::string_view key) {
  Labels result;
  const auto& value = field(object, key);
  if (!value.is_object()) return result;
  for (const auto& [name, item] : value.items())
    if (item.is_string()) result.emplace(name, item.get_ref<const std::string&>());
  return result;
}

}  // namespace stackd::docker
