// Which files a request means, in which directory, and with which variables: as Compose decides it. Reads env
// files, looks for stack files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/stackfile/load.hpp"
#include "daemon/stackfile/sources/compose_tree.hpp"

namespace stackd::stackfile {

class Choice {
public:
  // Keeps references to both.
  Choice(const LoadRequest& request, Problems& problems);

  std::vector<std::filesystem::path> files;  // absolute; "-" stays
  FileVariables variables;                   // the caller's environment over the env files
  std::vector<std::string> warnings;
  const std::filesystem::path& directory() const { return directory_; }

private:
  std::filesystem::path directory_of(const std::vector<std::string>& names) const;
  void read_variables();
  void read_more_variables();
  void take(const std::vector<std::string>& names);
  void look();

  const LoadRequest& request_;
  Problems& problems_;
  std::filesystem::path directory_;
  bool own_env_file_ = false;
};

// stackd, lich, compose or moat; "" when the name says nothing.
std::string format_by_name(const std::filesystem::path& file);

std::vector<std::string> to_strings(const std::vector<std::filesystem::path>& paths);

}  // namespace stackd::stackfile
