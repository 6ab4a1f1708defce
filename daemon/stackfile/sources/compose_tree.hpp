// Compose files as trees: several files, `include` and `extends` become one Value, interpolated, before
// anything is decoded. Reads files. Mistakes are Problems.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "daemon/compose/paths.hpp"
#include "daemon/stackfile/sources/interpolate.hpp"
#include "daemon/yaml/reader.hpp"
#include "daemon/yaml/yaml.hpp"

namespace stackd::stackfile {

using namespace compose;

// What interpolation in files of `directory` sees: the caller's environment over the directory's `.env`.
FileVariables compose_variables(const std::filesystem::path& directory, const FileVariables& environment,
                                Problems& problems);
// The same of these files, a later one over an earlier one. One that is not there is a Problem.
FileVariables env_file_variables(const std::vector<std::filesystem::path>& files,
                                 const FileVariables& environment, const std::filesystem::path& shown_from,
                                 Problems& problems);

// Keeps a reference to `variables`.
Lookup variable_lookup(const FileVariables& variables);

// The files of one load, as trees, nothing interpolated. Each is read and parsed once, however often it is
// asked for.
class Documents {
public:
  // `from`: the caller's directory, which places name files relative to.
  explicit Documents(std::filesystem::path from) : from_(std::move(from)) {}
  // Throws not_found or io for a file that cannot be read, invalid_file for bad YAML.
  const std::vector<Value>& all(const std::filesystem::path& file);
  // Of a file that is one document.
  const Value& read(const std::filesystem::path& file);
  // What the file called "-" holds: the caller's standard input.
  void hold_input(std::string text) { input_ = std::move(text); }
  // What an editor has of files, by absolute path: instead of what is on the disk.
  void hold_buffers(std::map<std::string, std::string> texts) { buffers_ = std::move(texts); }

private:
  std::filesystem::path from_;
  std::map<std::filesystem::path, std::vector<Value>> known_;
  std::string input_;
  std::map<std::string, std::string> buffers_;
};

struct TreeRequest {
  std::vector<std::filesystem::path> files;  // absolute, base first
  std::filesystem::path directory;           // relative paths in the files are relative to it; absolute
  std::filesystem::path shown_from;          // the caller's directory: places name files relative to it
  FileVariables variables;
  bool stackd = false;  // a stackd.yaml: its own keys are not interpolated
  Documents& documents;
  bool interpolate = true;
  bool absolute_paths = true;  // of files elsewhere; else relative to `directory`
};

// An empty file is an empty mapping.
Value load_compose_tree(const TreeRequest& request, Problems& problems, std::vector<std::string>& warnings);

// How messages name a file: relative to `from` when it lies below it.
std::string shown_path(const std::filesystem::path& file, const std::filesystem::path& from);

// ---- merge.cpp
// Compose's rules for a further file: maps merge, most lists append, command, entrypoint and healthcheck.test
// replace, environment and its like merge by key, ports, volumes, secrets and configs are unique, hook lists
// concatenate (C1.4); !reset removes and !override replaces.
void merge_files(Value& base, Value over, Problems& problems);
// The same for one service's mapping (`extends`).
void merge_services(Value& base, Value over, Problems& problems);
// Drops what is tagged !reset and the tags themselves, where there was nothing to merge with.
void drop_resets(Value& value);

}  // namespace stackd::stackfile
