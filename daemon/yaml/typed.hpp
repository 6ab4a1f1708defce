// What a scalar is: YAML 1.2 with the octal of 1.1, as the parser that Compose has reads it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/yaml/yaml.hpp"

namespace stackd::yaml {

struct Typed {
  enum class Type { null, boolean, whole, real, text };
  Type type = Type::text;
  // How it is written where a text is wanted: 0x1F is "31", 017 is "15", 3.10 is "3.1", 1e3 is "1000", True
  // is "true". What stands in quotes, and what YAML takes for words (yes, on, 1:30), stays as it is.
  std::string text;
  long long whole = 0;
  double real = 0;
  bool truth = false;
};
// Of a scalar, or of null.
Typed typed(const Value& value);

// A number as Compose prints one in a text: with an exponent below 0.0001 and from a million on.
std::string number_text(double value);

// A tree as JSON.
nlohmann::json json_of(const Value& value);

}  // namespace stackd::yaml
