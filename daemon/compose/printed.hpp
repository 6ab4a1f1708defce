// Values as Compose's canonical model prints them. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "daemon/compose/keys.hpp"
#include "daemon/yaml/reader.hpp"

namespace stackd::compose {

// A mapping in its long forms, by its shape. What cannot be read is left out: the decoders say so.
nlohmann::json printed(const nlohmann::json& value, const Shape& shape);

// A scalar as a text: 8080 is "8080", true is "true".
std::string text_of(const nlohmann::json& value);

using yaml::parse_span;
// Go's form: "1m30s", "1h0m0s", "500ms".
std::string span_text(std::int64_t nanoseconds);

}  // namespace stackd::compose
