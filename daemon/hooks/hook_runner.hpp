// HookRunner: runs one entry of a phase, wherever it runs, at most once whatever happens to the daemon. The
// record (store::HookRunRow) is committed before the command starts and when it has ended; the command is
// held by a run (process/runs.hpp) whose directory is named after the record. Asking again for the same job
// finds what was done. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/hooks/container_run.hpp"
#include "daemon/hooks/tools.hpp"
#include "daemon/model/facts.hpp"
#include "daemon/process/runs.hpp"
#include "daemon/resolve/environment.hpp"

namespace stackd::hooks {

// What a hook may be told about the world; becomes the STACKD_* variables and the file STACKD_CONTEXT.
struct Surroundings {
  std::string stack, stack_id, operation, operation_kind, reason, profile;
  std::string previous;  // state of the stack's last operation: "succeeded", "failed", …; "" for the first
  nlohmann::json context;  // services, ports, containers, the previous result
};

struct HookJob {
  std::shared_ptr<const model::Spec> spec;
  std::shared_ptr<const model::Facts> facts;
  model::Hook hook;
  std::string run_id;  // "<operation>-<step>"; attempts add "-<n>"
  int step = -1;
  std::string container;  // exec: the container's id; also what a record is kept against (X1, X3)
  std::string container_name;
  std::optional<translate::HookContainer>
      own_container;                   // place container: what to create; its name is set here
  bool only_unless_succeeded = false;  // skip when this entry has succeeded in this container (X1, X3)
  bool by_hand = false;                // whatever it remembers, and its `if` says
  std::string inputs;                  // for run: changed, state_of_inputs()
  std::string skip;                    // a reason of the caller's not to run it; it is recorded as skipped
  std::string failure;                 // what keeps it from being run: it is recorded as failed
  Surroundings about;
};

// STACKD_STACK and its like, which every hook gets wherever it runs.
resolve::Variables variables_of(const HookJob& job);

struct HookResult {
  bool ok = true;         // succeeded, skipped, or failed with on_failure: ignore
  bool warn = false;      // failed, and on_failure says to go on with a warning
  std::string message;    // of a failure: Compose's words for container hooks (C2.9), Lich's for host hooks
  store::HookRunRow row;  // of the last attempt
  // Of a success that was not written yet: to be called in the transaction of what follows from it, which
  // saves one. A daemon that dies before finds the run's end on disk and comes here again. Empty: all is
  // written.
  std::function<void(store::Database&)> record;
};

class HookRunner {
public:
  explicit HookRunner(Tools& tools);

  // Cancellable: the command goes on; end() ends it.
  awaitable<HookResult> run(HookJob job);
  // Why a job is not to be run: its own `skip`, `if`, `run: once` and `changed`, what succeeded already; else
  // "".
  awaitable<std::string> reason_to_skip(const HookJob& job);
  // Ends the command of a record that is still "running" and closes the record as cancelled.
  awaitable<void> end(store::HookRunRow row, std::string why);

private:
  awaitable<void> look_again(HookJob& job);
  awaitable<void> attempt(HookJob& job, int number, HookResult& result);
  awaitable<store::HookRunRow> begin(const HookJob& job, int number, bool& resumed);
  awaitable<process::RunExit> run_held(const HookJob& job,
                                       store::HookRunRow row);  // host and exec, by a shim
  awaitable<process::RunExit> run_container(const HookJob& job, store::HookRunRow row, bool resumed);
  awaitable<void> remove_own(const HookJob& job, store::HookRunRow row);
  // Recorded without having run.
  awaitable<store::HookRunRow> leave(const HookJob& job, std::string state, std::string why);
  awaitable<void> record(store::HookRunRow row, std::string event);
  awaitable<void> follow(store::HookRunRow row);
  void note_line(const store::HookRunRow& row, const std::string& line);
  awaitable<bool> has_begun(const HookJob& job);
  process::RunRequest request_of(const HookJob& job, const store::HookRunRow& row) const;
  awaitable<std::filesystem::path> link_log(store::HookRunRow row);
  std::filesystem::path context_file(const store::HookRunRow& row) const;

  Tools& tools_;
};

// The record and its event, for a transaction of the caller's.
std::function<void(store::Database&)> writing(store::HookRunRow row, std::string event);
// Wire form of a record for events: {run, phase, index, service, …}.
nlohmann::json event_of(const store::HookRunRow& row);

}  // namespace stackd::hooks
