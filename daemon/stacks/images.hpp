// Which image a service runs, and what is known of it.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "daemon/docker/engine.hpp"
#include "daemon/spec/spec.hpp"

namespace stackd::stacks {

// The reference: `image:`, or for a service that is only built "<project>-<service>".
std::string image_of(const spec::Spec& spec, const spec::Service& service);

// What an image step leaves as its result: id, healthcheck, user, working_dir, entrypoint, command, shell.
nlohmann::json describe(const docker::ImageDetails& image);

// Is there such a file in the image? Looks into a container that is made for it, never started and removed;
// `name` and `labels` are that one's, so that it is found again after a crash.
awaitable<bool> image_has(docker::Engine& engine, std::string image, std::string path, std::string name,
                          nlohmann::json labels);

}  // namespace stackd::stacks
