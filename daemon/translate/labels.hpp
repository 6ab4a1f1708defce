// Labels on what stackd makes: Compose's (C9.4), so that other tools show it, and its own.
#pragma once

#include <string>

#include "daemon/docker/types.hpp"

namespace stackd::translate::label {

constexpr const char* k_stack = "dev.stackd.stack";
constexpr const char* k_operation = "dev.stackd.operation";
constexpr const char* k_definition = "dev.stackd.hash";  // of a network or volume: what it was made from
constexpr const char* k_making =
    "dev.stackd.making";  // of a volume: random, so that one made anew is told apart
constexpr const char* k_project = "com.docker.compose.project";
constexpr const char* k_service = "com.docker.compose.service";
constexpr const char* k_number = "com.docker.compose.container-number";
constexpr const char* k_hash = "com.docker.compose.config-hash";
constexpr const char* k_oneoff = "com.docker.compose.oneoff";
constexpr const char* k_slug = "com.docker.compose.slug";  // of a one-off
constexpr const char* k_version = "com.docker.compose.version";
constexpr const char* k_depends_on = "com.docker.compose.depends_on";
constexpr const char* k_image = "com.docker.compose.image";
constexpr const char* k_working_dir = "com.docker.compose.project.working_dir";
constexpr const char* k_config_files = "com.docker.compose.project.config_files";
constexpr const char* k_network = "com.docker.compose.network";
constexpr const char* k_volume = "com.docker.compose.volume";
constexpr const char* k_hook = "com.docker.compose.hook";

}  // namespace stackd::translate::label

namespace stackd::translate {

// "" without it.
std::string label_of(const docker::Labels& labels, const char* key);
inline std::string label_of(const docker::ContainerSummary& container, const char* key) {
  return label_of(container.labels, key);
}
// A container of Docker Compose's: a replica of a service, and not this daemon's.
bool is_of_compose(const docker::ContainerSummary& container);
// What a container is called while it is kept (X34), and whether it is; its own id tells it from everything
// that somebody may have named so.
std::string kept_name(const std::string& id, const std::string& name);
bool is_kept(const std::string& id, const std::string& name);
// Which replica of its service a container is; 1 for one that does not say.
int number_of(const docker::Labels& labels);

}  // namespace stackd::translate
