// Compose's canonical model of a document that is merged and interpolated already: what `docker compose
// config
// --format json` prints. Short forms are long, defaults filled in, relative paths absolute, what no service
// uses is left out. Pure.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "daemon/compose/paths.hpp"

namespace stackd::compose {

struct ModelRequest {
  std::string name;                 // the project's
  std::filesystem::path directory;  // relative paths are relative to it
  const FileVariables& variables;   // the caller's environment over `.env`
  bool normalize = true;            // fill in what the files leave to Compose
  bool resolve_paths = true;

  std::string path(const std::string& written) const {
    return resolve_paths ? absolute_path(written, directory, variables) : written;
  }
};

// Every service, whichever are chosen. A dollar in it is a dollar. Keys that begin with x- are not in it.
nlohmann::json canonical_model(const Value& document, const ModelRequest& request);

// The same of a document that is not interpolated: long forms where a short one can be read, values and x-…
// keys as they are written, every service and resource. Ready to be printed.
nlohmann::json written_model(const Value& document, const ModelRequest& request);

// Each dollar doubled: what is printed can be loaded again.
nlohmann::json escaped(const nlohmann::json& value);

// The model of these services alone, escaped: what they do not need of the top level is left out.
nlohmann::json narrowed_model(nlohmann::json model, const std::set<std::string>& services);

}  // namespace stackd::compose
