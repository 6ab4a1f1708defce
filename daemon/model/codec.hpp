// Structs as JSON and back: each lists its fields once, for both directions. A field at its default is left
// out, an absent one gets its default, an unknown one is passed over: what an older or a newer daemon has
// stored can be read. Throws Error(internal) for what no daemon writes.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "daemon/model/phases.hpp"
#include "daemon/util/error.hpp"

namespace stackd::model {

using nlohmann::json;

template <class Struct, class Member>
struct Field {
  const char* name;
  Member Struct::*member;
};
template <class Struct, class Member>
constexpr Field<Struct, Member> field(const char* name, Member Struct::*member) {
  return {name, member};
}

// Nothing for types that are no structs of ours.
template <class T>
struct Fields {};

// STACKD_FIELDS(Place, field("file", &Place::file), …)
#define STACKD_FIELDS(Type, ...)                               \
  template <>                                                  \
  struct Fields<Type> {                                        \
    using T = Type;                                            \
    static constexpr auto list = std::make_tuple(__VA_ARGS__); \
  };
#define STACKD_F(name) ::stackd::model::field(#name, &T::name)

template <class T>
concept Described = requires {
  Fields<T>::list;
};

// The words of an enumeration, in its order: `static constexpr std::array list{"a", "b"}`.
template <class T>
struct Words {};
template <class T>
concept Worded = requires {
  Words<T>::list;
};
template <class T>
struct Codec;

template <class T>
json encode(const T& value) {
  return Codec<T>::encode(value);
}
template <class T>
void decode(const json& from, T& value) {
  Codec<T>::decode(from, value);
}

inline void must_be(bool right_kind) {
  if (!right_kind)
    throw util::Error(util::ErrorKind::internal, "cannot read what was stored: a value is of another kind");
}

// Strings, numbers and bools.
template <class T>
struct Codec {
  static json encode(const T& value) { return value; }
  static void decode(const json& from, T& value) { from.get_to(value); }
};

template <>
struct Codec<std::chrono::milliseconds> {
  static json encode(std::chrono::milliseconds value) { return value.count(); }
  static void decode(const json& from, std::chrono::milliseconds& value) {
    value = std::chrono::milliseconds(from.get<long long>());
  }
};

template <Worded T>
struct Codec<T> {
  static json encode(T value) { return Words<T>::list[static_cast<std::size_t>(value)]; }
  static void decode(const json& from, T& value) {
    const auto word = from.get<std::string>();
    for (std::size_t i = 0; i < Words<T>::list.size(); ++i) {
      if (word == Words<T>::list[i]) {
        value = static_cast<T>(i);
        return;
      }
    }
    throw util::Error(util::ErrorKind::internal, "cannot read what was stored: unknown word '" + word + "'");
  }
};

template <>
struct Codec<Phase> {
  static json encode(Phase value) { return to_string(value); }
  static void decode(const json& from, Phase& value) {
    const auto word = from.get<std::string>();
    const auto phase = phase_from(word);
    if (!phase)
      throw util::Error(util::ErrorKind::internal,
                        "cannot read what was stored: unknown phase '" + word + "'");
    value = *phase;
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static json encode(const std::optional<T>& value) { return value ? Codec<T>::encode(*value) : json(); }
  static void decode(const json& from, std::optional<T>& value) {
    value.reset();
    if (!from.is_null()) Codec<T>::decode(from, value.emplace());
  }
};

template <class T>
struct Codec<std::vector<T>> {
  static json encode(const std::vector<T>& value) {
    json out = json::array();
    for (const T& item : value) out.push_back(Codec<T>::encode(item));
    return out;
  }
  static void decode(const json& from, std::vector<T>& value) {
    value.clear();
    must_be(from.is_array());
    for (const json& item : from) Codec<T>::decode(item, value.emplace_back());
  }
};

template <class T>
struct Codec<std::set<T>> {
  static json encode(const std::set<T>& value) {
    json out = json::array();
    for (const T& item : value) out.push_back(Codec<T>::encode(item));
    return out;
  }
  static void decode(const json& from, std::set<T>& value) {
    value.clear();
    must_be(from.is_array());
    for (const json& item : from) {
      T one{};
      Codec<T>::decode(item, one);
      value.insert(std::move(one));
    }
  }
};

template <class T>
struct Codec<std::map<std::string, T>> {
  static json encode(const std::map<std::string, T>& value) {
    json out = json::object();
    for (const auto& [key, item] : value) out[key] = Codec<T>::encode(item);
    return out;
  }
  static void decode(const json& from, std::map<std::string, T>& value) {
    value.clear();
    must_be(from.is_object());
    for (const auto& [key, item] : from.items()) Codec<T>::decode(item, value[key]);
  }
};

// A field at its default is left out; an absent one gets its default.
template <Described T>
struct Codec<T> {
  static json encode(const T& value) {
    [[maybe_unused]] static const T standard{};
    json out = json::object();
    [[maybe_unused]] const auto put = [&](const auto& field) {
      json encoded = model::encode(value.*field.member);
      if (encoded != model::encode(standard.*field.member)) out[field.name] = std::move(encoded);
    };
    std::apply([&](const auto&... fields) { (put(fields), ...); }, Fields<T>::list);
    return out;
  }
  static void decode(const json& from, T& value) {
    value = T{};
    must_be(from.is_object());
    [[maybe_unused]] const auto take = [&](const auto& field) {
      const auto found = from.find(field.name);
      if (found != from.end()) model::decode(*found, value.*field.member);
    };
    std::apply([&](const auto&... fields) { (take(fields), ...); }, Fields<T>::list);
  }
};

// `from` is text that stackd itself stored: anything unexpected in it is a bug, or a damaged store.
template <class T>
T decoded(const json& from, const char* what) {
  try {
    T value;
    decode(from, value);
    return value;
  } catch (const json::exception& error) {
    throw util::Error(util::ErrorKind::internal,
                      std::string("cannot read the stored ") + what + ": " + error.what());
  }
}

}  // namespace stackd::model
