// Runs: commands that outlive the daemon. Each is held by one stackd-shim, a small process of its own session
// that is child subreaper, takes the run's directory by an exclusive rename, holds a lock in it for life,
// writes the output and, at the end, the exit status; so a run happens at most once whatever happens to the
// daemon, and what it did is on disk. (design.md, "Host processes"; semantics.md E1 for execs.) Control
// thread only.
//
// A run's directory:  request.json  as given      lock    flock'd by the living shim
//                     started.json  {pid, born, boot, shim, at, exec}   exit.json  {cause, code, signal,
//                     error, tails, times}
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "daemon/async/file_thread.hpp"
#include "daemon/process/types.hpp"

namespace stackd::process {

class Runs {
public:
  // `shim`: path of stackd-shim. `files`: the thread that looks into runs' directories. `limits`: of the logs
  // of services.
  Runs(asio::any_io_executor executor, std::filesystem::path shim, async::FileThread& files,
       LogLimits limits = {});
  ~Runs();

  // Starts the run unless its directory is taken: then the run that has it is the one meant. Returns when the
  // shim has taken the directory and started the command (or written why not). Cancelled, it still waits for
  // the take (about a millisecond): what state() says then is final, and a run that is there goes on. Throws
  // invalid_request, no_engine (the engine's host has no address), io (the directory cannot be made).
  awaitable<void> start(RunRequest request);
  // Until the run has ended, however it was started and by whichever daemon; of one whose shim was killed,
  // until what it held has been ended too. Cancellable; the run goes on. Throws not_found when there is no
  // such run.
  awaitable<RunExit> wait(std::filesystem::path directory);
  // Asks the shim to end the whole tree (TERM, `grace`, KILL; in a container through the engine) and waits
  // for it. No such run (it says not_started), or one that has ended, is success. Again with a shorter grace:
  // that one counts.
  awaitable<RunExit> end(std::filesystem::path directory, std::chrono::milliseconds grace);

  // Looks at directories; waits for no run.
  awaitable<RunLook> look(std::filesystem::path directory);
  awaitable<std::vector<RunLook>> look_at(std::vector<std::filesystem::path> directories);

private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace stackd::process
