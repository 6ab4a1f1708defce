// The process really ends, before and after every commit there is, and another one takes up what it left.
// Whatever the place, the end is the same, and every effect has happened once.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "daemon/util/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/operations/bench.hpp"

using namespace stackd;
using namespace stackd::test;
using util::Error;
using util::ErrorKind;
using Point = store::Database::CommitPoint;

namespace {

constexpr int k_done = 0, k_crashed = 7, k_broken = 99;

struct Crash {
  std::uint64_t commit = 0;  // 0: never
  Point point = Point::before;
};

// A world outside of the store: one line an effect, made with one write, found again by its name.
class Effects {
public:
  explicit Effects(std::filesystem::path file) : file_(std::move(file)) {}
  std::vector<std::string> all() const {
    std::vector<std::string> lines;
    std::string line;
    for (std::ifstream in(file_); std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  void make(const std::string& name, bool resumed) const {
    const auto lines = all();
    if (std::find(lines.begin(), lines.end(), name) != lines.end()) {
      if (!resumed) throw Error(ErrorKind::internal, name + " was made by a step that had not begun");
      return;  // found: the one before us came so far
    }
    const util::Fd fd(::open(file_.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
    const std::string text = name + "\n";
    if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      throw util::system_error("cannot make " + name, errno);
  }

private:
  std::filesystem::path file_;
};

enum class Story { succeeds, fails, is_cancelled };

std::vector<StepPlan> later_steps(Story story) {
  std::vector<StepPlan> steps = {work("a", "plan"),
                                 work("b", "plan"),
                                 work("c", "plan"),
                                 work("join", "a", "b", "c"),
                                 going_on(work("soft", "join")),
                                 work("slow", "soft"),
                                 work("quick", "soft")};
  if (story == Story::fails) steps.push_back(work("bad", "soft"));
  if (story != Story::succeeds) {
    steps.push_back(waiting("hang", "soft"));
    steps.push_back(work("tail", "slow", "quick", "hang"));
  }
  return steps;
}

operations::Policy taking_back() {
  operations::Policy policy;
  policy.on_change = [](store::Database& db, const store::OperationRow& row) {
    store::Stacks::set_status(db, row.stack_id, row.state + " " + row.mode);
  };
  policy.plan_rollback = [](store::Database&, const store::OperationRow&,
                            const std::vector<store::StepRow>& steps) {
    std::vector<StepPlan> plan;
    std::vector<std::string> all;
    for (const auto& step : steps)
      if (step.state == "done") {
        plan.push_back(work("undo " + step.key));
        all.push_back(plan.back().key);
      }
    plan.push_back(work("undo network", all));
    return plan;
  };
  return policy;
}

awaitable<Outcome> do_step(Story story, Effects effects, Gate* hanging, StepContext context) {
  const std::string key = context.step.key;
  if (key == "hang") {
    co_await hanging->pass();  // never opened
  }
  if (key == "slow" || key == "undo a")
    for (int i = 0; i < 50; ++i) co_await asio::post(co_await asio::this_coro::executor, use_awaitable);
  if (key == "soft" || key == "bad" || key == "undo b") throw Error(ErrorKind::failed, key + " failed");
  effects.make(key, context.resumed);
  Outcome outcome{.result = {{"made", key}}};
  if (key == "plan") outcome.then = later_steps(story);
  if (key == "join") {
    if (context.result_of("a") != nlohmann::json{{"made", "a"}})
      throw Error(ErrorKind::internal, "no result of a");
    outcome.warnings = {"joined"};
  }
  co_return outcome;
}

awaitable<void> live(asio::any_io_executor executor, std::filesystem::path dir, Story story, Crash crash) {
  Bench bench(executor, dir / "state.db", taking_back());
  auto& db = bench.journal.direct();
  // The process ends and not the machine: what was written is there, synced or not.
  db.execute("PRAGMA synchronous = OFF");
  db.on_commit([crash](Point point, std::uint64_t number) {
    if (number == crash.commit && point == crash.point) ::_exit(k_crashed);
  });
  Gate hanging(executor);
  const Effects effects(dir / "effects");
  for (const char* kind : {"work", "wait"}) {
    auto run = [story, effects, &hanging](StepContext context) {
      return do_step(story, effects, &hanging, std::move(context));
    };
    bench.runner.add_kind(kind, {run, std::string(kind) == "wait"});
  }
  async::TaskGroup user(executor);
  auto cancel = [&]() -> awaitable<void> {
    co_await hanging.arrivals(1);
    co_await bench.runner.cancel("op");
  };
  if (story == Story::is_cancelled) user.spawn("user", cancel);
  if (store::Operations::get(db, "op")) {
    co_await bench.runner.recover();
  } else {
    co_await bench.submit("op", steps(work("plan")));
  }
  co_await bench.runner.wait("op");
  user.cancel_all();
  co_await user.join();
  co_await bench.runner.stop();
}

int run_process(const std::filesystem::path& dir, Story story, Crash crash) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      run_coro([&](asio::any_io_executor executor) { return live(executor, dir, story, crash); });
      ::_exit(k_done);
    } catch (const std::exception& error) {
      std::cerr << error.what() << std::endl;
      ::_exit(k_broken);
    }
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

// Everything that must not depend on where the process ended.
struct End {
  std::string state, mode, error, warnings, stack;
  std::vector<std::string> steps, effects, events;
  bool operator==(const End&) const = default;
};

std::ostream& operator<<(std::ostream& out, const End& end) {
  out << end.state << " " << end.mode << " " << end.error << " " << end.warnings << " stack: " << end.stack;
  for (const auto* list : {&end.steps, &end.effects, &end.events}) {
    out << "\n  ";
    for (const auto& line : *list) out << line << " | ";
  }
  return out;
}

End end_of(const std::filesystem::path& dir) {
  store::Database db(dir / "state.db");
  const auto row = store::Operations::get(db, "op").value();
  End end{row.state, row.mode, row.error, row.warnings, store::Stacks::get(db, "s-1")->status, {}, {}, {}};
  for (const auto& step : store::Steps::of_operation(db, "op"))
    end.steps.push_back(step.key + " " + step.state + " " + step.reason + " " + step.result);
  end.effects = Effects(dir / "effects").all();
  std::int64_t expected = 1;
  for (const auto& event : store::Events::after(db, 0, "", "", 1000)) {
    CHECK(event.sequence == expected++);
    const auto data = nlohmann::json::parse(event.data);
    end.events.push_back(event.kind + " " + data.value("key", "") + " " + data.value("state", ""));
  }
  // What runs at the same time ends in any order.
  std::sort(end.effects.begin(), end.effects.end());
  std::sort(end.events.begin(), end.events.end());
  return end;
}

class World {
public:
  World() { Bench(asio::io_context().get_executor(), fresh_ / "state.db", {}); }
  // A directory with a stack and no operation, as `begin` of a run.
  std::filesystem::path next() {
    const auto dir = dir_.path() / std::to_string(++count_);
    std::filesystem::create_directory(dir);
    std::filesystem::copy_file(fresh_ / "state.db", dir / "state.db");
    return dir;
  }

private:
  TempDir dir_;
  std::filesystem::path fresh_ = dir_.path();
  int count_ = 0;
};

const char* name_of(Point point) {
  return point == Point::before ? "before" : "after";
}

void crash_everywhere(Story story, std::uint64_t second_crashes) {
  World world;
  const auto reference_dir = world.next();
  REQUIRE(run_process(reference_dir, story, {}) == k_done);
  const auto reference = end_of(reference_dir);
  INFO("undisturbed: " << reference);
  auto effects = reference.effects;
  CHECK(std::unique(effects.begin(), effects.end()) == effects.end());

  const auto finish = [&](const std::filesystem::path& dir) {
    REQUIRE(run_process(dir, story, {}) == k_done);
    CHECK(end_of(dir) == reference);
    std::filesystem::remove_all(dir);
  };
  int places = 0;
  for (std::uint64_t commit = 1;; ++commit) {
    bool reached = false;
    for (const auto point : {Point::before, Point::after}) {
      INFO("ended " << name_of(point) << " commit " << commit);
      const auto dir = world.next();
      const int code = run_process(dir, story, {commit, point});
      REQUIRE((code == k_done || code == k_crashed));
      reached = reached || code == k_crashed;
      if (code == k_crashed) ++places;
      for (std::uint64_t again = 1; code == k_crashed && again <= second_crashes; ++again)
        for (const auto second : {Point::before, Point::after}) {
          INFO("and once more " << name_of(second) << " commit " << again);
          const auto copy = world.next();
          std::filesystem::copy(dir, copy, std::filesystem::copy_options::overwrite_existing);
          const int second_code = run_process(copy, story, {again, second});
          REQUIRE((second_code == k_done || second_code == k_crashed));
          finish(copy);
        }
      finish(dir);
    }
    if (!reached) break;
  }
  CHECK(places >= 12);
}

}  // namespace

TEST_CASE("an operation that succeeds ends the same wherever the daemon is killed", "[operations][crash]") {
  crash_everywhere(Story::succeeds, 0);
}

TEST_CASE("an operation that fails and is taken back ends the same wherever the daemon is killed, twice",
          "[operations][crash]") {
  crash_everywhere(Story::fails, 1);
}

TEST_CASE("an operation that is cancelled ends the same wherever the daemon is killed",
          "[operations][crash]") {
  crash_everywhere(Story::is_cancelled, 1);
}
