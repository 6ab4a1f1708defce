// What a seed makes of several users, two stacks, a full disk, clocks and daemons that stop or die anywhere:
// every commit keeps the rules, every wish gets what its gate says, and everything ends.
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/operations/stage.hpp"

using namespace stackd;
using namespace stackd::test;
using operations::Decision;
using util::Error;
using util::ErrorKind;

namespace {

struct Asking {
  std::string id, stack, kind, request, after;
};

bool is_same(const store::OperationRow& running, const Asking& wish) {
  return running.kind == wish.kind && running.request == wish.request && !running.cancel_requested &&
         running.mode == "forward";
}
// As daemon/stacks/submit.cpp decides.
std::optional<Decision> decision(const store::OperationRow& running, const Asking& wish) {
  if (is_same(running, wish)) return Decision::join;
  if (running.kind == "recover" || (wish.kind == "down" && running.kind == "up")) return Decision::follow;
  return std::nullopt;
}

class Drama {
public:
  Drama(std::uint64_t seed, const std::filesystem::path& file)
      : dice_(seed, "drama"), stage_(file, Script(seed, weather())), calm_(dice_.chance(20)) {}

  std::vector<std::string> run() {
    const std::size_t scenes = 40 + dice_.below(120);
    daemon_ = std::make_unique<Daemon>(stage_);
    for (std::size_t i = 0; i < scenes && stage_.wrong.empty(); ++i) scene();
    for (int i = 0; stage_.wrong.empty() && !last_scene(); ++i) stage_.expect(i < 2000, "it never ends");
    if (stage_.wrong.empty()) users_have_ended();
    daemon_->leave();
    daemon_.reset();
    if (stage_.wrong.empty()) check_events();
    return stage_.wrong;
  }
  const std::vector<std::string>& told() const { return stage_.told; }

private:
  static constexpr const char* k_stacks[] = {"s-1", "s-2"};
  static constexpr std::size_t k_most_operations = 7;
  static constexpr const char* k_limit = R"({"limit":1})";

  static Weather weather() {
    Weather weather;
    weather.most_steps = 10;
    return weather;
  }

  void tell(const std::string& what) { stage_.told.push_back(what); }

  // ---- what happens

  void scene() {
    if (revive()) return;
    daemon_->settle();
    if (!daemon_->asked()) {
      check_calm();
      return something();
    }
    const auto roll = dice_.below(100);
    if (roll < 82) return answer(Verdict::pass);
    if (roll < 85) return answer(calm_ ? Verdict::pass : Verdict::refuse);
    if (roll < 88) return answer(calm_ ? Verdict::pass : Verdict::die_before);
    if (roll < 91) return answer(calm_ ? Verdict::pass : Verdict::die_after);
    something();  // while the store is at it
  }

  // Nothing out of the ordinary any more. True when there is nothing left.
  bool last_scene() {
    if (revive()) return false;
    daemon_->settle();
    if (daemon_->asked()) {
      answer(Verdict::pass);
    } else if (!daemon_->tickets().empty()) {
      end_one();
    } else if (!daemon_->stopping()) {
      if (all_ended()) return true;
      daemon_->time_passes();
      daemon_->settle();
      stage_.expect(daemon_->asked(), "nothing moves");
    }
    return false;
  }

  void check_calm() {
    if (daemon_->stopping()) return;
    daemon_->check_calm();
    stage_.expect(asking_ == 0, "someone asks and gets no answer");
  }

  bool revive() {
    if (!daemon_->over()) return false;
    daemon_->leave();
    daemon_.reset();
    users_.clear();
    tell("another daemon");
    if (dice_.chance(30)) stage_.late.clear();  // its clock was set back
    daemon_ = std::make_unique<Daemon>(stage_);
    return true;
  }

  void answer(Verdict verdict) {
    const char* words[] = {"", "pass", "refuse", "die before", "die after"};
    tell(std::string("commit: ") + words[static_cast<int>(verdict)]);
    daemon_->answer(verdict);
  }

