#include "client/connect.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "client/error.hpp"
#include "client/text.hpp"
#include "proto/paths.hpp"

extern char** environ;

namespace stackd::client {
namespace {

using namespace std::chrono_literals;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string token() {
  if (std::string given = variable("STACKD_TOKEN"); !given.empty()) return given;
  std::string path = proto::default_home() + "/token";
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line.empty())
    throw ClientError(proto::k_no_daemon,
                      "cannot read the token for the daemon's TCP port from " + path +
                          ": set STACKD_TOKEN, or STACKD_HOME to the daemon's state directory");
  return line;
}

ClientError bad_host(const std::string& host, const std::string& why) {
  return ClientError(proto::k_bad_usage, "cannot use --host " + host + ": " + why);
}

// Starts `stackd` in a session of its own, so that neither Ctrl-C nor a closed terminal reaches it. Its
// process id.
pid_t spawn_stackd(const std::string& program, const std::string& log) {
  Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Fd out(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!out)
    throw ClientError(proto::k_no_daemon,
                      "cannot start the daemon: cannot write " + log + ": " + std::strerror(errno));
  pid_t pid = ::fork();
  if (pid < 0)
    throw ClientError(proto::k_no_daemon, std::string("cannot start the daemon: ") + std::strerror(errno));
  if (pid > 0) return pid;
  ::setsid();
  ::dup2(null.get(), 0);
  ::dup2(out.get(), 1);
  ::dup2(out.get(), 2);
  ::close_range(3, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::unsetenv("STACKD_RUN");  // started by a hook, the daemon is not of that hook's tree
  for (int signal : {SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTERM}) ::signal(signal, SIG_DFL);
  if (::chdir("/") == 0) ::execl(program.c_str(), "stackd", static_cast<char*>(nullptr));
  ::_exit(127);
}

std::vector<std::string> tail_of(const std::string& log, std::size_t since) {
  std::ifstream file(log);
  file.seekg(static_cast<std::streamoff>(since));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  if (lines.size() > 10) lines.erase(lines.begin(), lines.end() - 10);
  return lines;
}

// Whether the daemon answers a request, and does not only listen.
bool answers(const Endpoint& endpoint, Deadline deadline) {
  try {
    Connection connection(endpoint, deadline);
    return connection.exchange({.target = "/v1/ping"}, deadline).status < 500;
  } catch (const TransportError&) {
    return false;
  }
}

}  // namespace

Where where_is_daemon(const std::string& host) {
  if (host.empty()) return {{.socket = proto::default_socket()}, false};
  std::string_view rest = host;
  auto strip = [&rest](std::string_view prefix) {
    bool has = rest.substr(0, prefix.size()) == prefix;
    if (has) rest.remove_prefix(prefix.size());
    return has;
  };
  if (strip("unix://")) {
    if (rest.empty() || rest[0] != '/')
      throw bad_host(host, "a socket's path starts with /, as in unix:///run/stackd.sock");
    return {{.socket = std::string(rest)}, true};
  }
  if (!strip("http://") && !strip("tcp://"))
    throw bad_host(host, "expected unix:///path or http://127.0.0.1:PORT");
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  Endpoint endpoint;
  std::size_t colon = rest.rfind(':');
  endpoint.address = std::string(rest.substr(0, colon));
  if (endpoint.address == "localhost") endpoint.address = "127.0.0.1";
  // The token is not for anybody else, and the daemon listens nowhere else.
  if (!endpoint.address.starts_with("127.") && endpoint.address != "[::1]")
    throw bad_host(host,
                   "a daemon listens on loopback only; to reach another machine's, forward its port "
                   "(ssh -L 7777:127.0.0.1:7777) and use http://127.0.0.1:7777");
  std::string_view port = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size() || endpoint.port == 0)
    throw bad_host(host, "expected a port, as in http://127.0.0.1:7777");
  endpoint.token = token();
  return {endpoint, true};
}

std::unique_ptr<Connection> try_connect(const Endpoint& endpoint) {
  try {
    return std::make_unique<Connection>(endpoint, in(5s));
  } catch (const TransportError& error) {
    int number = error.error_number();
    if (number == ENOENT || number == ECONNREFUSED || number == ENOTDIR) return nullptr;
    throw ClientError(proto::k_no_daemon, error.what());
  }
}

bool has_user_manager() {
  std::string runtime = variable("XDG_RUNTIME_DIR");
  return !runtime.empty() && ::access((runtime + "/systemd/private").c_str(), F_OK) == 0;
}

int run_quietly(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  int failed = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return 127;
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string find_stackd() {
  std::error_code ignored;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  if (std::string beside = (self.parent_path() / "stackd").string(); ::access(beside.c_str(), X_OK) == 0)
    return beside;
  std::string path = variable("PATH");
  for (std::size_t start = 0; start <= path.size();) {
    std::size_t end = std::min(path.find(':', start), path.size());
    std::string candidate = path.substr(start, end - start) + "/stackd";
    if (end > start && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    start = end + 1;
  }
  return "";
}

void start_daemon(const Endpoint& endpoint) {
  // The user's unit knows nothing of a socket or state directory that only this shell's environment names.
  bool ours = !variable("STACKD_SOCKET").empty() || !variable("STACKD_HOME").empty();
  if (!ours && has_user_manager() && run_quietly({"systemctl", "--user", "start", "stackd.socket"}) == 0 &&
      try_connect(endpoint))
    return;
  std::string program = find_stackd();
  if (program.empty())
    throw ClientError(proto::k_no_daemon, "cannot start the daemon: no `stackd` beside stackctl or in PATH");
  std::string home = proto::default_home(), log = home + "/daemon.log";
  std::error_code failed;
  if (std::filesystem::create_directories(home, failed); !failed && ::chmod(home.c_str(), 0700) < 0)
    failed = std::error_code(errno, std::generic_category());
  if (failed)
    throw ClientError(proto::k_no_daemon,
                      "cannot start the daemon: cannot make " + home + ": " + failed.message());
  std::error_code no_log;
  auto before = std::filesystem::file_size(log, no_log);

  pid_t pid = spawn_stackd(program, log);
  Deadline deadline = in(5s);
  bool ended = false;
  for (int pause = 2; !answers(endpoint, deadline); pause = std::min(pause * 2, 50)) {
    // One that ended may have lost a race against another client's, which then answers: a second for that.
    if (!ended && ::waitpid(pid, nullptr, WNOHANG) == pid) {
      ended = true;
      deadline = std::min(deadline, in(1s));
    }
    if (std::chrono::steady_clock::now() >= deadline)
      throw ClientError(proto::k_no_daemon,
                        std::string("cannot start the daemon: ") +
                            (ended ? "it ended at once" : "it does not answer") + " (" + program +
                            ", log: " + log + ")",
                        tail_of(log, no_log ? 0 : before));
    ::poll(nullptr, 0, pause);
  }
}

std::unique_ptr<Connection> connect_to_daemon(const Where& where) {
  if (auto connection = try_connect(where.endpoint)) return connection;
  if (where.named) throw ClientError(proto::k_no_daemon, "no daemon listens at " + where.endpoint.text());
  if (variable("STACKD_AUTOSTART") == "0")
    throw ClientError(proto::k_no_daemon,
                      "no daemon listens at " + where.endpoint.text() +
                          " and STACKD_AUTOSTART=0 forbids starting one: run `stackctl daemon start`");
  start_daemon(where.endpoint);
  return std::make_unique<Connection>(where.endpoint, in(5s));
}

}  // namespace stackd::client
