#include "client/commands/host_command.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "client/error.hpp"

namespace stackd::client {
namespace {

constexpr int k_cannot_execute = 126, k_command_not_found = 127;

pid_t g_child = 0;

// Ctrl-C and Ctrl-\ reach the command by themselves, for both are in the terminal's group; what somebody sent
// to this process alone is passed on.
void pass_on(int signal, siginfo_t* info, void*) {
  if (info->si_code <= 0) ::kill(g_child, signal);
}

// In the child: becomes the command, or leaves with a shell's code for why not.
[[noreturn]] void become(const proto::Surroundings& surroundings, const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const auto& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  const auto& directory = surroundings.directory;
  if (::chdir(directory.c_str()) < 0) {
    print_error("cannot go to " + directory + ": " + std::strerror(errno), {});
    ::_exit(k_cannot_execute);
  }
  // A group may inherit nothing (process_env: false), and a null takes a variable away.
  ::clearenv();
  for (const auto& [name, value] : surroundings.environment) ::setenv(name.c_str(), value.c_str(), 1);
  ::setenv("PWD", directory.c_str(), 1);
  ::execvp(pointers[0], pointers.data());
  int error = errno;
  print_error("cannot run " + words[0] + ": " + std::strerror(error), {});
  ::_exit(error == ENOENT ? k_command_not_found : k_cannot_execute);
}

}  // namespace

proto::UpRequest host_request(Context& context) {
  proto::UpRequest request = context.up_request();
  try {
    proto::Stack stack = context.stack();
    request.directory = stack.directory;
    request.files = stack.files;
    request.project_name = stack.name;
    request.profile = stack.profile;
  } catch (const ClientError& error) {
    // Not brought up yet: its file says what there is, but for what only an up finds out.
    if (error.exit_code() != proto::k_not_found) throw;
  }
  return request;
}

int run_on_host(const proto::Surroundings& surroundings, const std::vector<std::string>& words) {
  // No signal may come between the fork and the handlers that pass it on.
  sigset_t all, before;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  g_child = ::fork();
  if (g_child == 0) {
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    become(surroundings, words);
  }
  if (g_child < 0)
    throw ClientError(proto::k_operation_failed, std::string("cannot fork: ") + std::strerror(errno));
  struct sigaction action {};
  action.sa_sigaction = pass_on;
  action.sa_flags = SA_SIGINFO;
  for (int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2})
    ::sigaction(signal, &action, nullptr);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);

  int status = 0;
  while (::waitpid(g_child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace stackd::client
