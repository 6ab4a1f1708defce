// A runner on a real store, with steps that do what the test says.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>

#include "daemon/async/task_group.hpp"
#include "daemon/journal/journal.hpp"
#include "daemon/operations/runner.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_coro.hpp"
#include "tests/support/temp_dir.hpp"

namespace stackd::test {

using operations::Outcome;
using operations::StepContext;
using operations::StepPlan;

template <class T>
awaitable<std::optional<util::Error>> error_of(awaitable<T> task) {
  try {
    co_await std::move(task);
  } catch (const util::Error& error) {
    co_return error;
  }
  co_return std::nullopt;
}

// Steps wait at it until the test opens it.
class Gate {
public:
  explicit Gate(asio::any_io_executor executor) : changed_(executor) {}
  awaitable<void> pass() {
    ++arrived_;
    changed_.notify();
    while (!open_) co_await changed_.wait();
  }
  // Until so many have come, whether they still wait or not.
  awaitable<void> arrivals(int count) {
    while (arrived_ < count) co_await changed_.wait();
  }
  void open() {
    open_ = true;
    changed_.notify();
  }
  int arrived() const { return arrived_; }

private:
  async::Signal changed_;
  bool open_ = false;
  int arrived_ = 0;
};

struct Bench {
  using Step = std::function<awaitable<Outcome>(StepContext)>;

  Bench(asio::any_io_executor executor, const std::filesystem::path& file, operations::Policy policy)
      : journal(executor, file), runner(executor, journal, std::move(policy)), executor(executor) {
    auto& db = journal.direct();
    if (!store::Stacks::get(db, "s-1")) store::Stacks::put(db, {.id = "s-1", .name = "s", .status = "down"});
    runner.add_kind("work", {[this](StepContext context) { return run(std::move(context)); }, false});
    runner.add_kind("wait", {[this](StepContext context) { return run(std::move(context)); }, true});
    runner.add_kind("watched", {[this](StepContext context) { return run(std::move(context)); }, false,
                                [this](StepContext context) { return watch(std::move(context)); }});
  }

  // What the step with this key does; by default it is done at once.
  void on(const std::string& key, Step step) { behaviours[key] = std::move(step); }
  awaitable<Outcome> run(StepContext context) {
    log.push_back((context.resumed ? "again " : "") + context.step.key);
    const auto step = behaviours.find(context.step.key);
    if (step == behaviours.end()) co_return Outcome{};
    const auto function = step->second;
    co_return co_await function(std::move(context));
  }

  awaitable<Outcome> watch(StepContext context) {
    log.push_back("watch of " + context.step.key);
    const auto step = behaviours.find("watch of " + context.step.key);
    if (step == behaviours.end()) co_return Outcome{};
    const auto function = step->second;
    co_return co_await function(std::move(context));
  }

  awaitable<std::string> submit(std::string id, std::vector<StepPlan> plan, std::string after = "") {
    store::OperationRow row{
        .id = id, .stack_id = "s-1", .kind = "up", .after = after, .created_at = util::now_ms()};
    operations::Submission submission{std::move(row), std::move(plan)};
    const auto submitted = co_await runner.submit(std::move(submission));
    co_return submitted.id;
  }
  awaitable<store::OperationRow> finish(std::string id, std::vector<StepPlan> plan) {
    co_await submit(id, std::move(plan));
    co_return co_await runner.wait(id);
  }
  // "key state reason" of every step, in order.
  awaitable<std::vector<std::string>> states(std::string id) {
    auto look = [id](store::Database& db) { return store::Steps::of_operation(db, id); };
    const auto rows = co_await journal.run(std::move(look));
    std::vector<std::string> out;
    for (const auto& row : rows)
      out.push_back(row.key + " " + row.state + (row.reason.empty() ? "" : ": " + row.reason));
    co_return out;
  }
  awaitable<std::vector<std::string>> events(std::string id) {
    auto look = [id](store::Database& db) { return store::Events::after(db, 0, "", id, 10000); };
    const auto rows = co_await journal.run(std::move(look));
    std::vector<std::string> out;
    for (const auto& row : rows) {
      const auto data = nlohmann::json::parse(row.data);
      std::string line = row.kind;
      for (const char* field : {"key", "state", "message", "reason"})
        if (data.contains(field) && data[field] != "") line += " " + data[field].get<std::string>();
      out.push_back(line);
    }
    co_return out;
  }

  journal::Journal journal;
  operations::Runner runner;
  asio::any_io_executor executor;
  std::map<std::string, Step> behaviours;
  std::vector<std::string> log;  // keys in the order they ran
};

// Runs `body(bench)` on a loop, and stops the runner after it, also when the body throws.
template <class Body>
void with_bench(const std::filesystem::path& file, operations::Policy policy, Body body,
                std::chrono::milliseconds patience = std::chrono::seconds(10)) {
  run_coro([&](asio::any_io_executor executor) -> awaitable<void> {
    Bench bench(executor, file, policy);
    std::exception_ptr error;
    try {
      co_await body(bench);
    } catch (...) {
      error = std::current_exception();
    }
    co_await bench.runner.stop(patience);
    if (error) std::rethrow_exception(error);
  });
}

template <class Body>
void with_bench(Body body) {
  TempDir dir;
  with_bench(dir.path() / "state.db", {}, std::move(body));
}

// Lists without braces: GCC 12 cannot compile an initializer list inside a co_await expression.
template <class... Keys>
StepPlan work(std::string key, Keys... needs) {
  StepPlan plan{.key = std::move(key), .kind = "work"};
  (plan.needs.emplace_back(needs), ...);
  return plan;
}
inline StepPlan work(std::string key, std::vector<std::string> needs) {
  return {.key = std::move(key), .kind = "work", .needs = std::move(needs)};
}
template <class... Keys>
StepPlan waiting(std::string key, Keys... needs) {
  auto plan = work(std::move(key), needs...);
  plan.kind = "wait";
  return plan;
}
inline StepPlan going_on(StepPlan plan) {
  plan.go_on = true;
  return plan;
}
template <class... Plans>
std::vector<StepPlan> steps(Plans... plans) {
  std::vector<StepPlan> list;
  (list.push_back(std::move(plans)), ...);
  return list;
}
using Lines = std::vector<std::string>;
template <class... Texts>
Lines lines(Texts... texts) {
  Lines list;
  (list.emplace_back(texts), ...);
  return list;
}

// Steps that fail, or wait for ever.
inline Bench::Step failing(std::string message) {
  return [message](StepContext) -> awaitable<Outcome> {
    throw util::Error(util::ErrorKind::failed, message, {"a line"});
    co_return Outcome{};
  };
}
inline Bench::Step passing(Gate& gate) {
  return [&gate](StepContext) -> awaitable<Outcome> {
    co_await gate.pass();
    co_return Outcome{};
  };
}

}  // namespace stackd::test
