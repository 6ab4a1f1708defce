// LoadRequest: which files are meant, and by what they are read. Plain data.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace stackd::stackfile {

// What `config` leaves undone when it is asked to.
struct Undone {
  bool normalization = false, path_resolution = false, consistency = false;
};

struct LoadRequest {
  std::filesystem::path directory;  // the caller's; absolute
  // -f, "-" is `input`; none: COMPOSE_FILE, else look upwards from `directory` (design.md, "Stack files").
  std::vector<std::string> files;
  std::string input;                                // the caller's standard input
  std::map<std::string, std::string> buffers = {};  // absolute path: its text, instead of the disk's
  std::vector<std::string> env_files;               // --env-file; none: COMPOSE_ENV_FILES, else `.env`
  std::string project_directory;                    // --project-directory; empty: where the first file lies
  std::string project_name;                         // -p
  std::string profile;  // --profile, a comma between several; for compose without one COMPOSE_PROFILES
  std::vector<std::string> services;               // narrow to these and what they depend on; empty is all
  std::map<std::string, std::string> environment;  // the caller's
  // False: only to be shown. What keeps a stack from running, and what will have no effect then, is not said.
  bool to_run = true;
  Undone undone = {};
  // The name of a stack that no -p and no COMPOSE_PROJECT_NAME gave one, by the one that its file or
  // directory gives and its directory. Null keeps it.
  std::function<std::string(const std::string& name, const std::string& directory)> rename = nullptr;
};

}  // namespace stackd::stackfile
