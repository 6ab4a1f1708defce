#include "daemon/dotdocker/config_file.hpp"

#include <nlohmann/json.hpp>

#include "daemon/dotdocker/base64.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::dotdocker {
namespace {

using nlohmann::json;

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// The members of an object at `key`; none when it is anything else.
template <class F>
void each(const json& object, const char* key, F function) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_object()) return;
  for (const auto& [name, value] : found->items()) function(name, value);
}

Login login_of(const json& entry) {
  Login login{text(entry, "username"), text(entry, "password"), text(entry, "identitytoken"),
              text(entry, "registrytoken")};
  const auto both = from_base64(text(entry, "auth"));
  if (!both) return login;
  const auto colon = both->find(':');
  if (colon == both->npos) return login;
  login.username = both->substr(0, colon);
  login.password = both->substr(colon + 1);
  while (!login.password.empty() && login.password.back() == '\0') login.password.pop_back();
  return login;
}

}  // namespace

std::filesystem::path directory_of(const Environment& caller) {
  const auto given = caller.find("DOCKER_CONFIG");
  if (given != caller.end() && !given->second.empty()) return given->second;
  const auto home = caller.find("HOME");
  if (home != caller.end() && !home->second.empty()) return std::filesystem::path(home->second) / ".docker";
  return {};
}

ConfigFile parse(const std::filesystem::path& path, std::string_view content) {
  const auto document = json::parse(content, nullptr, false);
  // What the parser says would quote the text, which may be a password.
  if (!document.is_object())
    throw util::Error(
        util::ErrorKind::invalid_file,
        "cannot read '" + path.string() + "', which has the logins to registries: it is no JSON object");
  ConfigFile config{.path = path, .there = true};
  each(document, "auths", [&](const std::string& registry, const json& entry) {
    if (entry.is_object()) config.auths[registry] = login_of(entry);
  });
  each(document, "credHelpers", [&](const std::string& registry, const json& helper) {
    if (helper.is_string()) config.cred_helpers[registry] = helper.get<std::string>();
  });
  each(document, "proxies", [&](const std::string& host, const json& entry) {
    if (entry.is_object())
      config.proxies[host] = {text(entry, "httpProxy"), text(entry, "httpsProxy"), text(entry, "ftpProxy"),
                              text(entry, "allProxy"), text(entry, "noProxy")};
  });
  config.creds_store = text(document, "credsStore");
  config.current_context = text(document, "currentContext");
  return config;
}

ConfigFile load(const Environment& caller) {
  const auto directory = directory_of(caller);
  if (directory.empty()) return {};
  const auto path = directory / "config.json";
  const auto content = util::read_user_file_if_there(path);
  if (!content) return {.path = path};
  return parse(path, *content);
}

}  // namespace stackd::dotdocker
