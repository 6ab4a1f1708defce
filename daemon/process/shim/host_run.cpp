#include "daemon/process/shim/host_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/process/shim/processes.hpp"

namespace stackd::shim {

// What a child that could not become the command says on the way out.
struct HostRun::Failure {
  enum What { change_directory, execute } what;
  int number;
};

HostRun::HostRun(Request& request, RunDirectory& directory, Signals& signals, Log& log)
    : request_(request), directory_(directory), signals_(signals), log_(log) {
  if (!request_.append) out_.mask = err_.mask = Mask(&request_.secrets);
}

Outcome HostRun::run(const std::function<void(bool)>& started) {
  const bool runs = start();
  if (runs) directory_.write_started(command_, "");
  request_.forget_large_parts();
  started(runs);
  if (runs) {
    loop();
    for (auto* stream : {&out_, &err_}) keep(*stream, stream->mask.rest());
    say_how_it_ended();
  } else {
    outcome_.cause = "not_started";
    log_.write(outcome_.error + "\n");
  }
  log_.finish();
  outcome_.out_tail = out_.tail.text();
  outcome_.err_tail = err_.tail.text();
  return outcome_;
}

bool HostRun::open_pipe(Stream& stream, util::Fd& write_end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  stream.pipe.reset(ends[0]);
  write_end.reset(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return true;
}

// A service's two streams go through one pipe, so that their lines stay in order.
bool HostRun::start() {
  if (!request_.out.empty()) {
    whole_.reset(::open(request_.out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!whole_) {
      outcome_.error = because("cannot make '" + request_.out + "'", errno);
      return false;
    }
  }
  util::Fd out, err, failure_read, failure_write;
  const util::Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  int ends[2];
  if (!null || ::pipe2(ends, O_CLOEXEC) != 0 || !open_pipe(out_, out) ||
      (!request_.append && !open_pipe(err_, err))) {
    outcome_.error = because("cannot start the command: no pipes", errno);
    return false;
  }
  failure_read.reset(ends[0]);
  failure_write.reset(ends[1]);
  const auto shim = ::getpid();
  command_ = ::fork();
  if (command_ == 0)
    become_command(shim, failure_write.get(), null.get(), out.get(), request_.append ? out.get() : err.get());
  if (command_ < 0) {
    outcome_.error = because("cannot start the command: no new process", errno);
    return false;
  }
  if (request_.timeout) time_out_at_ = now() + *request_.timeout;
  failure_write.reset();
  Failure failure{};
  if (::read(failure_read.get(), &failure, sizeof failure) != sizeof failure) return true;  // closed by exec
  ::waitpid(command_, nullptr, 0);
  outcome_.code = failure.number == ENOENT ? 127 : 126;  // as a shell says it
  outcome_.error = failure.what == Failure::change_directory
                       ? because("cannot enter directory '" + request_.cwd + "'", failure.number)
                       : because("cannot run '" + std::string(request_.argv[0]) + "'", failure.number);
  out_.pipe.reset();
  err_.pipe.reset();
  return false;
}

void HostRun::become_command(pid_t shim, int failure_pipe, int null, int out, int err) {
  directory_.forget_in_child();
  // Its own session: the process group is what a shell's `kill 0` and our TERM reach, without the shim.
  ::setsid();
  // A shim that is killed loses the run; the command must not live on unseen beside its successor.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != shim) ::_exit(127);
  ::umask(static_cast<mode_t>(request_.umask));
  ::dup2(null, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  Failure failure{Failure::change_directory, 0};
  if (request_.cwd.empty() || ::chdir(request_.cwd.c_str()) == 0) {
    Signals::restore_in_child();
    environ = request_.env.data();  // execvp looks for the program in the command's own PATH
    ::execvp(request_.argv[0], request_.argv.data());
    failure.what = Failure::execute;
  }
  failure.number = errno;
  [[maybe_unused]] const auto written = ::write(failure_pipe, &failure, sizeof failure);
  ::_exit(127);
}

void HostRun::loop() {
  while (!over()) {
    wait_for_something();
    drain(out_);
    drain(err_);
    const auto seen = signals_.take();
    if (seen.child) reap();
    if (seen.terminate) begin_ending("ended", directory_.grace_or(request_.grace));
    if (time_out_at_ && !status_ && now() >= *time_out_at_) {
      time_out_at_.reset();
      if (!ending_.begun()) begin_ending("timed_out", request_.grace);
    }
    if (status_ && !request_.leave && any_child_ && !ending_.begun()) begin_ending("", request_.grace);
    if (status_ && !linger_until_ && !ending_.begun()) linger_until_ = now() + k_linger;
  }
}

bool HostRun::over() {
  if (ending_.begun()) {
    if (!ending_.step(*this)) return false;
    // What was written before the end is in the pipes still.
    drain(out_);
    drain(err_);
    return true;
  }
  if (!status_) return false;
  if (!streams_open()) return true;
  if (!linger_until_ || now() < *linger_until_) return false;
  leave_pipes_open();
  return true;
}

void HostRun::wait_for_something() {
  Millis until = now() + 3'600'000;
  if (time_out_at_ && !status_) until = std::min(until, *time_out_at_);
  if (linger_until_) until = std::min(until, *linger_until_);
  if (ending_.begun()) until = std::min(until, ending_.next());
  pollfd entries[3] = {
      {signals_.fd(), POLLIN, 0}, {out_.pipe.get(), POLLIN, 0}, {err_.pipe.get(), POLLIN, 0}};
  ::poll(entries, 3, static_cast<int>(std::max<Millis>(until - now(), 0)));
}

void HostRun::reap() {
  for (;;) {
    int status = 0;
    const auto pid = ::waitpid(-1, &status, WNOHANG);
    if (pid == command_) status_ = status;
    // As the subreaper we are, or will be, the parent of every descendant: no child means none of them.
    if (pid < 0 && errno == ECHILD) any_child_ = false;
    if (pid <= 0) return;
  }
}

void HostRun::drain(Stream& stream) {
  static char buffer[65536];
  // Bounded, so that a command that writes without end cannot keep its own timeout from being seen.
  for (int turns = 0; stream.pipe && turns < 8; ++turns) {
    const auto n = ::read(stream.pipe.get(), buffer, sizeof buffer);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) stream.pipe.reset();
    if (n <= 0) return;
    const std::string_view text(buffer, static_cast<std::size_t>(n));
    whole_&&& stream == &out_ ? keep_whole(text) : keep(stream, stream.mask.add(text));
  }
}

void HostRun::keep_whole(std::string_view text) {
  whole_size_ += text.size();
  if (!why_ended_.empty()) return;
  if (whole_size_ > request_.out_limit)
    why_ended_ = "it printed more than " + std::to_string(request_.out_limit) + " bytes";
  else if (!write_all(whole_.get(), text))
    why_ended_ = because("cannot keep what it prints", errno);
  if (!why_ended_.empty()) begin_ending("ended", request_.grace);
}

void HostRun::keep(Stream& stream, std::string_view text) {
  log_.write(text);
  if (!request_.append) stream.tail.add(text);
}

void HostRun::begin_ending(const char* cause, Millis grace) {
  if (!status_ && !ending_.begun()) outcome_.cause = cause;
  ending_.begin(grace, *this);
}

void HostRun::leave_pipes_open() {
  if (::fork() != 0) return;
  directory_.forget_in_child();
  static char buffer[65536];
  while (streams_open()) {
    pollfd entries[2] = {{out_.pipe.get(), POLLIN, 0}, {err_.pipe.get(), POLLIN, 0}};
    ::poll(entries, 2, -1);
    for (auto* stream : {&out_, &err_}) {
      if (!stream->pipe) continue;
      const auto n = ::read(stream->pipe.get(), buffer, sizeof buffer);
      if (n > 0 && request_.append) log_.write({buffer, static_cast<std::size_t>(n)});
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) stream->pipe.reset();
    }
  }
  ::_exit(0);
}

void HostRun::send(int signal) {
  // The group at once, so that none of it can fork away; then who has left it, each once.
  // Once the command was reaped its number may name another group.
  const bool group = !status_ && ::kill(-command_, signal) == 0;
  for (const int pid : descendants()) {
    if (!group || ::getpgid(pid) != command_) ::kill(pid, signal);
    if (signal == SIGTERM) ::kill(pid, SIGCONT);  // who is stopped cannot act on it
  }
}

std::string HostRun::survivors() {
  std::string text;
  for (const int pid : descendants())
    text += (text.empty() ? "" : ", ") + std::to_string(pid) + " (" + command_line(pid) + ")";
  return text;
}

void HostRun::say_how_it_ended() {
  outcome_.error = why_ended_.empty() ? ending_.error() : why_ended_;
  if (!status_) return;
  if (WIFSIGNALED(*status_)) {
    outcome_.signal = WTERMSIG(*status_);
    outcome_.code = 128 + outcome_.signal;
  } else {
    outcome_.code = WEXITSTATUS(*status_);
  }
  if (outcome_.cause.empty()) outcome_.cause = outcome_.signal ? "signalled" : "exited";
}

}  // namespace stackd::shim
