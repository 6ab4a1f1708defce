// What a run is asked for, and how it ended. Plain data, no Asio. (runs.hpp)
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/util/time.hpp"

namespace stackd::process {

enum class Place { host, exec };  // a command of this machine; an exec in a container
enum class Capture {
  capped,  // a hook's output: the newest 1 MB of it, and the tail of each stream
  append   // a service's: rotated, with times (log_times.hpp)
};

// Of a service's log.
struct LogLimits {
  std::uint64_t size = 10'000'000;  // bytes, before the next one begins
  int kept = 3;                     // old ones
};

inline constexpr int k_umask = 022;  // where no caller has said one; the daemon's own is 077

struct RunRequest {
  std::filesystem::path directory;  // <state>/stacks/<id>/runs/<run>; must not exist
  Place place = Place::host;
  std::vector<std::string> argv;  // host: the program and its arguments ({"/bin/sh", "-c", text}); exec: Cmd
  std::string cwd;                // host: absolute; exec: "" is the container's
  int umask = k_umask;            // host
  std::map<std::string, std::string>
      env;  // host: the whole environment; exec: added to the container's. Both get a STACKD_RUN of this
            // run's own, by which its processes are known
  std::vector<std::string>
      bare_env;               // exec: names that go as they are, which takes them from the container's (C1.3)
  std::filesystem::path log;  // made with its directories when it is missing; "" keeps none
  Capture capture = Capture::capped;
  bool truncate_log = true;          // a hook's log holds its last run; retries and services append
  std::string log_header;            // written first, with a newline
  std::vector<std::string> secrets;  // shown as "***" in a capped log, in tails and in request.json; the
                                     // longest first, no empty one
  bool leave_background = false;  // append: what is left when the command has ended stays (a oneshot's side
                                  // effect); else it is ended, as a service's. A capped run's always stays.
  std::size_t log_limit = 1'000'000;  // bytes kept of a capped log: the newest
  std::filesystem::path
      out;  // host, capped: what it prints on standard output goes here, whole and as it is, and
            // not to the log. More than `out_limit` bytes: it is ended, and the error says so
  std::size_t out_limit = 1'000'000;
  std::optional<std::chrono::milliseconds>
      timeout;  // kept by the shim itself: TERM, grace, KILL to the whole tree
  std::chrono::milliseconds grace{5000};
  // exec
  std::string engine_host;  // as Engine::host()
  std::string api_version;
  std::string container;
  std::string user;
  bool privileged = false, tty = false;
};

enum class Cause { exited, signalled, timed_out, ended, lost, not_started };
// exited: by itself, `code`. signalled: by a signal that the daemon did not send. timed_out: by its limit.
// ended: by end(), or because the machine went down. lost: the shim died without a word (killed, reboot; what
// it held is ended before anybody is told), or the engine lost the exec. not_started: the command could not
// be started, or the engine refused the exec; see `error`, and `code` is 127 or 126 as a shell's.

struct RunExit {
  Cause cause = Cause::lost;
  int code = -1;  // 128+N for a signal, as a shell says it
  int signal = 0;
  std::string error;  // why it was not started, what the engine answered, what could not be ended
  bool left = false;  // lost: some of it could not be ended; `error` names it
  std::string out_tail, err_tail;  // the last 4 KB of each (capped runs)
  util::TimeMs started_at = 0, ended_at = 0;
  util::TimeMs ran = 0;  // how long, by a clock that nobody changes
  bool ok() const { return cause == Cause::exited && code == 0; }
};

enum class RunState { absent, running, ended };

// What a run's directory says at a moment.
struct RunLook {
  RunState state = RunState::absent;
  std::optional<int>
      pid;  // of the command (not the shim's) while it runs; of an exec the host's, once it is known
  std::optional<RunExit> exit;  // when it has ended
  bool abandoned = false;       // lost, and nobody has ended what the shim held yet: wait() and end() do
  bool running() const { return state == RunState::running; }
  // It has ended with 0.
  bool done() const { return exit && exit->ok(); }
};

}  // namespace stackd::process
