// A one-off as the engine is told: the service's container with what `run` has over it. What comes from the
// command line means itself: no ${…} in it is stackd's. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/translate/container_request.hpp"

namespace stackd::translate {

struct Overrides {
  std::optional<std::vector<std::string>> command, entrypoint;  // nothing: the service's
  std::map<std::string, std::string> environment, labels;
  std::string user, working_dir;
  std::vector<std::string> cap_add, cap_drop;
  std::vector<model::Mount> mounts;  // in place of one with the same target
  std::vector<model::Port> ports;
  bool service_ports = false;  // else none of the service's are published
  bool tty = false;
};

// The service as its one-off is made from it: what the engine has by JSON of its own is not in it.
model::Service one_off_service(const model::Service& service, const Overrides& over);
// `inputs` are of that service. Command, user, environment and labels are set here.
ContainerRequest one_off_request(const RequestInputs& inputs, const Overrides& over);

}  // namespace stackd::translate