  void something() {
    const auto roll = dice_.below(100);
    if (roll < 62) return end_one();
    if (roll < 78) return ask_some();
    if (roll < 85) return cancel_one();
    if (roll < 91) return wait_for_one();
    if (calm_) return end_one();
    if (roll < 95) return let_time_pass();
    if (roll < 98) return go_away();
    if (daemon_->stopping()) return;
    tell("stop");
    daemon_->stop();
  }

  void end_one() {
    if (daemon_->tickets().empty()) return;
    const auto ticket = dice_.pick(daemon_->tickets());
    tell("end " + ticket->operation + " " + ticket->key);
    daemon_->end(ticket);
  }

  void ask_some() {
    for (auto count = 1 + dice_.below(3); count > 0 && asked_ < k_most_operations; --count) {
      Asking wish{.id = "op" + std::to_string(++asked_), .stack = k_stacks[dice_.below(2)]};
      wish.kind = dice_.pick(std::vector<std::string>{"up", "up", "down", "down", "recover"});
      wish.request = nlohmann::json{{"what", dice_.below(2)}}.dump();
      if (dice_.chance(30)) wish.request = k_limit;
      tell("ask " + wish.id + " " + wish.kind + " " + wish.stack + " " + wish.request);
      users_.push_back(daemon_->spawn([this, wish] { return ask(wish); }));
    }
  }

  void cancel_one() {
    const auto id = some_operation();
    tell("cancel " + id);
    users_.push_back(daemon_->spawn([this, id] { return cancel(id); }));
  }

  void wait_for_one() {
    const auto id = some_operation();
    users_.push_back(daemon_->spawn([this, id] { return wait_for(id); }));
  }

  // A client does not wait for its answer.
  void go_away() {
    if (users_.empty()) return;
    tell("a user goes away");
    daemon_->cancel(dice_.pick(users_));
  }

  void let_time_pass() {
    const auto id = some_operation(true);
    tell("late " + id);
    stage_.late.insert(id);
    daemon_->time_passes();
    daemon_->settle();
    const auto found = stage_.rows.find(id);
    if (found == stage_.rows.end() || daemon_->asked() || daemon_->stopping()) return;
    const auto& operation = found->second;
    if (operation.row.state != "running" || operation.row.request != k_limit) return;
    stage_.expect(!has_begun(operation) || operation.row.mode == "rollback" || Rules::is_stopped(operation),
                  id + " does not know that it is late");
  }

  // Mostly one that runs, and of those with a limit when `limited`; now and then any, or none that there is.
  std::string some_operation(bool limited = false) {
    std::vector<std::string> running;
    for (const auto& [id, operation] : stage_.rows)
      if (operation.row.state == "running" && (!limited || operation.row.request == k_limit))
        running.push_back(id);
    if (!running.empty() && dice_.chance(80)) return dice_.pick(running);
    return "op" + std::to_string(1 + dice_.below(asked_ + 1));
  }

  // ---- users

  // Counted as long as it has no answer.
  struct Counted {
    explicit Counted(int& c) : count(c) { ++count; }
    ~Counted() { --count; }
    int& count;
  };

