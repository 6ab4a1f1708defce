// Stage: a runner on a real store whose every move the test decides: which commit goes through, is refused or
// is the daemon's last, and which step ends when. Nothing here depends on how fast a thread is: between two
// decisions everything is let run until it waits for the next.
#pragma once

#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "daemon/async/task_group.hpp"
#include "daemon/journal/journal.hpp"
#include "daemon/operations/runner.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/daemon/operations/rules.hpp"

namespace stackd::test {

enum class Verdict { none, pass, refuse, die_before, die_after };

inline AllRows all_rows(store::Database& db) {
  AllRows rows;
  for (auto& row : store::Operations::of_stack(db, "", 1000)) {
    auto steps = store::Steps::of_operation(db, row.id);
    const auto id = row.id;
    rows[id] = {std::move(row), std::move(steps)};
  }
  return rows;
}

// Holds the store's thread at each commit until the test has said what becomes of it.
class Valve {
public:
  using Point = store::Database::CommitPoint;

  explicit Valve(asio::io_context& loop) : loop_(loop) {}

  // On the store's thread.
  void at(store::Database& db, Point point) {
    if (dead_) throw util::Error(util::ErrorKind::io, "the process has ended");
    if (point == Point::after) return end_if(Verdict::die_after);
    {
      std::unique_lock lock(mutex_);
      rows_ = all_rows(db);
      verdict_ = Verdict::none;
      asked_ = true;
      asio::post(loop_, [] {});
      answered_.wait(lock, [this] { return verdict_ != Verdict::none; });
      asked_ = false;
    }
    if (verdict_ == Verdict::refuse) throw util::Error(util::ErrorKind::io, "database or disk is full");
    end_if(Verdict::die_before);
  }

  // On the test's.
  bool asked() const {
    const std::lock_guard lock(mutex_);
    return asked_ && verdict_ == Verdict::none;
  }
  // Everything as the commit that waits would make it.
  const AllRows& rows() const { return rows_; }
  void answer(Verdict verdict) {
    const std::lock_guard lock(mutex_);
    verdict_ = verdict;
    answered_.notify_all();
  }
  // Whatever else is written from now on is not.
  void close() {
    dead_ = true;
    if (asked()) answer(Verdict::refuse);
  }

private:
  void end_if(Verdict verdict) {
    if (verdict_ != verdict) return;
    dead_ = true;
    throw util::Error(util::ErrorKind::io, "the process has ended");
  }

  asio::io_context& loop_;
  mutable std::mutex mutex_;
  std::condition_variable answered_;
  Verdict verdict_ = Verdict::none;
  bool asked_ = false;
  std::atomic<bool> dead_ = false;
  AllRows rows_;
};

// A step that runs and waits for the test.
struct Ticket {
  Ticket(const asio::any_io_executor& executor, const operations::StepContext& context)
      : operation(context.operation.id), key(context.step.key), kind(context.step.kind), changed(executor) {}
  std::string operation, key, kind;
  bool open = false;
  async::Signal changed;
};

// What outlives a daemon: the file, what was committed to it, the effects of steps; and what has gone wrong.
struct Stage {
  Stage(std::filesystem::path f, Script s) : file(std::move(f)), script(s) {}

  std::filesystem::path file;
  Script script;
  AllRows rows;                          // as committed
  std::set<std::string> effects;         // "operation key"
  std::map<std::string, int> begun;      // how often a step was run and not told that it was there before
  std::set<std::string> late;            // operations whose time is over
  std::vector<std::string> wrong, told;  // told: what happened, for whoever reads about a failure
  bool dead = false;                     // the process has ended, whatever its threads still do

