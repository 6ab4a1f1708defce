// Which image a service runs, and what a request needs to know of an image. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/docker/types.hpp"
#include "daemon/model/spec.hpp"

namespace stackd::translate {

// The reference: `image:`, or for a service that is only built "<project>-<service>".
std::string image_of(const model::Spec& spec, const model::Service& service);

// The one that a reference names, by its tags. Null when none of them does: it is not there, or the reference
// is a digest, an id, or spelt in another way than the engine spells it.
const docker::ImageSummary* find_image(const std::vector<docker::ImageSummary>& images,
                                       const std::string& reference);

// Services whose images a build has as contexts of its own: they are built before it.
std::vector<std::string> services_built_on(const model::Build& build);

// Of the policies `daily`, `weekly` and `every_<time>`: how old what was pulled may be. Nothing of others.
std::optional<std::chrono::milliseconds> pull_interval(std::string_view policy);

struct ImageFacts {
  std::string id, user, working_dir;
  std::vector<std::string> entrypoint, command, shell, healthcheck;
};
ImageFacts facts_of(const docker::ImageDetails& image);

}  // namespace stackd::translate