  awaitable<void> ask(Asking wish) {
    const Counted counted(asking_);
    auto& runner = daemon_->runner();
    const auto running = runner.active(wish.stack);
    const auto expected = running ? decision(*running, wish) : Decision::follow;
    int gates = 0, begins = 0;
    operations::Submission submission;
    submission.row = {.id = wish.id,
                      .stack_id = wish.stack,
                      .kind = wish.kind,
                      .request = wish.request,
                      .created_at = util::now_ms()};
    submission.steps = stage_.script.plan(wish.id);
    submission.gate = [&](const store::OperationRow& row) {
      if (++gates == 1)
        stage_.expect(running && row.id == running->id, wish.id + ": the gate asks about another");
      const auto made = decision(row, wish);
      if (!made) throw Error(ErrorKind::conflict, "busy");
      return *made;
    };
    submission.begins = [&](const store::OperationRow&) { ++begins; };
    std::optional<Error> error;
    operations::Submitted submitted;
    try {
      submitted = co_await runner.submit(std::move(submission));
    } catch (const Error& e) {
      error = e;
    }
    if (stage_.dead) co_return;
    const auto name = wish.id + (running ? " at " + running->id : "") + ": ";
    if (error) {
      tell(name + error->what());
      const bool refused = error->kind() == ErrorKind::conflict;
      stage_.expect(!refused || gates > 1 || !expected, name + "was refused");
      stage_.expect(refused || error->kind() == ErrorKind::io || daemon_->stopping(), name + error->what());
      stage_.expect(stage_.rows.count(wish.id) == 0, name + "was refused and is written");
      co_return;
    }
    tell(name + (submitted.joined ? "joined " : "is ") + submitted.id);
    stage_.expect(expected || gates > 1, name + "was not refused");
    const auto written = stage_.rows.find(submitted.id);
    if (written == stage_.rows.end()) co_return stage_.expect(false, name + "is not written");
    const auto& row = written->second.row;
    stage_.expect(row.stack_id == wish.stack && row.kind == wish.kind && row.request == wish.request,
                  name + "became another wish");
    stage_.expect(submitted.joined == (submitted.id != wish.id) && begins == (submitted.joined ? 0 : 1),
                  name + "was joined and begun");
    // The one that it was to join or to follow may never have been written.
    if (gates > 1 || !running || stage_.rows.count(running->id) == 0) co_return;
    stage_.expect(submitted.joined == (expected == Decision::join), name + "was not joined, or was");
    stage_.expect(submitted.joined ? submitted.id == running->id : row.after == running->id,
                  name + "is after " + row.after);
  }

  awaitable<void> cancel(std::string id) {
    const Counted counted(asking_);
    bool taken = false;
    try {
      taken = co_await daemon_->runner().cancel(id);
    } catch (const Error& e) {
      stage_.expect(false, "cancel " + id + ": " + e.what());
    }
    const auto found = stage_.rows.find(id);
    if (stage_.dead || !taken) co_return;
    stage_.expect(found != stage_.rows.end() &&
                      (found->second.row.cancel_requested || daemon_->asked() ||
                       found->second.row.mode == "rollback" || Rules::is_stopped(found->second)),
                  id + " was cancelled, and that is not written");
  }

  awaitable<void> wait_for(std::string id) {
    try {
      const auto row = co_await daemon_->runner().wait(id);
      if (stage_.dead) co_return;
      const auto& written = stage_.rows[id].row;
      stage_.expect(row.state != "running" && row.state == written.state && row.error == written.error &&
                        row.warnings == written.warnings,
                    id + " has ended otherwise than its waiter was told");
    } catch (const Error& e) {
      const bool gone = e.kind() == ErrorKind::not_found && (stage_.dead || stage_.rows.count(id) == 0);
      stage_.expect(gone || daemon_->stopping() || stage_.dead, "wait for " + id + ": " + e.what());
    }
  }

  // ---- the end

  bool all_ended() const {
    return std::all_of(stage_.rows.begin(), stage_.rows.end(),
                       [](const auto& entry) { return entry.second.row.state != "running"; });
  }

  void users_have_ended() {
    daemon_->settle();
    check_calm();
    stage_.expect(daemon_->users() == 0, "someone still waits for what has ended");
  }

