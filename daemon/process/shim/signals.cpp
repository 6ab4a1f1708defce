#include "daemon/process/shim/signals.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stackd::shim {

Signals::Signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t read;
  ::sigemptyset(&read);
  ::sigaddset(&read, SIGCHLD);
  ::sigaddset(&read, SIGTERM);
  fd_.reset(::signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK));
}

Signals::Seen Signals::take() {
  Seen seen;
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == sizeof info) {
    seen.child |= info.ssi_signo == SIGCHLD;
    seen.terminate |= info.ssi_signo == SIGTERM;
  }
  return seen;
}

void Signals::restore_in_child() {
  // By the system call: the C library keeps two signals to itself, refuses to touch them, and leaves them
  // ignored in what posix_spawn starts.
  const unsigned long by_default[4] = {};
  for (int signal = 1; signal <= 64; ++signal) ::syscall(SYS_rt_sigaction, signal, by_default, nullptr, 8);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace stackd::shim
