#include "daemon/resolve/env_text.hpp"

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::resolve {

namespace {

using util::Error;
using util::ErrorKind;

std::string_view trim_left(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}
std::string_view trim_right(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Lines without their ends, "\r\n" too.
std::vector<std::string> lines_of(const std::string& text) {
  auto lines = util::split(text, '\n');
  for (std::string& line : lines) {
    if (line.ends_with('\r')) line.pop_back();
  }
  return lines;
}

// What is stored and told is JSON, and has no other texts. The mistake in a line that is none.
std::string not_utf8(std::string_view line) {
  if (util::valid_utf8(line) == line) return "";
  const auto name = util::valid_utf8(util::trim(line.substr(0, line.find('='))).substr(0, 60));
  return "the value of " + name + " is not UTF-8 text";
}

std::string_view without_export(std::string_view line) {
  constexpr std::string_view k_export = "export ";
  return line.starts_with(k_export) ? trim_left(line.substr(k_export.size())) : line;
}

// The closing quote of a text that begins with one; npos when there is none. Backslashes count in "…" only.
std::size_t closing_quote(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\' && text[0] == '"') {
      ++i;
    } else if (text[i] == text[0]) {
      return i;
    }
  }
  return std::string_view::npos;
}

// What stands between double quotes. `lenient`: every escaped character stands for itself, else unknown
// escapes stay.
std::string unescape(std::string_view text, bool lenient) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    switch (next) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case '\\':
      case '"':
        out += next;
        break;
      default:
        if (!lenient) out += '\\';
        out += next;
    }
  }
  return out;
}

// One line of an env file (L6.4), and the variable that it sets; `what` is "<file>:<line>: ".
std::string parse_strict_line(std::string_view line, const std::string& what, Environment& into) {
  line = trim_left(line);
  if (line.empty() || line.front() == '#') return "";
  line = without_export(line);
  const std::size_t equals = line.find('=');
  const auto fail = [&](const std::string& why) { throw Error(ErrorKind::invalid_file, what + why); };
  if (const auto mistake = not_utf8(line); !mistake.empty()) fail(mistake);
  if (equals == std::string_view::npos)
    fail("expected NAME=value, found '" + std::string(line.substr(0, 60)) + "'");
  const std::string key(trim_right(line.substr(0, equals)));
  if (key.empty()) fail("a name is missing before '='");
  if (key.find_first_of(" \t") != std::string::npos)
    fail("'" + key + "' is not a variable's name: it has a blank in it");

  const std::string_view value = trim_left(line.substr(equals + 1));
  if (value.empty() || (value.front() != '"' && value.front() != '\'')) {
    into[key] = std::string(trim_right(value));
    return key;
  }
  const std::size_t end = closing_quote(value);
  if (end == std::string_view::npos) fail("the quoted value of " + key + " is not closed on this line");
  if (!trim_right(value.substr(end + 1)).empty()) fail("there is text after the closing quote of " + key);
  const std::string_view inner = value.substr(1, end - 1);
  into[key] = value.front() == '"' ? unescape(inner, false) : std::string(inner);
  return key;
}

Environment parse_lenient(const std::string& text, const std::string& name) {
  Environment out;
  for (const std::string& raw : lines_of(text)) {
    std::string_view line = util::trim(raw);
    if (line.empty() || line.front() == '#') continue;
    line = without_export(line);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string key(util::trim(line.substr(0, equals)));
    if (key.empty()) continue;
    if (const auto mistake = not_utf8(line); !mistake.empty())
      throw Error(ErrorKind::invalid_file, "cannot read " + name + ": " + mistake);
    std::string_view value = trim_left(line.substr(equals + 1));
    if (!value.empty() && (value.front() == '"' || value.front() == '\'')) {
      const std::size_t end = closing_quote(value);
      const auto inner = value.substr(1, end == std::string_view::npos ? end : end - 1);
      out[key] = value.front() == '"' ? unescape(inner, true) : std::string(inner);
    } else {
      out[key] = std::string(trim_right(value.substr(0, value.find(" #"))));
    }
  }
  return out;
}

Environment parse_json(const std::string& text, const std::string& name) {
  const auto fail = [&](const std::string& why) {
    throw Error(ErrorKind::invalid_file, "cannot read " + name + ": " + why);
  };
  const auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object()) fail("expected one flat JSON object");
  Environment out;
  for (const auto& [key, value] : document.items()) {
    if (value.is_string()) {
      out[key] = value.get<std::string>();
    } else if (value.is_number() || value.is_boolean()) {
      out[key] = value.dump();
    } else {
      fail("'" + key + "' is neither a string nor a number nor a boolean");
    }
  }
  return out;
}

}  // namespace

Environment parse_env_file(const std::string& text, const std::string& name,
                           std::map<std::string, int>* lines_of_keys) {
  Environment out;
  std::vector<std::string> mistakes;
  const auto lines = lines_of(text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    try {
      const int line = static_cast<int>(i + 1);
      const std::string key = parse_strict_line(lines[i], name + ":" + std::to_string(line) + ": ", out);
      if (lines_of_keys && !key.empty()) (*lines_of_keys)[key] = line;
    } catch (const Error& error) {
      mistakes.push_back(error.what());
    }
  }
  if (!mistakes.empty()) throw Error(ErrorKind::invalid_file, mistakes.front(), mistakes);
  return out;
}

Environment parse_env_output(const std::string& text, const std::string& format, const std::string& name) {
  return format == "json" ? parse_json(text, name) : parse_lenient(text, name);
}

}  // namespace stackd::resolve
