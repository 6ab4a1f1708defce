// Keeper: notices what happens to a stack that nobody asked for, and answers with an operation of kind
// `recover`:
//
//   a container was started by the engine (its restart policy, `docker start`)   what follows a start (X30)
//   the engine went away and came back                              what ran until then, in graph order (T32)
//   a process ended, and its `restart` says so                      a start of the process, after a pause
//
// It looks at a stack when something there has changed, when one of its operations has ended, and once after
// the daemon has started; never while an operation of the stack runs. What it concludes is committed together
// with the operation, so that a daemon that dies in between neither forgets nor repeats it. Control thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/async/signal.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/keeper/tools.hpp"

namespace stackd::keeper {

class Keeper {
public:
  explicit Keeper(Tools& tools);

  // Runs until it is cancelled.
  awaitable<void> run();

private:
  struct Findings;

  void look_at(const std::string& stack);
  awaitable<void> look();
  awaitable<void> look_at_all();
  void note_recovery(const store::OperationRow& row);
  awaitable<bool> write_lost();  // false when it could not be: then again, before anything else
  awaitable<void> check(std::string stack);
  awaitable<void> find_containers(model::Stack stack, std::string status, Findings& found);
  awaitable<void> find_processes(model::Stack stack, std::vector<store::ProcessRow> rows, Findings& found);
  awaitable<void> submit(std::string stack, Findings found);
  void watch(const store::ProcessRow& row);
  awaitable<void> until_ended(store::ProcessRow row);
  using Clock = std::chrono::steady_clock;  // pauses do not mind that the wall clock is changed
  void look_again(const std::string& stack, Clock::time_point at);
  Clock::time_point ended_at(const store::ProcessRow& row, const process::RunExit& exit);

  Tools& tools_;
  async::Signal wake_;
  async::TaskGroup watches_;
  std::set<std::string> waiting_;                 // stacks to look at
  std::map<std::string, Clock::time_point> due_;  // stacks to look at then
  std::set<std::string> watched_;                 // run directories
  std::map<std::string, Clock::time_point>
      tried_;  // "<stack> <service>": when its process was last started again
  // "<stack> <service>": the run of it that was seen to have ended, and when that was.
  std::map<std::string, std::pair<std::string, Clock::time_point>> ended_;
  std::vector<std::string> lost_;          // containers that ran when the engine went away; not written yet
  int losses_ = 0;                         // of the engine
  std::map<std::string, int> recoveries_;  // that run, by id: the losses there were when it began
  std::vector<std::pair<std::string, std::string>> seen_to_;  // stack and service; not written yet
};

}  // namespace stackd::keeper
