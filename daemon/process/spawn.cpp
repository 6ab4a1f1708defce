#include "daemon/process/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/util/error.hpp"

namespace stackd::process {
namespace {

class Attributes {
public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

private:
  posix_spawnattr_t attributes_;
};

class FileActions {
public:
  FileActions(int input, int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
  posix_spawn_file_actions_t actions_;
};

}  // namespace

Spawned spawn_shim(const std::filesystem::path& shim, const util::Fd& request) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw util::system_error("cannot start a command: no pipe", errno);
  Spawned spawned;
  spawned.answers.reset(ends[0]);
  const util::Fd write_end(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  pid_t pid = 0;
  char program[] = "stackd-shim";
  char* const argv[] = {program, nullptr};
  char* const environment[] = {nullptr};
  const FileActions actions(request.get(), write_end.get());
  const int failure = ::posix_spawn(&pid, shim.c_str(), actions.get(), Attributes().get(), argv, environment);
  if (failure != 0) throw util::system_error("cannot start '" + shim.string() + "'", failure);
  // Nobody has reaped it yet, so the pid is still its own.
  spawned.process.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!spawned.process) {
    const int why = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw util::system_error("cannot watch '" + shim.string() + "'", why);
  }
  return spawned;
}

}  // namespace stackd::process
