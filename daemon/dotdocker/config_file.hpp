// ~/.docker/config.json, as Docker's own client keeps it for the user: logins, the programs that keep them
// elsewhere, the current context, proxies. Reading is pure but for load().
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace stackd::dotdocker {

using Environment = std::map<std::string, std::string>;

// A login, for as long as one request takes. It goes into no log, no row and no message.
struct Login {
  std::string username, password;
  std::string identity_token;  // in the place of a password; what a single sign-on gives
  std::string registry_token;  // a bearer's, as it is
  bool any() const { return !password.empty() || !identity_token.empty() || !registry_token.empty(); }
};

struct Proxies {
  std::string http, https, ftp, all, none;  // none: hosts that are asked without
};

struct ConfigFile {
  std::filesystem::path path;  // where it is, or would be; "" when the environment names no home
  bool there = false;
  std::map<std::string, Login> auths;               // registry as it is written there -> login
  std::string creds_store;                          // docker-credential-<this> has all the others
  std::map<std::string, std::string> cred_helpers;  // registry -> docker-credential-<this>
  std::string current_context;
  std::map<std::string, Proxies> proxies;  // by engine's host, or "default"
};

// <DOCKER_CONFIG>, else <HOME>/.docker; "" when there is neither.
std::filesystem::path directory_of(const Environment& caller);

// Throws invalid_file, with the path, for what is no JSON object. Values of a wrong type count as missing.
ConfigFile parse(const std::filesystem::path& path, std::string_view text);

// That of the caller; blocks. Throws io, invalid_file.
ConfigFile load(const Environment& caller);

}  // namespace stackd::dotdocker