  void expect(bool holds, const std::string& what) {
    if (!holds) wrong.push_back(what);
  }
};

class Daemon {
public:
  explicit Daemon(Stage& stage)
      : stage_(stage),
        loop_(1),
        work_(asio::make_work_guard(loop_)),
        valve_(loop_),
        journal_(loop_.get_executor(), stage.file),
        runner_(loop_.get_executor(), journal_, policy()),
        users_(loop_.get_executor()),
        found_(all_rows(journal_.direct())) {
    stage_.dead = false;
    auto& db = journal_.direct();
    db.execute("PRAGMA synchronous = OFF");  // a process ends here, and no machine
    db.on_commit([this, &db](Valve::Point point, std::uint64_t) { valve_.at(db, point); });
    for (const char* kind : {"work", "wait"}) {
      auto run = [this](operations::StepContext context) { return step(std::move(context)); };
      runner_.add_kind(kind, {run, std::string(kind) == "wait"});
    }
    runner_.on_ended([this](const store::OperationRow& row) { has_ended_here(row); });
    stage_.expect(found_.size() == stage_.rows.size(),
                  "what was committed is not what the next daemon finds");
    stage_.rows = found_;
    spawn([this]() -> awaitable<void> { co_await runner_.recover(); });
  }
  ~Daemon() { leave(); }
  // Before it goes: nobody is in the middle of anything.
  void leave() {
    if (!over_) die();
    asio::post(loop_, [this] { users_.cancel_all(); });
    while (users_.size() > 0) loop_.run_one();
  }

  operations::Runner& runner() { return runner_; }
  bool asked() const { return valve_.asked(); }
  // What waits to be written changes more than steps: an operation begins, fails, is taken back, ends …
  bool asked_for_more_than_steps() const {
    const auto& rows = valve_.rows();
    return std::any_of(rows.begin(), rows.end(), [this](const auto& entry) {
      const auto before = stage_.rows.find(entry.first);
      if (before == stage_.rows.end()) return true;
      const auto &a = before->second.row, &b = entry.second.row;
      return a.state != b.state || a.mode != b.mode || a.error != b.error || a.warnings != b.warnings;
    });
  }
  bool stopping() const { return stopping_; }
  bool over() const { return over_; }
  const std::vector<std::shared_ptr<Ticket>>& tickets() const { return tickets_; }
  std::size_t users() const { return users_.size(); }
  // From the loop, as a TaskGroup wants it.
  void cancel(async::TaskGroup::Id user) {
    asio::post(loop_, [this, user] { users_.cancel(user); });
  }
  async::TaskGroup::Id spawn(std::function<awaitable<void>()> task) {
    return users_.spawn("user", std::move(task));
  }

  // Until everyone waits: for a commit, for a step that the test holds, or for nothing at all. What someone
  // asks of the store's thread comes before what we ask of it next; and nobody asks three times in a row
  // without a commit.
  void settle() {
    for (int calm = 0; calm < 3; ++calm) {
      loop_.poll();
      auto done = std::make_shared<bool>(false);
      auto nothing = [](store::Database&) {};
      asio::co_spawn(loop_, journal_.run(nothing), [done](std::exception_ptr) { *done = true; });
      while (!*done && !valve_.asked()) loop_.run_one();
      if (loop_.poll() > 0) calm = 0;
      if (valve_.asked()) return note_asked();
    }
  }

  void answer(Verdict verdict) {
    if (verdict == Verdict::pass || verdict == Verdict::die_after) committed();
    stage_.dead = verdict == Verdict::die_before || verdict == Verdict::die_after;
    valve_.answer(verdict);
    // What was refused is written again as it is, and nobody knows when that was made.
    fresh_ = verdict != Verdict::refuse;
    if (!fresh_) made_ = {};
    if (stage_.dead) die();
  }

  void end(const std::shared_ptr<Ticket>& ticket) {
    ticket->open = true;
    ticket->changed.notify();
  }

  // Nobody waits for the store or for a step: all that could be told has been.
  void check_calm() {
    for (const char* stack : {"s-1", "s-2"}) {
      const auto active = runner_.active(stack);
      const bool any = std::any_of(stage_.rows.begin(), stage_.rows.end(), [stack](const auto& entry) {
        return entry.second.row.stack_id == stack && entry.second.row.state == "running";
      });
      stage_.expect(active.has_value() == any,
                    std::string(stack) + (any ? " runs, and is not" : " is") + " active");
    }
    for (const auto& [id, operation] : stage_.rows) {
      const auto found = found_.find(id);
      if (operation.row.state == "running" || (found != found_.end() && found->second.row.state != "running"))
        continue;
      stage_.expect(ended_.count(id) > 0, id + " has ended, and nobody was told");
    }
  }

