#include "daemon/dotdocker/logins.hpp"

#include <nlohmann/json.hpp>

#include "daemon/dotdocker/base64.hpp"
#include "daemon/dotdocker/helper.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::dotdocker {
namespace {

using nlohmann::json;
using util::Error;
using util::ErrorKind;

constexpr std::string_view k_docker = "docker.io";
constexpr std::string_view k_docker_key = "https://index.docker.io/v1/";

// "https://host:5000/v1/" -> "host:5000"
std::string host_in(std::string_view written) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (written.starts_with(scheme)) written.remove_prefix(scheme.size());
  return std::string(written.substr(0, written.find('/')));
}

template <class T>
const T* entry_for(const std::map<std::string, T>& entries, const std::string& key) {
  if (const auto exact = entries.find(key); exact != entries.end()) return &exact->second;
  for (const auto& [written, value] : entries)
    if (host_in(written) == host_in(key)) return &value;
  return nullptr;
}

// What a helper prints for a login that it has.
std::optional<Login> read_answer(const std::string& program, const std::string& printed) {
  const auto answer = json::parse(printed, nullptr, false);
  const auto secret = answer.is_object() ? answer.find("Secret") : answer.end();
  const auto user = answer.is_object() ? answer.find("Username") : answer.end();
  if (!answer.is_object() || secret == answer.end() || !secret->is_string() || user == answer.end() ||
      !user->is_string())
    throw Error(ErrorKind::failed,
                "its answer is not what a credential helper prints; `" + program + " get` is what was asked");
  Login login;
  login.username = user->get<std::string>();
  // A helper has one field for both; this name tells them apart.
  (login.username == "<token>" ? login.identity_token : login.password) = secret->get<std::string>();
  if (login.username == "<token>") login.username.clear();
  return login.any() ? std::optional(login) : std::nullopt;
}

Found ask_helper(const Environment& caller, const std::string& name, const std::string& key,
                 std::chrono::milliseconds limit) {
  Found found{std::nullopt, "docker-credential-" + name};
  const auto cannot = "cannot get the login to " + host_in(key) + " from " + found.from + ": ";
  try {
    const auto answer = run_helper(caller, found.from, "get", key, limit);
    if (answer.status == 0) {
      found.login = read_answer(found.from, answer.out);
      return found;
    }
    // Its own words for "there is none", which is no failure.
    if (answer.out.find("credentials not found") != std::string::npos) return found;
    auto why = util::join(util::tail_lines(answer.err.empty() ? answer.out : answer.err, 3, 400), "; ");
    if (why.empty()) why = "it said nothing";
    throw Error(ErrorKind::failed, "it ended with status " + std::to_string(answer.status) + ": " + why);
  } catch (const Error& e) {
    throw Error(e.kind(), cannot + e.what(), e.details());
  }
}

}  // namespace

std::string registry_of(std::string_view reference) {
  const auto slash = reference.find('/');
  if (slash == reference.npos) return std::string(k_docker);
  const auto first = reference.substr(0, slash);
  const bool is_host = first == "localhost" || first.find_first_of(".:") != first.npos ||
                       first.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != first.npos;
  if (!is_host || first == "index.docker.io" || first == "registry-1.docker.io") return std::string(k_docker);
  return std::string(first);
}

std::string key_of(std::string_view registry) {
  return std::string(registry == k_docker ? k_docker_key : registry);
}

Found find_login(const Environment& caller, const std::string& registry, std::chrono::milliseconds limit) {
  const auto config = load(caller);
  const auto key = key_of(registry);
  const auto* helper = entry_for(config.cred_helpers, key);
  if (!helper && !config.creds_store.empty()) helper = &config.creds_store;
  if (helper && !helper->empty()) return ask_helper(caller, *helper, key, limit);
  const auto* login = entry_for(config.auths, key);
  Found found{std::nullopt, config.path.string()};
  if (login && login->any()) found.login = *login;
  return found;
}

std::string auth_header(const Login& login, const std::string& registry) {
  json value = json::object();
  const auto put = [&value](const char* key, const std::string& text) {
    if (!text.empty()) value[key] = text;
  };
  put("username", login.username);
  put("password", login.password);
  put("identitytoken", login.identity_token);
  put("registrytoken", login.registry_token);
  value["serveraddress"] = key_of(registry);
  return to_base64(value.dump(-1, ' ', false, json::error_handler_t::replace), Alphabet::url);
}

}  // namespace stackd::dotdocker
