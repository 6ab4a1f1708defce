#include "daemon/yaml/typed.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

namespace stackd::yaml {

namespace {

// In base 16, 8 or 2 by its prefix; a leading 0 alone is octal.
std::optional<long long> whole_number(std::string_view text) {
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char letter = static_cast<char>(std::tolower(static_cast<unsigned char>(text[1])));
    base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
    text.remove_prefix(letter == 'x' || letter == 'b' || letter == 'o' ? 2 : 1);
  }
  if (text.empty() || text[0] == '-' || text[0] == '+') return std::nullopt;
  unsigned long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || value > 1ULL << 63) return std::nullopt;
  if (value == 1ULL << 63 && !negative) return std::nullopt;
  return static_cast<long long>(negative ? 0 - value : value);
}

// 1, 1.5, .5, 1., 1e3 with a sign.
bool is_real(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at > from;
  };
  const auto sign = [&] {
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  };
  sign();
  const bool before = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits() && !before) return false;
  } else if (!before) {
    return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    sign();
    if (!digits()) return false;
  }
  return at == text.size();
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

}  // namespace

std::string number_text(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  char buffer[400];
  const auto scientific = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string text(buffer, scientific.ptr);
  const int exponent = std::atoi(text.c_str() + text.find('e') + 1);
  if (value != 0 && (exponent < -4 || exponent >= 6)) return text;
  const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  return {buffer, fixed.ptr};
}

Typed typed(const Value& value) {
  Typed out{Typed::Type::text, value.text};
  if (value.is_null()) {
    out.type = Typed::Type::null;
    return out;
  }
  if (!value.plain || value.text.empty()) return out;
  const std::string& text = value.text;
  if (is_one_of(text, {"true", "True", "TRUE", "false", "False", "FALSE"})) {
    out.type = Typed::Type::boolean;
    out.truth = text[0] == 't' || text[0] == 'T';
    out.text = out.truth ? "true" : "false";
    return out;
  }
  if (std::string_view("+-.0123456789").find(text[0]) == std::string_view::npos) return out;
  std::string digits = text;
  std::erase(digits, '_');
  if (text[0] != '.') {
    if (const auto whole = whole_number(digits)) {
      out.type = Typed::Type::whole;
      out.whole = *whole;
      out.text = std::to_string(*whole);
      return out;
    }
  }
  const bool infinite = is_one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"});
  const bool below = is_one_of(text, {"-.inf", "-.Inf", "-.INF"});
  const bool no_number = is_one_of(text, {".nan", ".NaN", ".NAN"});
  if (!infinite && !below && !no_number && !is_real(digits)) return out;
  if (digits.find_first_not_of("0123456789") == std::string::npos && digits[0] != '0' &&
      digits.size() <= 20) {
    unsigned long long large = 0;  // too large for a number with a sign, and a whole one still
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), large);
    if (read.ec == std::errc()) {
      out.text = digits;
      out.type = Typed::Type::real;
      out.real = static_cast<double>(large);
      return out;
    }
  }
  out.real = infinite    ? HUGE_VAL
             : below     ? -HUGE_VAL
             : no_number ? std::nan("")
                         : std::strtod(digits.c_str(), nullptr);
  if (!std::isfinite(out.real) && !infinite && !below && !no_number) return out;  // too large for a number
  out.type = Typed::Type::real;
  out.text = number_text(out.real);
  return out;
}

nlohmann::json json_of(const Value& value) {
  using nlohmann::json;
  if (value.is_sequence()) {
    json out = json::array();
    for (const Value& item : value.items) out.push_back(json_of(item));
    return out;
  }
  if (value.is_mapping()) {
    json out = json::object();
    for (const Entry& entry : value.entries) out[entry.key] = json_of(entry.value);
    return out;
  }
  const Typed scalar = typed(value);
  switch (scalar.type) {
    case Typed::Type::null:
      return {};
    case Typed::Type::boolean:
      return scalar.truth;
    case Typed::Type::whole:
      return scalar.whole;
    case Typed::Type::real:
      return std::isfinite(scalar.real) ? json(scalar.real) : json(scalar.text);
    case Typed::Type::text:
      break;
  }
  return scalar.text;
}

}  // namespace stackd::yaml
