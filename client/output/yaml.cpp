#include "client/output/yaml.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace stackd::client {
namespace {

using Json = nlohmann::ordered_json;

// Words that YAML 1.1 or 1.2 reads as something else than text.
constexpr std::array k_words{"true", "false", "yes",  "no", "on",   "off",
                             "y",    "n",     "null", "~",  ".nan", ".inf"};

bool is_word(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(k_words.begin(), k_words.end(), text) != k_words.end();
}

// Whether it means the same without quotes. What could be a number, a time or a date keeps its quotes.
bool is_plain(const std::string& text) {
  if (text.empty() || is_word(text)) return false;
  const auto first = static_cast<unsigned char>(text.front());
  if (!std::isalpha(first) && first != '/' && first != '_') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c > 0x7e) return false;
    if (c == ':' && (i + 1 == text.size() || text[i + 1] == ' ')) return false;
    if (c == '#' && text[i - 1] == ' ') return false;
  }
  return text.back() != ' ';
}

std::string scalar(const Json& value) {
  if (!value.is_string()) return value.dump();
  const auto text = value.get<std::string>();
  // JSON's quoting is YAML's.
  return is_plain(text) ? text : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void write(std::string& out, const Json& value, std::size_t depth);

// What follows "key:" or "-": on the same line, or deeper below.
void write_item(std::string& out, const Json& value, std::size_t depth, bool in_list) {
  if (!value.is_structured() || value.empty()) {
    out += " " + (value.is_object() ? "{}" : value.is_array() ? "[]" : scalar(value)) + "\n";
    return;
  }
  if (in_list && value.is_object()) {  // its first key stands beside the dash
    std::string block;
    write(block, value, depth + 1);
    out += " " + block.substr((depth + 1) * 2);
    return;
  }
  out += "\n";
  write(out, value, depth + 1);
}

void write(std::string& out, const Json& value, std::size_t depth) {
  const std::string indent(depth * 2, ' ');
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      out += indent + scalar(Json(key)) + ":";
      write_item(out, item, depth, false);
    }
  } else {
    for (const auto& item : value) {
      out += indent + "-";
      write_item(out, item, depth, true);
    }
  }
}

}  // namespace

std::string yaml_text(const Json& document) {
  std::string out;
  if (!document.is_structured() || document.empty()) {
    write_item(out, document, 0, false);
    return out.substr(1);
  }
  write(out, document, 0);
  return out;
}

}  // namespace stackd::client
