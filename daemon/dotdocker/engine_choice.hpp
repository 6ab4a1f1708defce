// Which engine a user means who names none: as Docker's own client finds it, and a rootless one besides.
#pragma once

#include <string>

#include "daemon/dotdocker/config_file.hpp"

namespace stackd::dotdocker {

struct EngineChoice {
  std::string host;          // "unix:///run/user/1000/docker.sock"
  std::string why;           // "the context 'rootless' of /home/ann/.docker/config.json"
  std::string warning = {};  // what was passed over on the way, and why; "" nothing
};

// HOME, DOCKER_CONFIG, DOCKER_CONTEXT and XDG_RUNTIME_DIR of the environment count. Looks at files; never
// throws for what is in them.
EngineChoice choose_engine(const Environment& environment);

}  // namespace stackd::dotdocker
