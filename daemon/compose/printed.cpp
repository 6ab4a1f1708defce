#include "daemon/compose/printed.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "daemon/compose/short_forms.hpp"
#include "daemon/util/text.hpp"
#include "daemon/yaml/reader.hpp"
#include "daemon/yaml/typed.hpp"

namespace stackd::compose {

namespace {

using nlohmann::json;
using Printed = std::optional<json>;  // nothing: left out

constexpr std::int64_t k_second = 1'000'000'000;

std::optional<long long> whole_of(const json& value) {
  if (value.is_number_integer()) return value.get<long long>();
  if (value.is_number_float()) return static_cast<long long>(value.get<double>());
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  const char* first = text.c_str() + (text.starts_with('+') ? 1 : 0);
  long long out = 0;
  const char* end = text.c_str() + text.size();
  const auto read = std::from_chars(first, end, out);
  return read.ec == std::errc() && read.ptr == end ? std::optional(out) : std::nullopt;
}

bool flag_of(const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  const std::string text = text_of(value);
  return text.size() > 1 ? util::starts_with_icase("true", text) || util::starts_with_icase("yes", text) ||
                               util::starts_with_icase("on", text)
                         : text == "y" || text == "Y" || text == "1" || text == "t";
}

// Compose keeps these as 32 bits: 0.1 is printed as it is written.
json short_float(double value) {
  char buffer[64];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value));
  double out = 0;
  std::from_chars(buffer, written.ptr, out);
  if (out == std::floor(out) && std::abs(out) < 1e15) return static_cast<long long>(out);
  return out;
}

std::optional<double> number_of(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  double out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

std::optional<long long> bytes_of(const json& value) {
  if (value.is_string()) return yaml::parse_bytes(value.get<std::string>());
  if (value.is_number_float() && std::abs(value.get<double>()) < 1e15)
    return static_cast<long long>(value.get<double>());  // 1e3
  return value.is_number_integer() ? std::optional(value.get<long long>()) : std::nullopt;
}

json list_of(const json& value) {
  if (value.is_string()) return json::array({value});
  json out = json::array();
  if (value.is_array())
    for (const json& item : value) out.push_back(text_of(item));
  return out;
}

json pairs_of(const json& value, const json& nothing) {
  json out = json::object();
  if (value.is_array()) {
    for (const json& item : value) {
      const std::string text = text_of(item);
      const auto equals = text.find('=');
      out[text.substr(0, equals)] = equals == std::string::npos ? nothing : json(text.substr(equals + 1));
    }
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.items()) out[key] = item.is_null() ? nothing : json(text_of(item));
  }
  return out;
}

// `[::1]` is an address without its brackets.
std::string bare_address(const std::string& text) {
  return text.size() > 2 && text.front() == '[' && text.back() == ']' ? text.substr(1, text.size() - 2)
                                                                      : text;
}

