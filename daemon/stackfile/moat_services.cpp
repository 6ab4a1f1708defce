#include "daemon/stackfile/moat_services.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

using namespace std::chrono_literals;

struct MoatKind {
  std::string_view name, version;
  int port;
  std::string_view scheme, user, database;
  std::string_view user_env, password_env, database_env;  // of the image; empty when it has none
  std::string_view test;                                  // healthcheck, by the container's shell
};

namespace {

constexpr std::array<MoatKind, 3> k_kinds{{
    {"postgres", "17", 5432, "postgresql", "postgres", "postgres", "POSTGRES_USER", "POSTGRES_PASSWORD",
     "POSTGRES_DB", R"(pg_isready -q -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DB")"},
    {"mysql", "8", 3306, "mysql", "root", "moat", "", "MYSQL_ROOT_PASSWORD", "MYSQL_DATABASE",
     R"(MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysqladmin ping -h 127.0.0.1 -u root --silent)"},
    {"redis", "7", 6379, "redis", "", "", "", "REDIS_PASSWORD", "",
     R"(REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli ping | grep -q PONG)"},
}};
constexpr std::string_view k_redis_command = R"(exec redis-server --requirepass "$REDIS_PASSWORD")";

std::string make_password(std::string_view service, const std::string& directory) {
  std::string machine;
  try {
    machine = util::read_file_if_there("/etc/machine-id").value_or("");
  } catch (const util::Error&) {
    // Then the password is only as secret as the directory's name; the container publishes no port.
  }
  return util::sha256_hex("moat " + std::string(service) + "\n" + machine + "\n" + directory).substr(0, 32);
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

}  // namespace

const MoatKind* moat_service(const std::string& name) {
  const auto found =
      std::find_if(k_kinds.begin(), k_kinds.end(), [&](const MoatKind& kind) { return kind.name == name; });
  return found == k_kinds.end() ? nullptr : &*found;
}

MoatService make_moat_service(const MoatKind& kind, const std::string& version, const MoatSettings& settings,
                              const std::string& directory) {
  MoatService made;
  auto env = settings.env;
  const auto put = [&](std::string_view name, std::string_view value) {
    return name.empty() ? std::string(value)
                        : env.emplace(name, value).first->second;  // the file's own value wins
  };
  const std::string user = put(kind.user_env, kind.user);
  const std::string database = put(kind.database_env, kind.database);
  made.password = put(kind.password_env, make_password(kind.name, directory));

  Service& service = made.service;
  service.name = kind.name;
  Container& container = service.container.emplace();
  container.image = settings.image.empty() ? std::string(kind.name) + ":" +
                                                 (version.empty() ? std::string(kind.version) : version)
                                           : settings.image;
  container.networks["default"] = {};
  container.mem_limit = settings.memory;
  Healthcheck check;
  check.test = {"CMD-SHELL", std::string(kind.test)};
  check.interval = 5s;
  check.timeout = 5s;
  check.retries = 24;
  container.healthcheck = check;
  if (kind.name == "redis")
    container.command = std::vector<std::string>{"sh", "-c", std::string(k_redis_command)};
  for (const auto& [name, value] : env) service.environment.env[name] = value;

  const std::string prefix = "MOAT_" + upper(kind.name) + "_";
  const std::string host(kind.name);
  const std::string port = std::to_string(kind.port);
  auto& variables = made.variables;
  variables[prefix + "HOST"] = host;
  variables[prefix + "PORT"] = port;
  variables[prefix + "PASSWORD"] = made.password;
  if (!user.empty()) variables[prefix + "USER"] = user;
  if (!database.empty()) variables[prefix + "DB"] = database;
  variables[prefix + "URL"] = std::string(kind.scheme) + "://" + user + ":" + made.password + "@" + host +
                              ":" + port + (database.empty() ? "" : "/" + database);
  return made;
}

}  // namespace stackd::stackfile
