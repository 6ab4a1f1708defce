// stackctl daemon: the daemon itself: is it there, start it, stop it, install it for the user manager.
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "client/commands/commands.hpp"
#include "client/connect.hpp"
#include "client/error.hpp"
#include "client/fd.hpp"
#include "client/text.hpp"
#include "client/units.hpp"

namespace stackd::client {
namespace {

// It lets running steps end for 10 s, and gets some more to close up.
constexpr int k_stop_limit_ms = 20'000;

int show_status(Context& context) {
  Api* api = context.api_if_listening();
  if (!api) {
    if (context.json())
      context.document(nlohmann::json{{"running", false}, {"socket", context.endpoint().text()}}.dump());
    else
      context.out("stackd is not running (" + context.endpoint().text() + ")\n");
    return proto::k_no_daemon;
  }
  std::string document = api->get("/v1/info");
  if (context.json()) {
    context.document(document);
    return proto::k_done;
  }
  proto::Info info = nlohmann::json::parse(document).get<proto::Info>();
  context.out("stackd " + info.version + " runs as process " + std::to_string(info.pid) +
              (info.started_at.empty() ? "" : " since " + info.started_at) + "\n");
  std::string engine = info.engine_state == "reachable" ? info.engine_version : info.engine_state;
  if (!info.engine_error.empty()) engine += ": " + info.engine_error;
  context.out("  socket  " + info.socket + "\n  state   " + info.home + "\n  engine  " + info.engine_host +
              " (" + engine + ")" + (info.engine_chosen_by.empty() ? "" : ", by " + info.engine_chosen_by) +
              "\n  stacks  " + std::to_string(info.stacks) + ", " +
              counted(static_cast<std::size_t>(info.operations_running), "operation") + " running\n");
  return proto::k_done;
}

int start(Context& context) {
  bool runs = try_connect(context.endpoint()) != nullptr;
  if (!runs) start_daemon(context.endpoint());
  if (!context.json()) context.out(runs ? "stackd runs already\n" : "stackd started\n");
  return context.json() ? show_status(context) : static_cast<int>(proto::k_done);
}

// A descriptor of the daemon's process, when it is one of this machine: it holds the lock of its home. What a
// server says of itself is no reason to watch a process, let alone to end it.
Fd process_of(const proto::Info& info) {
  if (info.pid <= 0 || info.home.empty()) return {};
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, info.pid, 0)));
  struct stat lock {};
  if (!process || ::stat((info.home + "/lock").c_str(), &lock) < 0) return {};
  const std::string proc = "/proc/" + std::to_string(info.pid);
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd", failed)) {
    struct stat open {};
    if (::stat(entry.path().c_str(), &open) < 0 || open.st_dev != lock.st_dev || open.st_ino != lock.st_ino)
      continue;
    std::ifstream about(proc + "/fdinfo/" + entry.path().filename().string());
    for (std::string line; std::getline(about, line);)
      if (line.find("FLOCK") != std::string::npos) return process;
  }
  return {};
}

// Asks it to end. A daemon from before there was such a request gets the signal, if it is one.
void ask_to_stop(Api& api, const proto::Info& info, const Fd& process) {
  try {
    api.post("/v1/shutdown");
  } catch (const ApiError& error) {
    const auto status = error.problem().status;
    if (status != 404 && status != 405) throw;
    if (process && ::syscall(SYS_pidfd_send_signal, process.get(), SIGTERM, nullptr, 0) == 0) return;
    throw ClientError(proto::k_operation_failed,
                      "cannot stop the daemon: it is of another version, and process " +
                          std::to_string(info.pid) + " does not hold the lock of " +
                          (info.home.empty() ? "its home" : info.home) + ": end it where it runs");
  }
}

// Until it has ended, or nobody listens where it did.
bool has_stopped(const Endpoint& endpoint, const Fd& process) {
  if (process) {
    pollfd fd{process.get(), POLLIN, 0};
    return ::poll(&fd, 1, k_stop_limit_ms) > 0;
  }
  for (const auto give_up = in(std::chrono::milliseconds(k_stop_limit_ms)); try_connect(endpoint);) {
    if (std::chrono::steady_clock::now() >= give_up) return false;
    ::poll(nullptr, 0, 50);
  }
  return true;
}

int stop(Context& context) {
  Api* api = context.api_if_listening();
  if (!api) {
    if (!context.json()) context.out("stackd is not running\n");
    return proto::k_done;
  }
  const proto::Info info = api->info();
  const Fd process = process_of(info);
  ask_to_stop(*api, info, process);
  if (!has_stopped(context.endpoint(), process))
    throw ClientError(proto::k_operation_failed, "the daemon (process " + std::to_string(info.pid) +
                                                     ") has not stopped after " +
                                                     duration_text(k_stop_limit_ms));
  if (!context.json()) context.out("stackd stopped; services and hooks that it started run on\n");
  return proto::k_done;
}

void write_unit(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (!file)
    throw ClientError(proto::k_operation_failed,
                      "cannot write " + path.string() + ": " + std::strerror(errno));
}

int install(Context& context) {
  std::string program = find_stackd();
  if (program.empty())
    throw ClientError(proto::k_operation_failed, "cannot install: no `stackd` beside stackctl or in PATH");
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (!(config && *config) && !(home && *home))
    throw ClientError(proto::k_bad_usage, "cannot install: HOME is not set");
  std::filesystem::path units =
      config && *config ? std::filesystem::path(config) : std::filesystem::path(home) / ".config";
  units /= "systemd/user";
  std::error_code failed;
  std::filesystem::create_directories(units, failed);
  if (failed)
    throw ClientError(proto::k_operation_failed, "cannot make " + units.string() + ": " + failed.message());

  std::string service(service_unit());
  constexpr std::string_view k_packaged = "ExecStart=/usr/bin/stackd";
  std::size_t place = service.find(k_packaged);
  // systemd expands % itself and splits at blanks.
  std::string quoted;
  for (char c : program)
    quoted += c == '%' ? "%%" : c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  if (place != std::string::npos) service.replace(place, k_packaged.size(), "ExecStart=\"" + quoted + "\"");
  write_unit(units / "stackd.service", service);
  write_unit(units / "stackd.socket", socket_unit());
  context.out("wrote " + (units / "stackd.service").string() + " and stackd.socket\n");

  const std::string enable = "systemctl --user enable --now stackd.socket";
  if (!has_user_manager()) {
    context.out("no user manager runs here: where one does, `" + enable +
                "` starts stackd with the first command\n");
    return proto::k_done;
  }
  if (run_quietly({"systemctl", "--user", "daemon-reload"}) != 0 ||
      run_quietly({"systemctl", "--user", "enable", "--now", "stackd.socket"}) != 0)
    throw ClientError(proto::k_operation_failed,
                      "the units are there, but `" + enable + "` failed: run it to see why");
  context.out("stackd.socket is enabled: the first command starts stackd\n");
  return proto::k_done;
}

}  // namespace

int run_daemon(Context& context, const std::string& action) {
  if (action == "start") return start(context);
  if (action == "stop") return stop(context);
  if (action == "install") return install(context);
  return show_status(context);
}

}  // namespace stackd::client
