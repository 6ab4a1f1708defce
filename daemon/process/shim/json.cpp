#include "daemon/process/shim/json.hpp"

#include <stdio.h>
#include <stdlib.h>

namespace stackd::shim {
namespace {

// Length of the UTF-8 sequence at the beginning of `text`, 0 when it is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const auto b = byte(0);
  if (b < 0x80) return 1;
  if (b >= 0xC2 && b <= 0xDF) return follows(1) ? 2 : 0;
  if (b >= 0xE0 && b <= 0xEF) {
    const bool overlong = b == 0xE0 && byte(1) < 0xA0, surrogate = b == 0xED && byte(1) > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (b >= 0xF0 && b <= 0xF4) {
    const bool overlong = b == 0xF0 && byte(1) < 0x90, too_high = b == 0xF4 && byte(1) > 0x8F;
    return follows(1) && follows(2) && follows(3) && !overlong && !too_high ? 4 : 0;
  }
  return 0;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto length = sequence_length(text);
    const char c = text.front();
    if (length > 1) {
      out += text.substr(0, length);
    } else if (length == 1 && (c == '"' || c == '\\')) {
      out += '\\';
      out += c;
    } else if (length == 1 && c == '\n') {
      out += "\\n";
    } else if (length == 1 && static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      ::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      out += code;
    } else if (length == 1) {
      out += c;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

// Past the string that begins at `i`.
std::size_t skip_string(std::string_view text, std::size_t i) {
  for (++i; i < text.size() && text[i] != '"'; ++i)
    if (text[i] == '\\') ++i;
  return i + 1;
}

std::size_t skip_space(std::string_view text, std::size_t i) {
  while (i < text.size() && (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t')) ++i;
  return i;
}

// Past the value that begins at `i`.
std::size_t skip_value(std::string_view text, std::size_t i) {
  int depth = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (c == '"') {
      i = skip_string(text, i);
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return i;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++i;
  }
  return i;
}

std::optional<std::string_view> member(std::string_view text, std::string_view name) {
  auto i = skip_space(text, 0);
  if (i >= text.size() || text[i] != '{') return std::nullopt;
  for (i = skip_space(text, i + 1); i < text.size() && text[i] == '"'; i = skip_space(text, i + 1)) {
    const auto key = i;
    i = skip_string(text, i);
    const auto key_end = i;
    i = skip_space(text, i);
    if (i >= text.size() || text[i] != ':') return std::nullopt;
    const auto value = skip_space(text, i + 1);
    i = skip_value(text, value);
    if (key_end <= text.size() && text.substr(key + 1, key_end - key - 2) == name)
      return text.substr(value, i - value);
    if (i >= text.size() || text[i] != ',') return std::nullopt;
  }
  return std::nullopt;
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

}  // namespace

void JsonObject::add_name(std::string_view name) {
  if (text_.size() > 1) text_ += ',';
  append_quoted(text_, name);
  text_ += ':';
}

void JsonObject::add(std::string_view name, std::int64_t value) {
  add_name(name);
  text_ += std::to_string(value);
}

void JsonObject::add(std::string_view name, std::string_view value) {
  add_name(name);
  append_quoted(text_, value);
}

std::optional<std::string> text_member(std::string_view object, std::string_view name) {
  const auto raw = member(object, name);
  if (!raw || raw->size() < 2 || raw->front() != '"') return std::nullopt;
  const auto inside = raw->substr(1, raw->rfind('"') - 1);
  std::string text;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\\' || i + 1 >= inside.size()) {
      text += inside[i];
      continue;
    }
    switch (const char c = inside[++i]) {
      case 'n':
        text += '\n';
        break;
      case 't':
        text += '\t';
        break;
      case 'r':
        text += '\r';
        break;
      case 'b':
        text += '\b';
        break;
      case 'f':
        text += '\f';
        break;
      case 'u':
        append_utf8(text, static_cast<unsigned>(
                              ::strtoul(std::string(inside.substr(i + 1, 4)).c_str(), nullptr, 16)));
        i += 4;
        break;
      default:
        text += c;
    }
  }
  return text;
}

std::optional<std::int64_t> number_member(std::string_view object, std::string_view name) {
  const auto raw = member(object, name);
  if (!raw || raw->empty() || (raw->front() != '-' && (raw->front() < '0' || raw->front() > '9')))
    return std::nullopt;
  return ::strtoll(std::string(*raw).c_str(), nullptr, 10);
}

std::optional<bool> bool_member(std::string_view object, std::string_view name) {
  const auto raw = member(object, name);
  if (!raw) return std::nullopt;
  if (raw->substr(0, 4) == "true") return true;
  if (raw->substr(0, 5) == "false") return false;
  return std::nullopt;
}

}  // namespace stackd::shim
