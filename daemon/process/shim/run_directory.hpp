// RunDirectory: takes a run's directory, exclusively, and writes what is in it (protocol.hpp, `name`).
#pragma once

#include <string>
#include <string_view>

#include "daemon/process/shim/system.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::shim {

// How a run ended, as exit.json says it.
struct Outcome {
  std::string cause;  // exited, signalled, timed_out, ended, lost, not_started
  int code = -1, signal = 0;
  std::string error, out_tail, err_tail;
};

class RunDirectory {
public:
  enum class Take { took, taken, failed, unwanted };
  // Makes the directory under a temporary name, complete with the lock held and the request, and renames it
  // into place unless something is there: whoever sees it sees a run that is alive. `unwanted`: the reader of
  // `status` has gone, so nobody knows of this run and nobody ever will; it must not begin. `error()` says
  // why it failed.
  Take take(const std::string& path, std::string_view readable_request, int status);
  const std::string& error() const { return error_; }

  void write_started(int pid, const std::string& exec);
  void write_exit(const Outcome& outcome);
  // What Runs::end asked for, else `otherwise`.
  Millis grace_or(Millis otherwise) const;
  // In a forked child: so that it does not hold the lock should it live longer than the shim.
  void forget_in_child();

private:
  bool build(const std::string& temporary, std::string_view readable_request);
  util::Fd directory_, lock_;
  std::string error_;
  Millis started_at_ = 0, begun_ = 0;  // by the wall, and by the clock that nobody changes
};

}  // namespace stackd::shim
