// Variables out of files and out of commands' output: Lich's two grammars and flat JSON (L6.4, L6.4a).
// Compose's env_file has a grammar of its own (dotenv.cpp).
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "daemon/spec/compose_tree.hpp"
#include "daemon/spec/decode.hpp"
#include "daemon/spec/environment.hpp"
#include "daemon/spec/worktree.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"

namespace stackd::spec {

namespace {

namespace fs = std::filesystem;
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

bool there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Lines without their ends, "\r\n" too.
std::vector<std::string> lines_of(const std::string& text) {
  auto lines = util::split(text, '\n');
  for (std::string& line : lines) {
    if (line.ends_with('\r')) line.pop_back();
  }
  return lines;
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

Environment parse_lenient(const std::string& text) {
  Environment out;
  for (const std::string& raw : lines_of(text)) {
    std::string_view line = util::trim(raw);
    if (line.empty() || line.front() == '#') continue;
    line = without_export(line);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string key(util::trim(line.substr(0, equals)));
    if (key.empty()) continue;
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

// ---- the keys env, env_files and env_from of one level

class LayerDecoder {
public:
  LayerDecoder(Reader& reader, DecodeContext& context) : reader_(reader), context_(context) {}

  // L6.4: a file that is not there is skipped; a relative one is looked for in the main worktree then.
  void read_files(bool main_worktree_fallback, Environment& into) {
    const Value* files = reader_.get("env_files");
    if (!files) return;
    const std::string main = main_worktree_fallback ? main_worktree(context_.directory) : "";
    std::vector<Value> items = files->is_sequence() ? files->items : std::vector{*files};
    for (const Value& item : items) {
      const auto name = scalar(item, reader_.what() + ", 'env_files'", context_.problems);
      if (name) read_file(*name, main, item.place, into);
    }
  }

  std::vector<EnvSource> sources() {
    std::vector<EnvSource> out;
    const Value* list = reader_.get("env_from");
    if (!list) return out;
    if (!list->is_sequence()) {
      reader_.problem(list->place, what() + ": expected a list of commands and variables' names");
      return out;
    }
    for (const Value& item : list->items) out.push_back(source(item));
    return out;
  }

private:
  std::string what() const { return reader_.what() + ", 'env_from'"; }

  void read_file(const std::string& name, const std::string& main, const Place& place, Environment& into) {
    const auto& environment = context_.request.environment;
    std::string path = absolute_path(name, context_.directory, environment);
    if (!main.empty() && !name.starts_with('/') && !name.starts_with('~') && !there(path)) {
      path = absolute_path(name, main, environment);
    }
    try {
      const auto text = util::read_file_if_there(path);
      if (!text) return;
      const std::string shown = shown_path(path, context_.request.directory);
      std::map<std::string, int> lines;
      for (auto& [key, value] : parse_env_file(*text, shown, &lines)) {
        if (value && value->find("${") != std::string::npos)
          context_.in_env_files.emplace(*value, Place{shown, lines[key], 1});
        into.insert_or_assign(key, std::move(value));
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::invalid_file) {
        context_.problems.add(place, reader_.what() + ", 'env_files': " + error.what());
        return;
      }
      for (const std::string& line : error.details()) context_.problems.add({}, line);
    }
  }

  // X15: a bare string is a variable of the caller's to pass through.
  EnvSource source(const Value& item) {
    EnvSource source;
    source.place = item.place;
    source.cwd = context_.directory;
    if (!item.is_mapping()) {
      source.variable = scalar(item, what(), context_.problems).value_or("");
      const bool is_name =
          !source.variable.empty() && source.variable.find_first_of(" \t=$|/") == std::string::npos;
      if (item.is_scalar() && !is_name) {
        reader_.problem(item.place, what() + ": '" + source.variable +
                                        "' is not a variable's name; a command is written as {cmd: …}");
      }
      return source;
    }
    Reader fields(item, what(), context_.problems);
    source.cmd = fields.string("cmd");
    source.format = fields.string("format", "dotenv");
    if (const auto cwd = fields.maybe_string("cwd"))
      source.cwd = absolute_path(*cwd, context_.directory, context_.request.environment);
    fields.finish();
    if (util::trim(source.cmd).empty())
      fields.problem(item.place, what() + ": a command is missing, expected 'cmd'");
    if (source.format != "dotenv" && source.format != "json") {
      fields.problem(fields.get("format")->place,
                     what() + ", 'format': expected dotenv or json, found '" + source.format + "'");
    }
    return source;
  }

  Reader& reader_;
  DecodeContext& context_;
};

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
  return format == "json" ? parse_json(text, name) : parse_lenient(text);
}

EnvLayer decode_env_layer(Reader& reader, DecodeContext& context, bool main_worktree_fallback) {
  EnvLayer layer;
  LayerDecoder decoder(reader, context);
  layer.from = decoder.sources();
  decoder.read_files(main_worktree_fallback, layer.file_env);
  layer.env = reader.environment("env");
  return layer;
}

}  // namespace stackd::spec
