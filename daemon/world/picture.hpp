// Picture: what is there, of every stack, and what has changed of it (semantics.md, part W). A stack is
// looked at again only when a commit, the engine or a process has touched it; questions are answered with
// what was seen last. Control thread.
//
// Each change of a service's or a stack's status is told by an event, whoever made it: with the commit that
// comes next, or after 20 ms with one of its own for all that changed meanwhile (W7).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/journal/journal.hpp"
#include "daemon/model/stack.hpp"
#include "daemon/process/runs.hpp"
#include "daemon/world/models.hpp"
#include "daemon/world/monitor.hpp"
#include "daemon/world/waits.hpp"

namespace stackd::world {

struct ServiceNow {
  std::string name, status, reason;
  std::string known;        // the status known last, while it is `unknown`
  std::string waiting_for;  // what holds it up, while an operation brings it up: a check and its last answer,
                            // other services
  util::TimeMs since = 0;   // of the status; by the engine's clock where the engine made it
  std::optional<int> exit_code, pid;
  int restarts = 0;
  Cause cause = Cause::found;
  std::vector<std::pair<std::string, ContainerState>> containers;  // with their ids, by number
};

struct StackNow {
  store::StackRow row;  // without the texts of spec and facts, which `model` has
  model::Stack model;
  std::optional<store::OperationRow> operation;  // the last one
  std::vector<store::StepRow> steps;             // of a running one all, of an ended one those that planned
  std::vector<ServiceNow> services;              // in the spec's order
  std::string status;
  bool engine_away = false;
  util::TimeMs as_of = 0;    // when the engine was heard of last, while it is away
  std::uint64_t number = 0;  // another one is another picture
};

// Kinds of steps that mean something here: `plan` knows them, and this room does not know plan.
struct StepKinds {
  std::set<std::string> readiness;  // one that waits until its service is ready
  std::string planning;
};

class Picture {
public:
  Picture(asio::any_io_executor executor, journal::Journal& journal, Monitor& monitor, Models& models,
          process::Runs& runs, Waits& waits, StepKinds kinds);

  // Tells what changes, until it is cancelled.
  awaitable<void> run();

  // Throws not_found for a stack that the store does not know.
  awaitable<std::shared_ptr<const StackNow>> of(std::string stack);
  awaitable<std::vector<std::shared_ptr<const StackNow>>> all();
  // The same by id, and nothing for what is none.
  awaitable<std::shared_ptr<const StackNow>> known(std::string stack);
  // Nothing has touched it since it was looked at.
  bool is_current(const std::string& stack) const;
  // Something of it changed; "" for all.
  void touch(const std::string& stack);
  // Woken when something was touched.
  async::Signal& changed() { return changed_; }

private:
  struct Seen {
    std::shared_ptr<const StackNow> now;
    std::uint64_t touched = 1, looked = 0;  // looked < touched: it is to be looked at again
  };
  struct Rows;
  // Of one service: what was told, and when, for the limit on what flaps.
  struct Told {
    store::StatusRow row;
    std::deque<std::chrono::steady_clock::time_point> times;
    int untold = 0;
    std::string last_seen;
  };
  struct Telling;

  awaitable<void> load();
  awaitable<void> begun();
  awaitable<std::shared_ptr<const StackNow>> look(std::string stack);
  awaitable<Rows> read(std::string stack, std::shared_ptr<const model::Stack> model);
  void fill(StackNow& now, const Rows& rows, const std::map<std::string, process::RunLook>& runs) const;
  void set_since(StackNow& now) const;
  std::string changed_by_hand(const StackNow& now, const model::Service& service,
                              const std::vector<std::pair<std::string, ContainerState>>& containers) const;
  awaitable<void> tell();
  void compare(const StackNow& now, Telling& telling);
  bool engine_is_news() const;
  void compare_engine(Telling& telling);
  bool may_tell(Told& told, const std::string& status, const std::string& stack);

  asio::any_io_executor executor_;
  journal::Journal& journal_;
  Monitor& monitor_;
  Models& models_;
  process::Runs& runs_;
  Waits& waits_;
  StepKinds kinds_;
  async::Signal changed_;
  bool loaded_ = false;
  std::map<std::string, Seen> stacks_;
  std::set<std::string> untold_;  // stacks to compare with what was told
  std::map<std::string, std::chrono::steady_clock::time_point>
      later_;                                                 // stacks whose flapping service is told of then
  std::map<std::pair<std::string, std::string>, Told> told_;  // by stack and service
  std::uint64_t numbers_ = 0;
};

}  // namespace stackd::world
