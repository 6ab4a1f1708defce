#include "client/output/yaml.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <regex>

namespace stackd::client {
namespace {

using Json = nlohmann::ordered_json;

// Words that YAML 1.1 or 1.2 reads as something else than text, as Go's library has them: Null, NULL and
// null, but no nULL.
constexpr std::array k_words{"true", "false", "null", "nan", "inf"};
constexpr std::array k_old_booleans{"yes", "no", "on", "off"};

template <std::size_t N>
bool is_word(const std::string& text, const std::array<const char*, N>& words) {
  return std::any_of(words.begin(), words.end(), [&](const std::string word) {
    std::string capital = word, upper = word;
    capital[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
    std::transform(word.begin(), word.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
    return text == word || text == capital || text == upper;
  });
}

// What without quotes would be a number, a time, a date, a truth or nothing.
bool is_other_than_text(const std::string& text) {
  static const std::regex number(
      R"([-+]?(0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+|[0-9][0-9_]*|(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?))");
  static const std::regex base_60(R"([-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)");
  static const std::regex date(
      R"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(([Tt]|[ ]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]+)?(Z|[-+][0-9:]+)?)?)");
  if (text.empty() || text == "~" || text == "<<") return true;
  const bool single = text.size() == 1 && std::string_view("yYnN").find(text[0]) != std::string_view::npos;
  if (single || is_word(text, k_old_booleans)) return true;
  const std::size_t sign = text[0] == '-' || text[0] == '+' ? 1 : 0;
  if (sign == 0 && is_word(text, k_words) && text.size() > 3) return true;
  if (text[sign == text.size() ? 0 : sign] == '.' &&
      (is_word(text.substr(sign + 1), k_words) || text.substr(sign + 1) == "NaN"))
    return true;
  if (!std::isdigit(static_cast<unsigned char>(text[0])) && sign == 0 && text[0] != '.') return false;
  return std::regex_match(text, number) || std::regex_match(text, base_60) || std::regex_match(text, date);
}

// How a text can be written, by its characters alone.
struct Looks {
  bool plain = true, single = true, block = true;
};

Looks looks_of(const std::string& text) {
  Looks looks;
  const auto is_blank_at = [&](std::size_t i) {
    return i >= text.size() || text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r';
  };
  bool after_break = false, after_space = false;
  if (text.empty() || text.starts_with("---") || text.starts_with("...")) looks.plain = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool is_break = c == '\n';
    const bool first = i == 0, last = i + 1 == text.size();
    if (first && std::string_view("#,[]{}&*!|>'\"%@`").find(text[0]) != std::string_view::npos)
      looks.plain = false;
    if (first && (c == '?' || c == '-') && is_blank_at(1)) looks.plain = false;
    if (c == ':' && is_blank_at(i + 1)) looks.plain = false;
    if (c == '#' && !first && is_blank_at(i - 1)) looks.plain = false;
    if (is_break) looks.plain = false;
    if ((c == ' ' || is_break) && (first || last)) looks.plain = false;
    if (c == ' ' && last) looks.block = false;
    if (c == ' ' && after_break) looks.plain = looks.single = false;
    if (is_break && after_space) looks.plain = looks.single = looks.block = false;
    if (c == '\t') looks.plain = looks.single = false;
    if ((c < 0x20 && !is_break && c != '\t') || c == 0x7f) looks.plain = looks.single = looks.block = false;
    after_space = c == ' ';
    after_break = is_break;
  }
  return looks;
}

std::string in_double_quotes(const std::string& text) {
  std::string out = "\"";
  for (const char one : text) {
    const auto c = static_cast<unsigned char>(one);
    constexpr std::string_view from("\0\a\b\t\n\v\f\r\x1b\"\\", 11), to("0abtnvfre\"\\", 11);
    if (const auto at = from.find(one); at != std::string_view::npos) {
      out += '\\';
      out += to[at];
    } else if (c < 0x20 || c == 0x7f) {
      std::array<char, 5> code{};
      std::snprintf(code.data(), code.size(), "\\x%02X", c);
      out += code.data();
    } else {
      out += one;
    }
  }
  return out + "\"";
}

std::string in_single_quotes(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

// A text of several lines, each as it is.
std::string block_text(const std::string& text, std::size_t depth) {
  std::string out = "|";
  if (text[0] == ' ' || text[0] == '\n') out += '2';
  const bool many = text.size() > 1 && text.ends_with("\n\n");
  if (!text.ends_with('\n'))
    out += '-';
  else if (many || text == "\n")
    out += '+';
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    out += '\n';
    if (end > begin) out += std::string(depth * 2, ' ') + text.substr(begin, end - begin);
    begin = end + 1;
  }
  return out;
}

std::string key_text(const std::string& text) {
  if (is_other_than_text(text)) return in_double_quotes(text);
  const auto looks = looks_of(text);
  if (text.find('\n') != std::string::npos) return in_double_quotes(text);
  return looks.plain ? text : looks.single ? in_single_quotes(text) : in_double_quotes(text);
}

// `depth`: of the lines of a block.
std::string scalar(const Json& value, std::size_t depth) {
  if (!value.is_string()) return value.dump();
  const auto text =
      Json::parse(value.dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
  if (text.find('\n') != std::string::npos && looks_of(text).block) return block_text(text, depth);
  return key_text(text);
}

void write(std::string& out, const Json& value, std::size_t depth);

// What follows "key:" or "-": on the same line, or deeper below.
void write_item(std::string& out, const Json& value, std::size_t depth, bool in_list) {
  if (!value.is_structured() || value.empty()) {
    out += " " + (value.is_object() ? "{}" : value.is_array() ? "[]" : scalar(value, depth + 1)) + "\n";
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
      out += indent + key_text(key) + ":";
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
