// The rows of state.db as plain structs, and the repositories that read and write them: the only files with
// SQL are this folder's. Every function runs inside the caller's transaction, or alone. JSON columns are text
// here; whoever owns a document parses it. States are words; the enums live with their owners.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/store/database.hpp"
#include "daemon/util/time.hpp"

namespace stackd::store {

using util::TimeMs;

struct StackRow {
  std::string id, name, directory, format;
  std::string spec;             // JSON, model/json.hpp
  std::string facts;            // JSON, model/facts.hpp
  std::string status = "down";  // design.md: starting, up, degraded, stopping, stopped, failed, down
  std::string profile;
  std::string last_operation;  // "" before the first
  std::string extra = "{}";    // JSON for small facts that need no column (after_up done …)
  TimeMs created_at = 0, updated_at = 0;
};

// What tells stacks apart.
struct StackNames {
  std::string id, name, directory, status;
};

struct OperationRow {
  std::string id, stack_id, kind;  // up, down, restart, stop, start
  std::string request = "{}";      // JSON: options and services; equal requests join (X25)
  std::string state = "running";   // running, succeeded, failed, cancelled
  std::string mode =
      "forward";      // forward; rollback once it failed or was cancelled and takes away what it made
  std::string after;  // operation that must have ended before this one begins; "" none
  bool cancel_requested = false;
  std::string error;            // JSON {code, message, details}; "" none
  std::string warnings = "[]";  // JSON list of strings
  TimeMs created_at = 0;
  std::optional<TimeMs> ended_at;
};

struct StepRow {
  std::string operation_id;
  int ordinal = 0;  // 0-based, in the order planned
  std::string key;  // unique in the operation: "start db-1"
  std::string kind, service;
  std::string params = "{}";      // JSON
  std::string needs = "[]";       // JSON list of keys
  std::string on_error = "stop";  // stop | go_on
  std::string state = "pending";  // pending, running, done, skipped, failed, cancelled
  std::string reason;             // why skipped or failed
  std::string result = "{}";      // JSON
  std::optional<TimeMs> started_at, ended_at;
};

struct HookRunRow {
  std::string id;  // "<operation>-<ordinal>-<attempt>"; names its run directory
  std::string stack_id, operation_id;
  int step = -1;
  std::string phase, service, container, place, command;  // place: host, exec, container, build, entrypoint
  int index = 0, attempt = 1;
  std::string state = "running";  // running, succeeded, failed, skipped, cancelled
  std::optional<int> exit_code;
  std::string reason;  // why it ran (STACKD_REASON), or why it was skipped or failed
  std::string log, out_tail, err_tail;
  std::string definition;  // hash of the entry and what it depends on (run: once | changed, X1, X3)
  TimeMs started_at = 0;
  std::optional<TimeMs> ended_at;
};

struct PortRow {
  int port = 0;
  std::string host_ip, protocol, stack_id, service, key;
  bool active = true;
};

struct ProcessRow {                                               // the current run of a process service
  std::string stack_id, service, run_directory, log, definition;  // definition: hash of cmd, cwd, env
  std::uint64_t log_offset = 0;                                   // where this run's output begins
  std::string operation_id, state = "starting";                   // starting, ready, exited, stopped
  int restarts = 0, streak = 0;  // by its restart policy: all, and since it last ran well
};

// The last start of a replica that an operation has answered for (migrations/0002_starts.sql).
struct StartRow {
  std::string stack_id, service;
  int number = 1;
  std::string container, started_at;  // '' when its hooks are owed
  std::string state = "running";      // running, stopped (by us), lost (it ran when the engine went away)
};

// What was told last of a service, of a stack (no service) or of the engine (no stack).
struct StatusRow {
  std::string stack_id, service, status, reason;
  TimeMs since = 0;
};

// A command that somebody runs in a container now (migrations/0005_execs.sql).
struct ExecRow {
  std::string id;  // names its mark in the container
  std::string stack_id, service, container, exec, command;
  TimeMs started_at = 0;
};

// A container of `run` (migrations/0007_one_offs.sql).
struct OneOffRow {
  std::string id, stack_id, service, name;
  bool remove = false;    // once it has ended
  bool attached = false;  // it ends with its client
  TimeMs started_at = 0;
};

struct EventRow {
  std::int64_t sequence = 0;
  TimeMs at = 0;
  std::string stack_id, operation_id, kind, data;
};

// ---- repositories

struct Stacks {
  static void put(Database&, const StackRow&);  // insert or replace all columns
  static std::optional<StackRow> get(Database&, const std::string& id);
  static std::vector<StackRow> all(Database&);                             // by name, then id
  static std::vector<StackRow> named(Database&, const std::string& name);  // one a directory
  static std::vector<StackNames> names(Database&);                         // of all, without their documents
  static void set_status(Database&, const std::string& id, const std::string& status);
  static void set_last_operation(Database&, const std::string& id, const std::string& operation, TimeMs at);
  static void set_facts(Database&, const std::string& id, const std::string& facts);
  static void set_extra(Database&, const std::string& id, const std::string& extra);
  static void remove(Database&, const std::string& id);  // with everything that refers to it
};

struct Operations {
  static void insert(Database&, const OperationRow&);
  static void update(Database&, const OperationRow&);
  static std::optional<OperationRow> get(Database&, const std::string& id);
  static std::vector<OperationRow> running(Database&);  // oldest first
  static std::vector<OperationRow> of_stack(Database&, const std::string& stack_id,
                                            int limit);  // newest first; "" is all
  // The stack's newest operation before this one that has ended and was somebody's wish.
  static std::optional<OperationRow> before(Database&, const OperationRow&);
  static std::set<std::string> ids_of_stack(Database&, const std::string& stack_id);
  // Keeps the newest `keep` ended ones of every stack, and those that ended after `younger_than`. Hook runs
  // go with their operation, but for those that HookRuns::last and succeeded answer from (X1, X3).
  static void prune(Database&, int keep, TimeMs younger_than);
};

struct Steps {
  static void insert(Database&, const StepRow&);
  static void update(Database&, const StepRow&);  // state, reason, result and times
  static std::vector<StepRow> of_operation(Database&, const std::string& operation_id);  // by ordinal
  // Those of one kind, without all the others.
  static std::vector<StepRow> of_kind(Database&, const std::string& operation_id, const std::string& kind);
};

struct HookRuns {
  static void put(Database&, const HookRunRow&);  // insert or replace
  static std::optional<HookRunRow> get(Database&, const std::string& id);
  static std::vector<HookRunRow> of_stack(Database&, const std::string& stack_id, int limit);  // newest first
  static std::vector<HookRunRow> of_operation(Database&, const std::string& operation_id);     // oldest first
  static std::vector<HookRunRow> running(Database&);
  // Newest run of one entry that was neither skipped nor cancelled; `container` "" is any.
  static std::optional<HookRunRow> last(Database&, const std::string& stack_id, const std::string& service,
                                        const std::string& phase, int index, const std::string& container);
  // Of every entry and container the newest that ran, when it failed.
  static std::vector<HookRunRow> failed_last(Database&, const std::string& stack_id);
  // The newest that succeeded of those whose definition is `identity` with a state after it ("<identity>/…").
  static std::optional<HookRunRow> last_success(Database&, const std::string& stack_id,
                                                const std::string& service, const std::string& phase,
                                                const std::string& identity);
  // They stay, and answer no question any more of what has run: those of a service and of a phase, where they
  // are given. How many there were.
  static int forget(Database&, const std::string& stack_id, const std::string& service,
                    const std::string& phase);
  // The newest success of an entry with this definition.
  static std::optional<HookRunRow> success_of(Database&, const std::string& stack_id,
                                              const std::string& service, const std::string& phase,
                                              const std::string& definition);
  // Ids of the containers in which an entry with this definition has succeeded.
  static std::set<std::string> containers_of(Database&, const std::string& stack_id,
                                             const std::string& service, const std::string& phase,
                                             const std::string& definition);
  // Has an entry with this definition succeeded (in this container, when one is given)?
  static bool succeeded(Database&, const std::string& stack_id, const std::string& service,
                        const std::string& phase, const std::string& definition,
                        const std::string& container);
};

struct Ports {
  static std::vector<PortRow> all(Database&);
  static std::vector<PortRow> of_stack(Database&, const std::string& stack_id);
  // Insert or replace by stack, service and key. Throws Error(conflict) when the row is active and another
  // active one has its (port, protocol).
  static void put(Database&, const PortRow&);
  static void release(Database&, const std::string& stack_id);  // keeps them as remembered, not active
};

struct Processes {
  static void put(Database&, const ProcessRow&);
  static std::optional<ProcessRow> get(Database&, const std::string& stack_id, const std::string& service);
  static std::vector<ProcessRow> of_stack(Database&, const std::string& stack_id);
  static std::vector<ProcessRow> all(Database&);
  static void remove(Database&, const std::string& stack_id, const std::string& service);
};

struct Starts {
  static void put(Database&, const StartRow&);
  static std::vector<StartRow> of_stack(Database&, const std::string& stack_id);
  // Only when it is in state `from`; "" is any.
  static void set_state(Database&, const std::string& container, const std::string& from,
                        const std::string& to);
  static void owe(Database&, const std::string& stack_id, const std::string& service);
  static void remove(Database&, const std::string& stack_id);
};

struct Statuses {
  static std::vector<StatusRow> all(Database&);
  static void put(Database&, const StatusRow&);
  static void remove(Database&, const std::string& stack_id, const std::string& service);
};

struct Execs {
  static void put(Database&, const ExecRow&);
  static std::vector<ExecRow> all(Database&);  // oldest first
  static void remove(Database&, const std::string& id);
};

struct OneOffs {
  static void put(Database&, const OneOffRow&);
  static std::vector<OneOffRow> all(Database&);  // oldest first
  static void remove(Database&, const std::string& id);
};

struct Events {
  // Returns the sequence number.
  static std::int64_t append(Database&, const EventRow&);
  // After `sequence`, oldest first; of one operation or stack when they are given.
  static std::vector<EventRow> after(Database&, std::int64_t sequence, const std::string& stack_id,
                                     const std::string& operation_id, int limit);
  static std::int64_t newest(Database&);
  static void prune(Database&, std::int64_t keep);
};

}  // namespace stackd::store