  // The journal tells what the rows say.
  void check_events() {
    store::Database db(stage_.file);
    std::map<std::string, std::vector<store::EventRow>> events;
    std::int64_t expected = 1;
    for (auto& event : store::Events::after(db, 0, "", "", 100000)) {
      stage_.expect(event.sequence == expected++, "an event has another number");
      events[event.operation_id].push_back(event);
    }
    std::map<std::string, std::pair<std::string, std::string>> last;  // by stack: when, and its status
    for (const auto& [id, operation] : all_rows(db)) {
      check_events(operation, events[id]);
      if (!has_begun(operation)) continue;
      const auto begun = events[id].front().sequence;
      auto& status = last[operation.row.stack_id];
      const auto when = std::to_string(1'000'000 + begun);
      if (when > status.first) status = {when, id + " " + operation.row.state + " " + operation.row.mode};
    }
    for (const auto& [stack, status] : last)
      stage_.expect(store::Stacks::get(db, stack)->status == status.second,
                    stack + " is " + store::Stacks::get(db, stack)->status + " and not " + status.second);
  }

  void check_events(const OperationRows& operation, const std::vector<store::EventRow>& events) {
    const auto& row = operation.row;
    std::vector<std::string> told, expected;
    nlohmann::json warnings = nlohmann::json::array();
    std::map<std::string, std::string> steps;
    for (const auto& event : events) {
      const auto data = nlohmann::json::parse(event.data);
      if (event.kind == "warning") {
        warnings.push_back(data["message"]);
      } else if (event.kind.rfind("step.", 0) == 0) {
        steps[data["key"]] += event.kind + " " + data.value("state", "") + data.value("reason", "") + ";";
      } else {
        told.push_back(event.kind);
      }
    }
    if (has_begun(operation)) expected.push_back("operation.started");
    if (row.mode == "rollback") expected.push_back("operation.rolling_back");
    expected.push_back("operation.ended");
    stage_.expect(told == expected, row.id + " tells of another course than its row");
    stage_.expect(warnings.dump() == row.warnings, row.id + " tells of other warnings: " + warnings.dump());
    for (const auto& step : operation.steps) {
      const auto end = "step.ended " + step.state + step.reason + ";";
      stage_.expect(steps[step.key] == (step.started_at ? "step.started ;" : "") + end,
                    row.id + " " + step.key + " is " + end + " and tells of " + steps[step.key]);
    }
    if (events.empty()) return;
    const auto end = nlohmann::json::parse(events.back().data);
    auto error = row.error.empty() ? nlohmann::json() : nlohmann::json::parse(row.error);
    if (error.is_object()) error.erase("out_of_time");
    stage_.expect(events.back().kind == "operation.ended" && end["state"] == row.state &&
                      end["warnings"] == warnings && end.value("error", nlohmann::json()) == error,
                  row.id + " tells of another end");
  }

  Dice dice_;
  Stage stage_;
  bool calm_;  // no full disk, no clock, no daemon that stops or dies
  std::size_t asked_ = 0;
  int asking_ = 0;
  std::vector<async::TaskGroup::Id> users_;
  std::unique_ptr<Daemon> daemon_;
};

// What happened and, behind that, what was wrong with it.
std::pair<std::string, std::string> play(std::uint64_t seed, const FreshStore& store) {
  Drama drama(seed, store.next());
  const auto wrong = drama.run();
  return {joined(drama.told()), joined(wrong)};
}

}  // namespace

TEST_CASE("whatever happens to a runner and when, the rules are kept and everything ends",
          "[operations][model]") {
  const Quiet quiet;
  const FreshStore store;
  for (const auto seed : model_seeds(60)) {
    const auto [told, wrong] = play(seed, store);
    if (wrong.empty()) continue;
    FAIL("STACKD_MODEL_SEED=" << seed << " runs this one alone; what happened:\n"
                              << told << "and then:\n"
                              << wrong);
  }
}

TEST_CASE("a seed tells the same story each time", "[operations][model]") {
  const Quiet quiet;
  const FreshStore store;
  for (const auto seed : model_seeds(4)) CHECK(play(seed, store) == play(seed, store));
}
