#include "daemon/process/shim/run_directory.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <cerrno>

#include "daemon/process/shim/json.hpp"
#include "daemon/process/shim/processes.hpp"
#include "daemon/process/shim/protocol.hpp"

namespace stackd::shim {
namespace {

constexpr std::size_t k_started_size = 512;  // more than it ever has

bool reader_has_gone(int pipe) {
  pollfd entry{pipe, 0, 0};
  return ::poll(&entry, 1, 0) > 0 && (entry.revents & POLLERR);
}

// 0 or errno. Where the file system has no exclusive rename, the plain one is as good: it refuses a target
// directory that is not empty, and a run's never is.
int rename_exclusively(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

void remove_temporary(const std::string& path) {
  for (const auto* file : {name::k_lock, name::k_request}) ::unlink((path + "/" + file).c_str());
  ::unlink((path + "/" + name::k_started + ".new").c_str());
  ::rmdir(path.c_str());
}

}  // namespace

bool RunDirectory::build(const std::string& temporary, std::string_view readable_request) {
  const auto parent = parent_of(temporary);
  if (!make_directories(parent) || ::mkdir(temporary.c_str(), 0700) != 0) {
    error_ = because("cannot make directory '" + temporary + "'", errno);
    return false;
  }
  directory_.reset(::open(temporary.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  lock_.reset(::openat(directory_.get(), name::k_lock, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!lock_ || ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 ||
      !write_all(lock_.get(), std::to_string(::getpid()) + "\n")) {
    error_ = because("cannot lock '" + temporary + "/" + name::k_lock + "'", errno);
    return false;
  }
  util::Fd request(
      ::openat(directory_.get(), name::k_request, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!request || !write_all(request.get(), readable_request)) {
    error_ = because("cannot write '" + temporary + "/" + name::k_request + "'", errno);
    return false;
  }
  // What runs without a started.json could not be found by its pid, hence not be ended: on a disk that gets
  // full it is not begun.
  if (!room_for_file(directory_.get(), name::k_started, k_started_size)) {
    error_ = because("cannot keep room for '" + temporary + "/" + name::k_started + "'", errno);
    return false;
  }
  return true;
}

RunDirectory::Take RunDirectory::take(const std::string& path, std::string_view readable_request,
                                      int status) {
  const auto parent = parent_of(path);
  timespec at{};
  ::clock_gettime(CLOCK_REALTIME, &at);
  const auto temporary = parent + "/.taking-" + std::to_string(::getpid()) + "-" +
                         std::to_string(at.tv_nsec) + "-" + path.substr(path.rfind('/') + 1);
  auto result = Take::failed;
  if (build(temporary, readable_request)) {
    const int failure = reader_has_gone(status) ? EPIPE : rename_exclusively(temporary, path);
    if (failure == 0) {
      // A power cut must not undo the take: what ran would run again.
      util::Fd above(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      ::fsync(above.get());
      return Take::took;
    }
    if (failure == EPIPE) result = Take::unwanted;
    if (failure == EEXIST || failure == ENOTEMPTY) result = Take::taken;
    error_ = because("cannot make directory '" + path + "'", failure);
  }
  remove_temporary(temporary);
  return result;
}

void RunDirectory::write_started(int pid, const std::string& exec) {
  if (started_at_ == 0) {
    started_at_ = wall_clock();
    begun_ = now();
  }
  JsonObject started;
  started.add("pid", pid);
  started.add("shim", ::getpid());
  started.add("at", started_at_);
  started.add("boot", boot());
  if (const auto command = process(pid)) started.add("born", static_cast<std::int64_t>(command->born));
  if (!exec.empty()) started.add("exec", exec);
  write_file(directory_.get(), name::k_started, started.text());
}

void RunDirectory::write_exit(const Outcome& outcome) {
  JsonObject exit;
  exit.add("cause", outcome.cause);
  exit.add("code", outcome.code);
  exit.add("signal", outcome.signal);
  exit.add("error", outcome.error);
  exit.add("out", outcome.out_tail);
  exit.add("err", outcome.err_tail);
  exit.add("started_at", started_at_);
  exit.add("ended_at", wall_clock());
  if (started_at_ != 0) exit.add("ran", now() - begun_);
  // Not synced, it would be a millisecond of every hook: the daemon that waits commits the result at once,
  // and after a power cut before that the run is lost, which is never taken for a success.
  // On a full disk it waits for room: without it the run would count as lost, whatever it did.
  while (!write_file(directory_.get(), name::k_exit, exit.text()) && (errno == ENOSPC || errno == EDQUOT)) {
    constexpr timespec k_pause{0, 200'000'000};
    ::nanosleep(&k_pause, nullptr);
  }
}

Millis RunDirectory::grace_or(Millis otherwise) const {
  const auto text = read_small_file(directory_.get(), name::k_grace);
  return text.empty() ? otherwise : ::strtoll(text.c_str(), nullptr, 10);
}

void RunDirectory::forget_in_child() {
  lock_.reset();
  directory_.reset();
}

}  // namespace stackd::shim
