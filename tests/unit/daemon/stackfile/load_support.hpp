// Loads stack files of a test's own directory.
#pragma once

#include <string>
#include <vector>

#include "daemon/stackfile/load.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/temp_dir.hpp"

namespace stackd::test {

struct Loading {
  TempDir directory;
  stackfile::LoadRequest request;

  explicit Loading(const std::string& text = "", const std::string& name = "compose.yaml") {
    request.directory = directory.path();
    request.project_name = "demo";
    if (!text.empty()) directory.write(name, text);
  }

  std::string path(const std::string& name) const { return (directory.path() / name).string(); }
  model::Spec load() const { return stackfile::load(request); }
  // The mistakes of the file, one a line; "loaded" when it has none.
  std::string mistakes() const {
    try {
      load();
    } catch (const util::Error& error) {
      std::string text;
      for (const auto& line : error.details()) text += line + "\n";
      return text.empty() ? std::string(error.what()) : text;
    }
    return "loaded";
  }
};

// A compose.yaml with one service, `web`, of these lines (indented by four).
inline std::string one_service(const std::string& lines) {
  return "services:\n  web:\n    image: nginx\n" + lines;
}

}  // namespace stackd::test
