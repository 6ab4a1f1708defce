// The keys env, env_files and env_from of one level (L6.4). Compose's env_file is dotenv.cpp's.
#include <algorithm>
#include <filesystem>

#include "daemon/resolve/env_text.hpp"
#include "daemon/stackfile/decode/decode.hpp"
#include "daemon/stackfile/decode/worktree.hpp"
#include "daemon/stackfile/sources/compose_tree.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::stackfile {

namespace {

namespace fs = std::filesystem;
using util::Error;
using util::ErrorKind;

bool there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
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
      const auto text = util::read_user_file_if_there(path);
      if (!text) return;
      const std::string shown = shown_path(path, context_.request.directory);
      std::map<std::string, int> lines;
      for (auto& [key, value] : resolve::parse_env_file(*text, shown, &lines)) {
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

EnvLayer decode_env_layer(Reader& reader, DecodeContext& context, bool main_worktree_fallback) {
  EnvLayer layer;
  LayerDecoder decoder(reader, context);
  layer.from = decoder.sources();
  decoder.read_files(main_worktree_fallback, layer.file_env);
  layer.env = reader.environment("env");
  return layer;
}

}  // namespace stackd::stackfile
