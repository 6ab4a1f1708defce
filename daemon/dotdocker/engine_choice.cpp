#include "daemon/dotdocker/engine_choice.hpp"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::dotdocker {
namespace {

using nlohmann::json;

constexpr std::string_view k_unix = "unix://";

bool is_socket(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

// What the client has written down of a context: where its engine is.
std::string host_of(const std::filesystem::path& directory, const std::string& context) {
  const auto file = directory / "contexts/meta" / util::sha256_hex(context) / "meta.json";
  const auto text = util::read_user_file_if_there(file);
  if (!text) return "";
  const auto meta = json::parse(*text, nullptr, false);
  const json::json_pointer host("/Endpoints/docker/Host");
  return meta.is_object() && meta.contains(host) && meta[host].is_string() ? meta[host].get<std::string>()
                                                                           : "";
}

// The context, when it is one that can be used here; else why not in `warning`.
EngineChoice of_context(const Environment& environment) {
  EngineChoice choice;
  auto context = value_of(environment, "DOCKER_CONTEXT");
  std::string where = "DOCKER_CONTEXT";
  if (context.empty()) {
    const auto config = load(environment);
    context = config.current_context;
    where = config.path.string();
  }
  if (context.empty() || context == "default") return choice;
  const auto name = "the context '" + context + "' of " + where;
  const auto host = host_of(directory_of(environment), context);
  if (host.empty())
    choice.warning = name + " is passed over: nothing is written down of it";
  else if (!host.starts_with(k_unix))
    choice.warning = name + " is passed over: " + host +
                     " is no Unix socket of this machine; DOCKER_HOST may name a tcp:// engine";
  else
    choice = {host, name};
  return choice;
}

}  // namespace

EngineChoice choose_engine(const Environment& environment) {
  EngineChoice choice;
  try {
    choice = of_context(environment);
  } catch (const util::Error& e) {
    choice.warning = e.what();
  }
  if (!choice.host.empty()) return choice;
  const auto runtime = value_of(environment, "XDG_RUNTIME_DIR");
  const auto rootless = runtime + "/docker.sock";
  if (!runtime.empty() && is_socket(rootless))
    return {std::string(k_unix) + rootless, "the socket of a rootless Docker", choice.warning};
  return {"unix:///var/run/docker.sock", "the usual socket", choice.warning};
}

}  // namespace stackd::dotdocker
