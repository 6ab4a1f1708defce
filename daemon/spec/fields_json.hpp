// encode() and decode() for everything that Fields lists, and what those are made of. Private to json.cpp and
// facts.cpp.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "daemon/spec/fields.hpp"
#include "daemon/util/error.hpp"

namespace stackd::spec {

using nlohmann::json;

template <class T>
concept Described = requires {
  Fields<T>::list;
};

// The words of an enumeration, in its order.
template <class T>
struct Words {};
template <>
struct Words<OnFailure> {
  static constexpr std::array list{"standard", "fail", "warn", "ignore"};
};
template <>
struct Words<RunPolicy> {
  static constexpr std::array list{"standard", "always", "once", "changed"};
};
template <>
struct Words<Condition> {
  static constexpr std::array list{"started", "healthy", "completed_successfully", "ready"};
};
template <>
struct Words<ServiceKind> {
  static constexpr std::array list{"container", "process", "oneshot"};
};
template <>
struct Words<Phase> {
  static constexpr std::array list{"post_build_root", "post_build",  "before_up",  "before_start",
                                   "pre_start",       "pre_run",     "post_start", "after_ready",
                                   "after_up",        "before_down", "pre_stop",   "after_down"};
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
    throw util::Error(util::ErrorKind::internal, "cannot read a stored spec: a value is of another kind");
}

// Strings, numbers and bools.
template <class T>
struct Codec {
  static json encode(const T& value) { return value; }
  static void decode(const json& from, T& value) { from.get_to(value); }
};

template <>
struct Codec<Milliseconds> {
  static json encode(Milliseconds value) { return value.count(); }
  static void decode(const json& from, Milliseconds& value) { value = Milliseconds(from.get<long long>()); }
};

template <class T>
requires std::is_enum_v<T>
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
    throw util::Error(util::ErrorKind::internal, "cannot read a stored spec: unknown word '" + word + "'");
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
    static const T standard{};
    json out = json::object();
    const auto put = [&](const auto& field) {
      json encoded = spec::encode(value.*field.member);
      if (encoded != spec::encode(standard.*field.member)) out[field.name] = std::move(encoded);
    };
    std::apply([&](const auto&... fields) { (put(fields), ...); }, Fields<T>::list);
    return out;
  }
  static void decode(const json& from, T& value) {
    value = T{};
    must_be(from.is_object());
    const auto take = [&](const auto& field) {
      const auto found = from.find(field.name);
      if (found != from.end()) spec::decode(*found, value.*field.member);
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

}  // namespace stackd::spec
