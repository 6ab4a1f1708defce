// Paths in Compose files. Pure: nothing is looked at on the disk.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "daemon/yaml/yaml.hpp"

namespace stackd::compose {

using namespace yaml;

using FileVariables = std::map<std::string, std::string>;

// What begins with `~` by HOME in `variables`, relative paths by `directory`: lexically normal, without a
// slash at the end. What is absolute stays as it is written, a path of Windows too, as in Compose.
std::string absolute_path(const std::string& path, const std::filesystem::path& directory,
                          const FileVariables& variables);
// Lexically normal, without a slash at the end: how Compose writes a path in a container.
std::string clean_path(const std::string& path);
// A build context that is not a directory of this machine.
bool is_remote_context(const std::string& context);

// Makes the relative paths of a service (or of all of a document) absolute: for files of another directory.
void absolute_service_paths(Value& service, const std::filesystem::path& directory,
                            const FileVariables& variables);
void absolute_document_paths(Value& document, const std::filesystem::path& directory,
                             const FileVariables& variables);

}  // namespace stackd::compose
