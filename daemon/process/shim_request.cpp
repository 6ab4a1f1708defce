#include "daemon/process/shim_request.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "daemon/process/shim/protocol.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"

namespace stackd::process {
namespace {

namespace field = shim::field;
using nlohmann::json;
using util::Error;
using util::ErrorKind;

class Fields {
public:
  void add(std::string_view name, std::string_view value) {
    if (value.find('\0') != std::string_view::npos)
      throw Error(ErrorKind::invalid_request,
                  "cannot start a command: its " + std::string(name) + " holds a NUL byte");
    text_.append(name).append("=").append(value).push_back('\0');
  }
  void add(std::string_view name, std::int64_t value) { add(name, std::to_string(value)); }
  const std::string& text() const { return text_; }

private:
  std::string text_;
};

std::string dump(const json& value, int indent = -1) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

std::string masked(std::string text, const std::vector<std::string>& secrets) {
  for (const auto& secret : secrets)
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3))
      text.replace(at, secret.size(), "***");
  return text;
}

json env_list(const RunRequest& request) {
  auto list = json::array();
  for (const auto& [name, value] : request.env)
    if (name != shim::k_mark) list.push_back(name + "=" + value);
  return list;
}

// What a person who looks into the run's directory wants to know.
std::string readable(const RunRequest& request, const std::string& mark) {
  auto argv = request.argv;
  auto env = request.env;
  for (auto& word : argv) word = masked(word, request.secrets);
  for (auto& [name, value] : env) value = masked(value, request.secrets);
  json text{{"argv", argv},
            {"cwd", request.cwd},
            {"env", env},
            {"log", request.log.string()},
            {"capture", request.capture == Capture::capped ? "capped" : "append"},
            {"grace_ms", request.grace.count()},
            {"mark", mark}};
  if (request.timeout) text["timeout_ms"] = request.timeout->count();
  if (request.place == Place::exec) {
    text["engine"] = request.engine_host;
    text["container"] = request.container;
    text["user"] = request.user;
  }
  return dump(text, 2) + "\n";
}

std::string exec_body(const RunRequest& request, const std::string& mark) {
  auto env = env_list(request);
  for (const auto& name : request.bare_env) env.push_back(name);
  env.push_back(mark);
  json body{{"AttachStdin", false}, {"AttachStdout", true}, {"AttachStderr", true},
            {"Tty", request.tty},   {"Cmd", request.argv},  {"Env", env}};
  if (request.privileged) body["Privileged"] = true;
  if (!request.user.empty()) body["User"] = request.user;
  if (!request.cwd.empty()) body["WorkingDir"] = request.cwd;
  return dump(body);
}

void check(const RunRequest& request) {
  const auto refuse = [](const std::string& why) {
    throw Error(ErrorKind::invalid_request, "cannot start a command: " + why);
  };
  if (!request.directory.is_absolute()) refuse("its run directory is not an absolute path");
  if (!request.log.empty() && !request.log.is_absolute()) refuse("its log is not an absolute path");
  if (request.argv.empty() || request.argv[0].empty()) refuse("the command is empty");
  if (request.place == Place::exec && request.container.empty()) refuse("no container is named");
}

void add_host(const RunRequest& request, const std::string& mark, Fields& fields) {
  fields.add(field::k_cwd, request.cwd);
  for (const auto& arg : request.argv) fields.add(field::k_arg, arg);
  // One that a caller inside another run has passed on is that run's.
  for (const auto& [name, value] : request.env)
    if (name != shim::k_mark) fields.add(field::k_env, name + "=" + value);
  fields.add(field::k_env, mark);
}

void add_exec(const RunRequest& request, const std::vector<std::string>& engines, const std::string& mark,
              Fields& fields) {
  for (const auto& engine : engines) fields.add(field::k_engine, engine);
  fields.add(field::k_api, request.api_version.empty() ? "" : "/v" + request.api_version);
  fields.add(field::k_container, request.container);
  fields.add(field::k_exec_body, exec_body(request, mark));
  fields.add(field::k_tag, mark);
  fields.add(field::k_tty, request.tty);
}

}  // namespace

util::Fd shim_request(const RunRequest& request, const std::vector<std::string>& engines,
                      const LogLimits& limits) {
  check(request);
  const auto mark = std::string(shim::k_mark) + "=" + util::random_hex(16);
  Fields fields;
  fields.add(field::k_directory, request.directory.string());
  fields.add(field::k_readable, readable(request, mark));
  fields.add(field::k_log, request.log.string());
  fields.add(field::k_header, request.log_header);
  const bool service = request.capture == Capture::append;
  fields.add(field::k_limit, static_cast<std::int64_t>(service ? limits.size : request.log_limit));
  fields.add(field::k_kept, limits.kept);
  if (!request.out.empty()) {
    fields.add(field::k_out, request.out.string());
    fields.add(field::k_out_limit, static_cast<std::int64_t>(request.out_limit));
  }
  fields.add(field::k_umask, static_cast<std::int64_t>(request.umask));
  fields.add(field::k_append, service);
  fields.add(field::k_leave, request.capture == Capture::capped || request.leave_background);
  fields.add(field::k_truncate, request.truncate_log);
  if (request.timeout) fields.add(field::k_timeout, request.timeout->count());
  fields.add(field::k_grace, request.grace.count());
  for (const auto& secret : request.secrets)
    if (secret.find('\0') == std::string::npos) fields.add(field::k_secret, secret);
  request.place == Place::exec ? add_exec(request, engines, mark, fields) : add_host(request, mark, fields);

  util::Fd file(::memfd_create("stackd-run", MFD_CLOEXEC));
  if (!file) throw util::system_error("cannot start a command: no memory file", errno);
  // It holds the command's environment, secrets perhaps; nobody else may open it through /proc.
  ::fchmod(file.get(), 0600);
  std::string_view left = fields.text();
  while (!left.empty()) {
    const auto n = ::write(file.get(), left.data(), left.size());
    if (n < 0) throw util::system_error("cannot start a command: cannot write its memory file", errno);
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  return file;
}

}  // namespace stackd::process
