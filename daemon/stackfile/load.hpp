// Stack files in, one Spec out. Reads files, runs nothing. Blocks (file I/O): the daemon calls it on a
// worker.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/model/spec.hpp"
#include "daemon/stackfile/decode/load_request.hpp"

namespace stackd::stackfile {

using namespace model;

// Throws Error(invalid_file) with one detail a mistake ("compose.yaml:3:5: unknown key 'imgae', did you mean
// 'image'?"), Error(not_found) when no file is found.
// `seen`: where to put the variables that interpolation saw.
Spec load(const LoadRequest& request, std::map<std::string, std::string>* seen = nullptr);

struct Variable {
  std::string name;
  bool required = false;                       // ${NAME:?…}
  std::string default_value, alternate_value;  // ${NAME:-…}, ${NAME:+…}
};
// Compose files before interpolation: merged, in their long forms, with every service.
struct AsWritten {
  std::string name, directory, format;
  std::vector<std::string> files, warnings;
  std::string model;                // JSON
  std::vector<Variable> variables;  // that the files name, by name
};
// Throws as load() does. A lich.yaml and a moat.yaml are what they are.
AsWritten load_as_written(const LoadRequest& request);

struct Sources {
  std::string directory, format;  // no format when neither name nor content tells
  std::string name;               // of the project; empty when it cannot be told
  std::vector<std::string> files;
};
// Which files load() reads, whatever is in them.
Sources find_sources(const LoadRequest& request);

// The first stack file from `directory` upwards with its overrides; empty when there is none.
std::vector<std::filesystem::path> find_files(const std::filesystem::path& directory);

}  // namespace stackd::stackfile
