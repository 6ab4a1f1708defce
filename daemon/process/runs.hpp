// Runs: commands that outlive the daemon. Each is held by one stackd-shim, a small process of its own session
// that is child subreaper, takes the run's directory by an exclusive rename, holds a lock in it for life,
// writes the output and, at the end, the exit status; so a run happens at most once whatever happens to the
// daemon, and what it did is on disk. (design.md, "Host processes"; semantics.md E1 for execs.) Control
// thread only.
//
// A run's directory:  request.json  as given      lock    flock'd by the living shim
//                     started.json  {pid, shim, at, exec}   exit.json  {cause, code, signal, error, tails,
//                     times}
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/async/asio.hpp"
#include "daemon/util/time.hpp"

namespace stackd::process {

enum class Place { host, exec };  // a command of this machine; an exec in a container
enum class Capture {
  capped,
  append
};  // a hook: pipes, newest 1 MB kept, tails; a service: the file itself is stdout

struct RunRequest {
  std::filesystem::path directory;  // <state>/stacks/<id>/runs/<run>; must not exist
  Place place = Place::host;
  std::vector<std::string> argv;  // host: the program and its arguments ({"/bin/sh", "-c", text}); exec: Cmd
  std::string cwd;                // host: absolute; exec: "" is the container's
  std::map<std::string, std::string>
      env;  // host: the whole environment; exec: added to the container's (with a
            // STACKD_RUN of this run's own, by which its processes are known)
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
// ended: by end(), or because the machine went down. lost: the shim died without a word (killed, reboot; its
// command dies with it), or the engine lost the exec. not_started: the command could not be started, or the
// engine refused the exec; see `error`, and `code` is 127 or 126 as a shell's.

struct RunExit {
  Cause cause = Cause::lost;
  int code = -1;  // 128+N for a signal, as a shell says it
  int signal = 0;
  std::string error;  // why it was not started, what the engine answered, what could not be ended
  std::string out_tail, err_tail;  // the last 4 KB of each (capped runs)
  util::TimeMs started_at = 0, ended_at = 0;
  bool ok() const { return cause == Cause::exited && code == 0; }
};

enum class RunState { absent, running, ended };

class Runs {
public:
  // `shim`: path of stackd-shim.
  Runs(asio::any_io_executor executor, std::filesystem::path shim);
  ~Runs();

  // Starts the run unless its directory is taken: then the run that has it is the one meant. Returns when the
  // shim has taken the directory and started the command (or written why not). Cancelled, it still waits for
  // the take (about a millisecond): what state() says then is final, and a run that is there goes on. Throws
  // invalid_request, no_engine (the engine's host has no address), io (the directory cannot be made).
  awaitable<void> start(RunRequest request);
  // Until the run has ended, however it was started and by whichever daemon. Cancellable; the run goes on.
  // Throws not_found when there is no such run.
  awaitable<RunExit> wait(std::filesystem::path directory);
  // Asks the shim to end the whole tree (TERM, `grace`, KILL; in a container through the engine) and waits
  // for it. No such run (it says not_started), or one that has ended, is success. Again with a shorter grace:
  // that one counts.
  awaitable<RunExit> end(std::filesystem::path directory, std::chrono::milliseconds grace);

  // Looks at the directory only; does not wait.
  RunState state(const std::filesystem::path& directory) const;
  std::optional<RunExit> exit_of(const std::filesystem::path& directory) const;
  // pid of the command (not the shim's) while it runs; of an exec the host's, as the engine says it, once it
  // is known.
  std::optional<int> pid(const std::filesystem::path& directory) const;

private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace stackd::process