  // Lets those notice it whose clocks have not been looked at for a moment (see policy()).
  void time_passes() { loop_.run_for(std::chrono::milliseconds(5)); }

  void stop() {
    stopping_ = true;
    spawn([this]() -> awaitable<void> {
      co_await runner_.stop();
      over_ = true;
    });
  }

private:
  void die() {
    stage_.dead = stopping_ = true;
    valve_.close();
    spawn([this]() -> awaitable<void> {
      co_await runner_.stop(std::chrono::milliseconds(0));
      over_ = true;
    });
    while (!over_) loop_.run_one();
  }

  static bool has_limit(const store::OperationRow& row) {
    return row.request.find("limit") != std::string::npos;
  }

  operations::Policy policy() {
    operations::Policy policy;
    policy.retry = std::chrono::milliseconds(0);
    policy.stop_on_failure = stops_on_failure;
    policy.on_change = [](store::Database& db, const store::OperationRow& row) {
      store::Stacks::set_status(db, row.stack_id, row.id + " " + row.state + " " + row.mode);
    };
    policy.plan_rollback = [script = stage_.script](store::Database&, const store::OperationRow& row,
                                                    const std::vector<store::StepRow>& steps) {
      return script.rollback(row, steps);
    };
    // Never far away, so that the runner soon finds out that it has come.
    policy.deadline = [this](const store::OperationRow& row) -> std::optional<std::int64_t> {
      if (!has_limit(row)) return std::nullopt;
      return stage_.late.count(row.id) ? row.created_at - 1 : util::now_ms() + 2;
    };
    return policy;
  }

  void note_asked() {
    if (std::exchange(fresh_, false)) made_ = {!stopping_, stage_.late};
  }

  void committed() {
    const auto& rows = valve_.rows();
    for (const auto& line : Rules::check(stage_.rows, rows, made_.idle)) stage_.wrong.push_back(line);
    for (const auto& [id, now] : rows) {
      const auto before = stage_.rows.find(id);
      if (now.row.mode == "forward" && has_limit(now.row) && made_.late.count(id))
        for (const auto& step : now.steps) {
          const auto* was = before == stage_.rows.end() ? nullptr : before->second.find(step.key);
          stage_.expect(step.state != "running" || (was && was->state == "running"),
                        id + " " + step.key + " begins though the time is over");
        }
      if (before == stage_.rows.end() || before->second.row.mode == now.row.mode) continue;
      for (const auto& ticket : tickets_)
        stage_.expect(ticket->operation != id, id + ": it is taken back while " + ticket->key + " is at it");
    }
    stage_.rows = rows;
  }

  awaitable<operations::Outcome> step(operations::StepContext context) {
    const auto name = context.operation.id + " " + context.step.key;
    const auto fate = stage_.script.fate(context.operation.id, context.step.key);
    begins(context, name);
    if (!fate.at_once) {
      auto ticket = std::make_shared<Ticket>(loop_.get_executor(), context);
      tickets_.push_back(ticket);
      std::exception_ptr cancelled;
      try {
        while (!ticket->open) co_await ticket->changed.wait();
      } catch (...) {
        cancelled = std::current_exception();
      }
      tickets_.erase(std::find(tickets_.begin(), tickets_.end(), ticket));
      if (cancelled && fate.cancelled == Fate::Cancelled::complains)
        throw util::Error(util::ErrorKind::failed, context.step.key + " was not clean");
      if (cancelled && (fate.cancelled == Fate::Cancelled::lets_go || stage_.dead))
        std::rethrow_exception(cancelled);
    }
    if (!stage_.dead) takes_effect(context, name);
    fail(fate, context.step.key);
    co_return fate.outcome;
  }

