// Stack files in, one Spec out. Reads files, runs nothing. Blocks (file I/O): the daemon calls it on a
// worker.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/model/spec.hpp"

namespace stackd::stackfile {

using namespace model;

struct LoadRequest {
  std::filesystem::path directory;    // the caller's; absolute
  std::vector<std::string> files;     // -f; empty: look upwards from `directory` (design.md, "Stack files")
  std::string project_name;           // -p
  std::string profile;                // --profile; for compose a comma list of active profiles too
  std::vector<std::string> services;  // narrow to these and what they depend on; empty is all
  std::map<std::string, std::string> environment;  // the caller's
  // False: only to be shown. What keeps a stack from running, and what will have no effect then, is not said.
  bool to_run = true;
  // The name of a stack that no -p and no COMPOSE_PROJECT_NAME gave one, by the one that its file or
  // directory gives and its directory. Null keeps it.
  std::function<std::string(const std::string& name, const std::string& directory)> rename = nullptr;
};

// Throws Error(invalid_file) with one detail a mistake ("compose.yaml:3:5: unknown key 'imgae', did you mean
// 'image'?"), Error(not_found) when no file is found.
Spec load(const LoadRequest& request);

struct Sources {
  std::string directory, format;  // no format when neither name nor content tells
  std::vector<std::string> files;
};
// Which files load() reads, whatever is in them.
Sources find_sources(const LoadRequest& request);

// The first stack file from `directory` upwards with its overrides; empty when there is none.
std::vector<std::filesystem::path> find_files(const std::filesystem::path& directory);

}  // namespace stackd::stackfile
