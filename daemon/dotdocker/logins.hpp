// Which login Docker's own client would take for a registry. Blocks: a credential helper is a program of the
// user's, which may ask a server or a person.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/dotdocker/config_file.hpp"

namespace stackd::dotdocker {

// The registry that a reference names: "docker.io" for "busybox" and "me/app", "host:5000" for
// "host:5000/app:1@sha256:…".
std::string registry_of(std::string_view reference);
// What config.json and the helpers call it: Docker's own goes by an old address.
std::string key_of(std::string_view registry);

// A login and where it was found, the second for messages.
struct Found {
  std::optional<Login> login;
  std::string from;  // "docker-credential-pass", "/home/me/.docker/config.json"
};

constexpr std::chrono::milliseconds k_helper_limit = std::chrono::seconds(20);

// With `caller`'s environment: it says where config.json is, and where helpers are. Throws failed when a
// helper cannot be run, says that it has failed, or does not answer in time; invalid_file, io.
Found find_login(const Environment& caller, const std::string& registry,
                 std::chrono::milliseconds limit = k_helper_limit);

// The value of X-Registry-Auth; an empty login's is of a nobody, which a push has to say.
std::string auth_header(const Login& login, const std::string& registry);

}  // namespace stackd::dotdocker