json hosts_of(const json& value) {
  std::vector<std::string> out;
  if (value.is_object()) {
    for (const auto& [host, addresses] : value.items())
      for (const json& address : addresses.is_array() ? addresses : json::array({addresses}))
        out.push_back(host + "=" + bare_address(text_of(address)));
  } else if (value.is_array()) {
    for (const json& item : value) {
      const std::string text = text_of(item);
      const auto cut = text.find('=') != std::string::npos ? text.find('=') : text.find(':');
      if (cut == std::string::npos) continue;
      for (const std::string& address : util::split(text.substr(cut + 1), ','))
        out.push_back(text.substr(0, cut) + "=" + bare_address(address));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

json limits_of(const json& value) {
  json out = json::object();
  for (const auto& [name, limit] : value.items()) {
    json& one = out[name] = json::object();
    if (const auto single = whole_of(limit)) {
      if (*single != 0) one = *single;
      continue;
    }
    for (const char* side : {"soft", "hard"}) {
      const auto number = limit.is_object() && limit.contains(side) ? whole_of(limit[side]) : std::nullopt;
      if (number && *number != 0) one[side] = *number;
    }
  }
  return out;
}

std::string mode_of(const json& value) {
  const bool text = value.is_string();
  const long long mode = text ? std::strtoll(value.get_ref<const std::string&>().c_str(), nullptr, 8)
                              : whole_of(value).value_or(0);
  char buffer[32];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, mode, 8);
  return "0" + std::string(buffer, written.ptr);
}

json command_of(const json& value) {
  if (!value.is_string()) return value.is_array() ? list_of(value) : json();
  const auto words = shell_words(value.get<std::string>());
  return words ? json(*words) : json();
}

Printed unless_empty(json value) {
  return value.empty() ? std::nullopt : Printed(std::move(value));
}

template <class T>
Printed unless_zero(const std::optional<T>& value) {
  return value && *value != T{} ? Printed(*value) : std::nullopt;
}

Printed named_of(const json& value, const Shape& shape) {
  json out = json::object();
  for (const auto& [name, one] : value.items()) out[name] = one.is_null() ? json() : printed(one, shape);
  return unless_empty(std::move(out));
}

Printed objects_of(const json& value, const Shape& shape) {
  json out = json::array();
  for (const json& one : value)
    if (one.is_object()) out.push_back(printed(one, shape));
  return unless_empty(std::move(out));
}

Printed structured(const json& value, const Key& key) {
  switch (key.as) {
    case As::pairs:
      return unless_empty(pairs_of(value, ""));
    case As::variables:
      return unless_empty(pairs_of(value, nullptr));
    case As::hosts:
      return unless_empty(hosts_of(value));
    case As::words:
      return unless_empty(list_of(value));
    case As::test:
      return unless_empty(value.is_string() ? json::array({"CMD-SHELL", value}) : list_of(value));
    case As::object:
    case As::object_always:
      return value.is_object() ? Printed(printed(value, *key.shape)) : std::nullopt;
    case As::objects:
      return value.is_array() ? objects_of(value, *key.shape) : std::nullopt;
    case As::named:
      return value.is_object() ? named_of(value, *key.shape) : std::nullopt;
    case As::limits:
      return value.is_object() ? unless_empty(limits_of(value)) : std::nullopt;
    case As::keys: {
      json out = json::array();
      for (const auto& [name, path] : value.items())
        out.push_back(path.is_null() ? name : name + "=" + text_of(path));
      return unless_empty(std::move(out));
    }
    case As::options: {
      json out = json::object();
      for (const auto& [name, one] : value.items())
        out[name] = one.is_array() ? list_of(one) : json::array({text_of(one)});
      return unless_empty(std::move(out));
    }
    default:
      return std::nullopt;
  }
}

Printed scalar_of(const json& value, As as) {
  switch (as) {
    case As::text:
      return unless_zero(std::optional(text_of(value)));
    case As::required:
      return text_of(value);
    case As::flag:
      return unless_zero(std::optional(flag_of(value)));
    case As::flag_given:
    case As::true_or_false:
      return flag_of(value);
    case As::whole:
      return unless_zero(whole_of(value));
    case As::whole_given:
      return whole_of(value) ? Printed(*whole_of(value)) : std::nullopt;
    case As::real: {
      const auto number = number_of(value);
      return number && static_cast<float>(*number) != 0 ? Printed(short_float(*number)) : std::nullopt;
    }
    case As::size:
    case As::size_given: {
      const auto bytes = bytes_of(value);
      return bytes && (*bytes != 0 || as == As::size_given) ? Printed(std::to_string(*bytes)) : std::nullopt;
    }
    case As::span:
    case As::span_given: {
      const auto span = parse_span(text_of(value));
      if (!span || (*span == 0 && as == As::span)) return std::nullopt;
      return span_text(*span);
    }
    case As::mode:
      return mode_of(value);
    case As::device_count:
      return text_of(value) == "all" ? Printed(-1) : unless_zero(whole_of(value));
    default:
      return std::nullopt;
  }
}

Printed printed_key(const json& value, const Key& key) {
  if (key.as == As::command) return command_of(value);
  if (key.as == As::object_always && value.is_null()) return printed(json::object(), *key.shape);
  if (value.is_null()) return key.as == As::required ? Printed("") : std::nullopt;
  if (auto out = structured(value, key)) return out;
  return scalar_of(value, key.as);
}

}  // namespace

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return yaml::number_text(value.get<double>());
  return value.is_null() ? "" : value.dump();
}

json printed(const json& value, const Shape& shape) {
  json out = json::object();
  for (const Key& key : shape) {
    const auto found = value.find(key.name);
    if (auto one = printed_key(found == value.end() ? json() : *found, key))
      out[std::string(key.printed.empty() ? key.name : key.printed)] = std::move(*one);
  }
  return out;
}

std::string span_text(std::int64_t nanoseconds) {
  if (nanoseconds == 0) return "0s";
  const std::string sign = nanoseconds < 0 ? "-" : "";
  const std::uint64_t all = nanoseconds < 0 ? 0 - static_cast<std::uint64_t>(nanoseconds) : nanoseconds;
  const auto fraction = [](std::uint64_t value, std::uint64_t unit) {
    std::string text = std::to_string(value / unit);
    if (value % unit == 0) return text;
    std::string digits = std::to_string(unit + value % unit).substr(1);
    while (digits.ends_with('0')) digits.pop_back();
    return text + "." + digits;
  };
  if (all < 1000) return sign + std::to_string(all) + "ns";
  if (all < 1'000'000) return sign + fraction(all, 1000) + "µs";
  if (all < k_second) return sign + fraction(all, 1'000'000) + "ms";
  const std::uint64_t minute = 60ULL * k_second;
  std::string text = sign;
  if (all >= 60 * minute) text += std::to_string(all / (60 * minute)) + "h";
  if (all >= minute) text += std::to_string(all / minute % 60) + "m";
  return text + fraction(all % minute, k_second) + "s";
}

}  // namespace stackd::compose
