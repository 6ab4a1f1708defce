// HostRun: runs a command of this machine, from fork to the last of its processes.
//
// What is left when the command itself has ended: of a service, everything is ended, its tree is the service.
// Of a hook or a oneshot, nothing: what it put in the background was meant to stay. Output is waited for
// k_linger long, then the run is over, and a helper goes on emptying the pipes so that nobody dies of writing
// to them: a oneshot's into its log, a hook's into nothing.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "daemon/process/shim/ending.hpp"
#include "daemon/process/shim/log_file.hpp"
#include "daemon/process/shim/mask.hpp"
#include "daemon/process/shim/request.hpp"
#include "daemon/process/shim/run_directory.hpp"
#include "daemon/process/shim/signals.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::shim {

class HostRun : private Tree {
public:
  HostRun(Request& request, RunDirectory& directory, Signals& signals, Log& log);
  // `started(true)` once the command runs, `started(false)` when it cannot be started.
  Outcome run(const std::function<void(bool)>& started);

private:
  struct Stream {
    util::Fd pipe;
    Mask mask;
    Tail tail;
  };
  struct Failure;

  bool start();
  [[noreturn]] void become_command(pid_t shim, int failure_pipe, int null, int out, int err);
  bool open_pipe(Stream& stream, util::Fd& write_end);
  void loop();
  bool over();
  void wait_for_something();
  void reap();
  void drain(Stream& stream);
  void keep(Stream& stream, std::string_view text);
  void keep_whole(std::string_view text);
  void begin_ending(const char* cause, Millis grace);
  void leave_pipes_open();
  bool streams_open() const { return out_.pipe || err_.pipe; }
  void say_how_it_ended();

  void send(int signal) override;
  bool gone() override { return !any_child_; }
  Millis look_again() const override { return 0; }
  std::string survivors() override;

  static constexpr Millis k_linger = 200;

  Request& request_;
  RunDirectory& directory_;
  Signals& signals_;
  Log& log_;
  Stream out_, err_;
  util::Fd whole_;  // request_.out
  std::size_t whole_size_ = 0;
  std::string why_ended_;
  pid_t command_ = 0;
  bool any_child_ = true;
  std::optional<int> status_;  // as waitpid gives it
  std::optional<Millis> time_out_at_, linger_until_;
  Ending ending_;
  Outcome outcome_;
};

}  // namespace stackd::shim
