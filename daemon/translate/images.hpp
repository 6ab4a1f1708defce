// Which image a service runs, and what a request needs to know of an image. Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/docker/types.hpp"
#include "daemon/model/spec.hpp"

namespace stackd::translate {

// The reference: `image:`, or for a service that is only built "<project>-<service>".
std::string image_of(const model::Spec& spec, const model::Service& service);

struct ImageFacts {
  std::string id, user, working_dir;
  std::vector<std::string> entrypoint, command, shell, healthcheck;
};
ImageFacts facts_of(const docker::ImageDetails& image);

}  // namespace stackd::translate
