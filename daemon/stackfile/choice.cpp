#include "daemon/stackfile/choice.hpp"

#include <algorithm>
#include <array>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace fs = std::filesystem;

namespace {

using util::Error;
using util::ErrorKind;

constexpr std::array k_names{"stackd.yaml",         "lich.yaml",          "compose.yaml", "compose.yml",
                             "docker-compose.yaml", "docker-compose.yml", "moat.yaml"};
constexpr std::array k_compose_overrides{"compose.override.yml", "compose.override.yaml",
                                         "docker-compose.override.yml", "docker-compose.override.yaml"};
constexpr std::array k_stackd_overrides{"stackd.override.yaml"};

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

[[noreturn]] void no_files(const fs::path& directory) {
  throw Error(ErrorKind::not_found, "cannot find a stack file in " + directory.string() +
                                        " or above it: looked for " +
                                        util::join({k_names.begin(), k_names.end()}, ", ") +
                                        "; `stackctl init` writes one, -f names another");
}

std::string value_of(const FileVariables& variables, const char* name) {
  const auto found = variables.find(name);
  return found == variables.end() ? "" : found->second;
}

bool is_true(const std::string& word) {
  return word == "1" || util::starts_with_icase(word, "t") || util::starts_with_icase(word, "y");
}

}  // namespace

std::string format_by_name(const fs::path& file) {
  const std::string name = file.filename().string();
  const auto is = [&](std::string_view stem) {
    return name.starts_with(std::string(stem) + ".") && (name.ends_with(".yaml") || name.ends_with(".yml"));
  };
  if (is("stackd")) return "stackd";
  if (is("lich")) return "lich";
  if (is("compose") || is("docker-compose")) return "compose";
  if (is("moat")) return "moat";
  return "";
}

std::vector<std::string> to_strings(const std::vector<fs::path>& paths) {
  return {paths.begin(), paths.end()};
}

Choice::Choice(const LoadRequest& request, Problems& problems) : request_(request), problems_(problems) {
  directory_ =
      !request.project_directory.empty()
          ? fs::path(absolute_path(request.project_directory, request.directory, request.environment))
          : directory_of(request.files);
  read_variables();
  if (!request.files.empty()) {
    take(request.files);
  } else {
    look();
  }
  if (request.project_directory.empty() && directory_ != directory_of(to_strings(files))) {
    directory_ = directory_of(to_strings(files));
    read_more_variables();
  }
}

// Of the first file that lies somewhere.
fs::path Choice::directory_of(const std::vector<std::string>& names) const {
  for (const std::string& name : names)
    if (name != "-")
      return fs::path(absolute_path(name, request_.directory, request_.environment)).parent_path();
  return request_.directory;
}

void Choice::read_variables() {
  auto names = request_.env_files;
  const std::string given = value_of(request_.environment, "COMPOSE_ENV_FILES");
  if (names.empty() && !given.empty()) names = util::split(given, ',');
  variables = request_.environment;
  if (!names.empty()) {
    std::vector<fs::path> paths;
    for (const std::string& name : names)
      paths.emplace_back(absolute_path(name, request_.directory, request_.environment));
    variables = env_file_variables(paths, variables, request_.directory, problems_);
  } else {
    own_env_file_ = !is_true(value_of(request_.environment, "COMPOSE_DISABLE_ENV_FILE"));
    read_more_variables();
  }
  if (value_of(variables, "PWD").empty()) variables["PWD"] = request_.directory.string();
}

void Choice::read_more_variables() {
  if (own_env_file_) variables = compose_variables(directory_, variables, problems_);
}

void Choice::take(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name == "-") {
      files.emplace_back(name);
      continue;
    }
    const fs::path file =
        fs::path(absolute_path(name, request_.directory, request_.environment)).lexically_normal();
    if (fs::is_directory(file))
      throw Error(ErrorKind::invalid_file, "cannot read " + name + ": it is a directory");
    if (!is_file(file) && !request_.buffers.contains(file.string()))
      throw Error(ErrorKind::not_found, "cannot find the stack file " + file.string());
    files.push_back(file);
  }
}

// COMPOSE_FILE names compose files: a stackd.yaml and a lich.yaml come before those.
void Choice::look() {
  const auto found = find_files(request_.project_directory.empty() ? request_.directory : directory_);
  const std::string named = value_of(variables, "COMPOSE_FILE");
  const std::string format = found.empty() ? "" : format_by_name(found.front());
  const bool before = format == "stackd" || format == "lich";
  if (named.empty() || before) {
    if (found.empty()) no_files(request_.directory);
    files = found;
    if (before && !named.empty())
      warnings.push_back("COMPOSE_FILE (" + named + ") is not read: " + found.front().string() +
                         " comes first");
    return;
  }
  const std::string separator = value_of(variables, "COMPOSE_PATH_SEPARATOR");
  std::vector<std::string> names;
  for (std::size_t at = 0; at <= named.size();) {
    const std::string by = separator.empty() ? ":" : separator;
    const std::size_t end = std::min(named.find(by, at), named.size());
    if (end > at) names.push_back(named.substr(at, end - at));
    at = end + by.size();
  }
  take(names);
  if (files.empty()) no_files(request_.directory);
}

std::vector<fs::path> find_files(const fs::path& directory) {
  for (fs::path at = directory.lexically_normal();; at = at.parent_path()) {
    for (const char* name : k_names) {
      if (!is_file(at / name)) continue;
      std::vector<fs::path> files{at / name};
      const std::string format = format_by_name(name);
      const auto add_first = [&](const auto& overrides) {
        const auto found = std::find_if(overrides.begin(), overrides.end(),
                                        [&](const char* over) { return is_file(at / over); });
        if (found != overrides.end()) files.push_back(at / *found);
      };
      if (format == "compose") add_first(k_compose_overrides);
      if (format == "stackd") add_first(k_stackd_overrides);
      return files;
    }
    if (!at.has_relative_path()) return {};
  }
}

}  // namespace stackd::stackfile
