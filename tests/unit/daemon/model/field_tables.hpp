// Tables of a struct's fields that are held to the list in model/fields.hpp: a field that is added there and
// in no table fails the test.
#pragma once

#include <set>
#include <string>

#include "daemon/model/fields.hpp"

namespace stackd::test {

using nlohmann::json;

// The names of a struct's fields, as they are stored.
template <class T>
std::set<std::string> fields_of() {
  std::set<std::string> names;
  std::apply([&](const auto&... field) { (names.insert(field.name), ...); }, model::Fields<T>::list);
  return names;
}

template <class T>
T from_json(const json& value) {
  T out;
  model::decode(value, out);
  return out;
}

// One field, given as it is stored.
template <class T>
void set_field(T& of, const std::string& field, const json& value) {
  auto all = model::encode(of);
  all[field] = value;
  model::decode(all, of);
}

}  // namespace stackd::test