  void begins(const operations::StepContext& context, const std::string& name) {
    if (stage_.dead) return;
    const auto& operation = stage_.rows[context.operation.id];
    const auto* row = operation.find(context.step.key);
    stage_.expect(row && row->state == "running", name + " is run before that is written");
    stage_.expect(context.params == nlohmann::json{{"key", context.step.key}},
                  name + " has other parameters");
    stage_.expect(run_here_.insert(name).second, name + " is run twice");
    for (const auto& need : row ? needs_of(*row) : std::vector<std::string>()) {
      const auto* other = operation.find(need);
      const auto result =
          other && other->state == "done" ? nlohmann::json{{"of", need}} : nlohmann::json::object();
      stage_.expect(context.result_of(need) == result, name + " gets another result of " + need);
    }
    if (context.resumed) {
      const auto found = found_.find(context.operation.id);
      const auto* before = found == found_.end() ? nullptr : found->second.find(context.step.key);
      stage_.expect(before && before->state == "running", name + " is resumed and was not found running");
      stage_.expect(
          context.step.kind == "work" || operation.row.mode == "rollback" || !Rules::is_stopped(operation),
          name + " may be interrupted, and is resumed though the operation was stopped");
      return;
    }
    stage_.expect(++stage_.begun[name] == 1, name + " begins a second time");
    stage_.expect(!stopping_, name + " begins while the daemon stops");
    stage_.expect(operation.row.mode == "rollback" || !Rules::is_stopped(operation),
                  name + " begins though the operation was stopped");
  }

  void has_ended_here(const store::OperationRow& row) {
    if (stage_.dead) return;
    const auto& written = stage_.rows[row.id].row;
    stage_.expect(++ended_[row.id] == 1, row.id + " is said to have ended twice");
    stage_.expect(row.state != "running" && row.state == written.state && row.warnings == written.warnings,
                  row.id + " is said to have ended otherwise than is written");
  }

  void takes_effect(const operations::StepContext& context, const std::string& name) {
    const bool first = stage_.effects.insert(name).second;
    stage_.expect(first || context.resumed, name + " has its effect twice");
  }

  static void fail(const Fate& fate, const std::string& key) {
    switch (fate.end) {
      case Fate::End::done:
      case Fate::End::skipped:
        return;
      case Fate::End::error:
        throw util::Error(util::ErrorKind::engine, key + " failed \xff", {"a line"});
      case Fate::End::exception:
        throw std::runtime_error(key + " failed");
      case Fate::End::cancelled:
        throw util::Error(util::ErrorKind::cancelled, "nobody cancelled " + key);
      case Fate::End::aborted:
        throw boost::system::system_error(asio::error::operation_aborted);
      case Fate::End::number:
        throw 42;
    }
  }

  Stage& stage_;
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  Valve valve_;
  journal::Journal journal_;
  operations::Runner runner_;
  async::TaskGroup users_;
  AllRows found_;  // when it began
  std::set<std::string> run_here_;
  std::vector<std::shared_ptr<Ticket>> tickets_;
  std::map<std::string, int> ended_;
  bool stopping_ = false, over_ = false;
  bool fresh_ = true;            // nothing is asked to be written that we have seen
  struct Made {                  // when the runner made what it asks to write
    bool idle = false;           // it could begin things
    std::set<std::string> late;  // whose time was over
  } made_;
};

// A new file each time, with two stacks and nothing else.
class FreshStore {
public:
  FreshStore() {
    store::Database db(dir_.path() / "fresh.db");
    for (const char* stack : {"s-1", "s-2"}) store::Stacks::put(db, {.id = stack, .name = stack});
  }
  std::filesystem::path next() const {
    const auto file = dir_.path() / "state.db";
    for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + part);
    std::filesystem::copy_file(dir_.path() / "fresh.db", file);
    return file;
  }

private:
  TempDir dir_;
};

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

// No word of the runner's about disks that are full on purpose.
struct Quiet {
  Quiet() : level(spdlog::get_level()) { spdlog::set_level(spdlog::level::off); }
  ~Quiet() { spdlog::set_level(level); }
  spdlog::level::level_enum level;
};

}  // namespace stackd::test
