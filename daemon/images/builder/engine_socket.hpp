// A connection to the engine that has become a bare one, for HTTP/2. Blocks, within limits.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "daemon/util/fd.hpp"

namespace stackd::builder {

struct Upgraded {
  util::Fd socket;    // does not block
  std::string early;  // what came with the answer
};

// The engine answered, and knows nothing of it.
struct NoBuildKit : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// POST `path`, upgraded to h2c. Throws NoBuildKit; util::Error no_engine.
Upgraded upgrade(const std::vector<std::string>& engines, const std::string& path,
                 const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace stackd::builder
