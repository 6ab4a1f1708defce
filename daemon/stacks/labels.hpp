// Labels on what stackd makes: Compose's (C9.4), so that other tools show it, and its own.
#pragma once

namespace stackd::stacks::label {

constexpr const char* k_stack = "dev.stackd.stack";
constexpr const char* k_operation = "dev.stackd.operation";
constexpr const char* k_definition = "dev.stackd.hash";  // of a network or volume: what it was made from
constexpr const char* k_project = "com.docker.compose.project";
constexpr const char* k_service = "com.docker.compose.service";
constexpr const char* k_number = "com.docker.compose.container-number";
constexpr const char* k_hash = "com.docker.compose.config-hash";
constexpr const char* k_oneoff = "com.docker.compose.oneoff";
constexpr const char* k_version = "com.docker.compose.version";
constexpr const char* k_depends_on = "com.docker.compose.depends_on";
constexpr const char* k_image = "com.docker.compose.image";
constexpr const char* k_working_dir = "com.docker.compose.project.working_dir";
constexpr const char* k_config_files = "com.docker.compose.project.config_files";
constexpr const char* k_network = "com.docker.compose.network";
constexpr const char* k_volume = "com.docker.compose.volume";
constexpr const char* k_hook = "com.docker.compose.hook";

}  // namespace stackd::stacks::label
