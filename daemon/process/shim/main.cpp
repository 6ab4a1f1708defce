// stackd-shim: holds one command for its life, whatever happens to the daemon that asked for it. Started by
// process::Runs and by nobody else: request on standard input, answers on standard output (protocol.hpp).
//
// One per running service and hook, so it is small: no Boost, no JSON library, no iostreams, linked
// statically.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/process/shim/exec_run.hpp"
#include "daemon/process/shim/host_run.hpp"
#include "daemon/process/shim/protocol.hpp"

namespace stackd::shim {
namespace {

// The pipe to the daemon, moved out of the way of the command's own standard output. Its reader may have
// gone.
class Status {
public:
  Status() : pipe_(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) {}
  int fd() const { return pipe_.get(); }
  void say(std::string text) const { write_all(pipe_.get(), text + "\n"); }
  void close() { pipe_.reset(); }

private:
  util::Fd pipe_;
};

void forget_standard_streams() {
  const util::Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.get(), fd);
}

Outcome run_command(Request& request, RunDirectory& directory, Signals& signals, Status& status) {
  const auto started = [&](bool runs) {
    status.say(runs ? answer::k_started : answer::k_failed);
    status.close();
  };
  CappedLog capped;
  RotatedLog rotated;
  Log& log = request.append ? static_cast<Log&>(rotated) : capped;
  const bool opened = request.append ? rotated.open(request.log, request.limit, request.kept)
                                     : capped.open(request.log, request.truncate, request.limit);
  if (!opened) {
    Outcome outcome;
    outcome.cause = "not_started";
    outcome.error = because("cannot open log '" + request.log + "'", errno);
    started(false);
    return outcome;
  }
  if (!request.header.empty()) log.write_line(request.header);
  return request.is_exec() ? ExecRun(request, directory, signals, log).run(started)
                           : HostRun(request, directory, signals, log).run(started);
}

int run() {
  ::close_range(3, ~0u, 0);
  Signals signals;
  Status status;
  Request request;
  const bool understood = request.read(STDIN_FILENO);
  forget_standard_streams();
  if (!understood) {
    status.say(std::string(answer::k_error) + "the request cannot be read");
    return 2;
  }
  ::umask(077);
  ::setsid();
  RunDirectory directory;
  switch (directory.take(request.directory, request.readable, status.fd())) {
    case RunDirectory::Take::took:
      status.say(answer::k_took);
      break;
    case RunDirectory::Take::taken:
      status.say(answer::k_taken);
      return 0;
    case RunDirectory::Take::unwanted:
      return 0;
    case RunDirectory::Take::failed:
      status.say(answer::k_error + directory.error());
      return 1;
  }
  [[maybe_unused]] const int moved = ::chdir("/");  // holds no directory of the user's
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  directory.write_exit(run_command(request, directory, signals, status));
  return 0;
}

}  // namespace
}  // namespace stackd::shim

// No destructors of static objects, no leak check: what remains is the kernel's to take back.
int main() {
  ::_exit(stackd::shim::run());
}
