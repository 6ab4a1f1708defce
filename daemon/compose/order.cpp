#include "daemon/compose/order.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/compose/keys.hpp"

namespace stackd::compose {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

enum class Form { json, yaml };

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {  // beyond ASCII nearly all are
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

// Two numbers that begin at `at`, or a little before it when only their ends differ: the smaller one first,
// then the shorter one.
bool counts_before(const std::string& one, const std::string& other, std::size_t at) {
  bool zeros_count = false;
  if (one[at] == '0' || other[at] == '0')
    for (std::size_t i = at; i-- > 0 && is_digit(one[i]);) zeros_count = zeros_count || one[i] != '0';
  const auto digits = [&](const std::string& text) {
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    return text.substr(at, end - at);
  };
  const auto worth = [&](const std::string& text) {
    const auto first = zeros_count ? 0 : std::min(text.find_first_not_of('0'), text.size());
    return text.substr(first);
  };
  const std::string mine = digits(one), its = digits(other), my_worth = worth(mine), its_worth = worth(its);
  if (my_worth.size() != its_worth.size()) return my_worth.size() < its_worth.size();
  if (my_worth != its_worth) return my_worth < its_worth;
  if (mine.size() != its.size()) return mine.size() < its.size();
  return static_cast<unsigned char>(one[at]) < static_cast<unsigned char>(other[at]);
}

// How the library sorts that writes Compose's YAML.
bool comes_before(const std::string& one, const std::string& other) {
  bool after_digit = false;
  for (std::size_t i = 0; i < one.size() && i < other.size(); ++i) {
    if (one[i] == other[i]) {
      after_digit = is_digit(one[i]);
      continue;
    }
    const bool mine = is_letter(one[i]), its = is_letter(other[i]);
    if (mine && its) return static_cast<unsigned char>(one[i]) < static_cast<unsigned char>(other[i]);
    if (mine || its) return after_digit ? mine : its;
    return counts_before(one, other, i);
  }
  return one.size() < other.size();
}

std::vector<std::string> names_of(const json& value, Form form) {
  std::vector<std::string> names;
  for (const auto& [name, one] : value.items()) names.push_back(name);
  if (form == Form::yaml) std::sort(names.begin(), names.end(), comes_before);
  return names;
}

// What no table knows: mappings of names all the way down.
ordered_json by_name(const json& value, Form form) {
  if (!value.is_structured()) return value;
  ordered_json out = value.is_array() ? ordered_json::array() : ordered_json::object();
  if (value.is_array())
    for (const json& one : value) out.push_back(by_name(one, form));
  else
    for (const auto& name : names_of(value, form)) out[name] = by_name(value[name], form);
  return out;
}

ordered_json ordered(const json& value, const Shape& shape, Form form);

// Go's encoder of YAML leaves out structs and lists that have nothing in them; its encoder of JSON cannot.
bool is_for_json_alone(const json& value, const Key& key) {
  return (key.as == As::command && value.is_null()) || (key.as == As::object_always && value.empty());
}

ordered_json ordered_limits(const json& limits, Form form) {
  ordered_json out = ordered_json::object();
  for (const auto& name : names_of(limits, form)) {
    const json& limit = limits[name];
    ordered_json& one = out[name] = limit.is_object() ? ordered_json::object() : ordered_json(limit);
    for (const char* side : {"soft", "hard"})
      if (limit.is_object() && limit.contains(side)) one[side] = limit[side];
  }
  return out;
}

ordered_json ordered_key(const json& value, const Key& key, Form form) {
  if (key.as == As::limits) return ordered_limits(value, form);
  if (!key.shape || !value.is_structured()) return by_name(value, form);
  if (key.as == As::object || key.as == As::object_always) return ordered(value, *key.shape, form);
  const auto item = [&](const json& one) {
    return one.is_object() ? ordered(one, *key.shape, form) : by_name(one, form);
  };
  ordered_json out = value.is_array() ? ordered_json::array() : ordered_json::object();
  if (value.is_array())
    for (const json& one : value) out.push_back(item(one));
  else
    for (const auto& name : names_of(value, form)) out[name] = item(value[name]);
  return out;
}

// A key that the table prints under another name in JSON has its own in YAML.
ordered_json ordered(const json& value, const Shape& shape, Form form) {
  ordered_json out = ordered_json::object();
  json rest = value;
  for (const Key& key : shape) {
    const std::string shown(key.printed.empty() ? key.name : key.printed);
    const auto found = value.find(shown);
    if (found == value.end()) continue;
    rest.erase(shown);
    if (form == Form::yaml && is_for_json_alone(*found, key)) continue;
    out[form == Form::yaml ? std::string(key.name) : shown] = ordered_key(*found, key, form);
  }
  for (const auto& name : names_of(rest, form)) out[name] = by_name(rest[name], form);
  return out;
}

struct Section {
  std::string_view name;
  const Shape& (*shape)();
};
// In the order of the YAML.
constexpr std::array k_printed_sections{
    Section{"services", service_shape}, Section{"networks", network_shape}, Section{"volumes", volume_shape},
    Section{"secrets", secret_shape},   Section{"configs", config_shape},   Section{"models", model_shape}};

ordered_json ordered_section(const json& value, const Section& section, Form form) {
  const Key key{section.name, As::named, &section.shape()};
  return ordered_key(value, key, form);
}

}  // namespace

ordered_json in_order(const json& model) {
  ordered_json out = ordered_json(model);  // sorted as `model` is
  for (const Section& section : k_printed_sections)
    if (const auto found = model.find(section.name); found != model.end())
      out[std::string(section.name)] = ordered_section(*found, section, Form::json);
  return out;
}

ordered_json in_yaml_order(const json& model) {
  ordered_json out = ordered_json::object();
  json rest = model;
  const auto take = [&](std::string_view name, ordered_json value) {
    out[std::string(name)] = std::move(value);
    rest.erase(std::string(name));
  };
  if (const auto name = model.find("name"); name != model.end()) take("name", *name);
  for (const Section& section : k_printed_sections)
    if (const auto found = model.find(section.name); found != model.end())
      take(section.name, ordered_section(*found, section, Form::yaml));
  for (const auto& name : names_of(rest, Form::yaml)) out[name] = by_name(rest[name], Form::yaml);
  return out;
}

ordered_json in_name_order(const json& value) {
  return by_name(value, Form::yaml);
}

}  // namespace stackd::compose
