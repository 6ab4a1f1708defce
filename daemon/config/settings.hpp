// The daemon's own settings: flags over environment over daemon.yaml over the defaults below. Read once,
// before anything else is built, and immutable from then on. config/daemon.yaml shows every key with its
// default.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace stackd::config {

struct Settings {
  std::filesystem::path home;    // absolute; state.db, stacks/, token: --home, STACKD_HOME
  std::filesystem::path socket;  // absolute; --socket, STACKD_SOCKET
  std::string listen;  // loopback TCP beside the socket, "127.0.0.1:PORT"; "" none: --listen, STACKD_LISTEN
  std::string docker_host;         // "unix:///path", "tcp://host:port"; "" the engine's default socket:
                                   // --docker-host, STACKD_DOCKER_HOST, DOCKER_HOST
  std::string docker_host_from;    // who said so: "DOCKER_HOST", "docker_host in <file>"; "" nobody
  std::string log_level = "info";  // trace, debug, info, warning, error, off: --log-level, STACKD_LOG_LEVEL
  int port_first = 9000;  // host ports that stackd allocates from, both ends included (L10.1): --port-range
  int port_last = 9999;
  std::filesystem::path shim;         // absolute; stackd-shim beside the stackd binary: --shim
  int operations_kept = 200;          // ended operations kept for each stack
  int operations_kept_days = 7;       // and every one that is younger than this
  int events_kept = 100'000;          // newest events kept, of all stacks together
  int service_log_size = 10'000'000;  // bytes of a process's log before it is rotated
  int service_logs_kept = 3;          // old ones of each
  int saved_log_size = 10'000'000;    // bytes kept of the log of a container that stackd removes
  std::chrono::milliseconds engine_patience{
      300'000};  // how long an operation waits for an engine that it has lost
};

// Where settings come from besides the command line; a test gives its own.
struct Sources {
  std::function<std::optional<std::string>(const std::string& name)>
      environment;                           // an empty value counts as none
  std::vector<std::filesystem::path> files;  // daemon.yaml, the strongest first; missing ones are skipped
  std::filesystem::path program;             // of this process, for the shim beside it
  std::filesystem::path user_home;           // what ~/ in daemon.yaml stands for

  // This process's environment; ~/.config/stackd/daemon.yaml (XDG_CONFIG_HOME honoured), then
  // /etc/stackd/daemon.yaml.
  static Sources of_process();
};

// Nothing when --help or --version was asked for and answered on `out`: the caller ends with 0. Throws
// `invalid_request` for a wrong flag or variable and `invalid_file` for a wrong daemon.yaml, "<file>:<line>:
// cannot …", one detail a mistake.
std::optional<Settings> parse_settings(int argc, const char* const* argv, const Sources& sources,
                                       std::ostream& out);

}  // namespace stackd::config
