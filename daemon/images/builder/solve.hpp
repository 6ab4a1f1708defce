// One build: the session, the request to BuildKit, its progress as lines, its end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/dotdocker/config_file.hpp"
#include "daemon/images/build_request.hpp"

namespace stackd::builder {

struct Built {
  bool ok = false;
  std::string error;               // the builder's words
  std::vector<std::string> lines;  // of the step that failed: its name, what it printed last, and where the
                                   // Dockerfile asks for it
};

// Blocks until the build is over. Throws NoBuildKit; util::Error no_engine when the engine broke off.
Built build(const images::BuildRequest& request, const dotdocker::Environment& caller,
            const std::function<void(const std::string&)>& line);

}  // namespace stackd::builder
