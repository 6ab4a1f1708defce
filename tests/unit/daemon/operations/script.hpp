// Script: what a seed decides about operations and their steps. Every answer is a function of the seed and a
// name alone, so that it is the same whatever order things happen in, and for every daemon that carries it
// on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/operations/runner.hpp"

namespace stackd::test {

// Numbers by chance, the same on every machine (the distributions of <random> are not).
class Dice {
public:
  explicit Dice(std::uint64_t seed, std::string_view name = "") : state_(seed) {
    for (const char c : name) state_ = next() ^ static_cast<unsigned char>(c);
  }
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    auto x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(next() % count); }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  template <class T>
  const T& pick(const std::vector<T>& list) {
    return list[below(list.size())];
  }
  template <class T>
  void shuffle(std::vector<T>& list) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[below(i)]);
  }

private:
  std::uint64_t state_;
};

// Which seeds a model test runs: those of a default run, as many as STACKD_MODEL_RUNS says, or the one that
// STACKD_MODEL_SEED names.
inline std::vector<std::uint64_t> model_seeds(std::uint64_t by_default) {
  if (const char* one = std::getenv("STACKD_MODEL_SEED")) return {std::strtoull(one, nullptr, 10)};
  const char* runs = std::getenv("STACKD_MODEL_RUNS");
  std::vector<std::uint64_t> seeds(runs ? std::strtoull(runs, nullptr, 10) : by_default);
  for (std::size_t i = 0; i < seeds.size(); ++i) seeds[i] = i + 1;
  return seeds;
}

// How often what is out of the ordinary happens, in percent.
struct Weather {
  std::size_t most_steps = 24;
  int fails = 8, skips = 8, goes_on = 25, emits = 12, warns = 8, at_once = 20, plans_badly = 2;
  int unclean = 20;      // of the waiting steps, does more than let go when it is cancelled
  int no_rollback = 10;  // the roll-back cannot be planned
  bool throws_odd_things = true;
};

struct Fate {
  enum class End { done, skipped, error, exception, cancelled, aborted, number };
  enum class Cancelled { lets_go, is_done, complains };  // what it does when it is asked to stop
  End end = End::done;
  Cancelled cancelled = Cancelled::lets_go;
  bool at_once = false;  // does not wait for anything
  operations::Outcome outcome;

  bool succeeds() const { return end == End::done || end == End::skipped; }
};

class Script {
public:
  explicit Script(std::uint64_t seed, Weather weather = {}) : seed_(seed), weather_(weather) {}

  // The steps that an operation begins with: the rows are in no order of the graph.
  std::vector<operations::StepPlan> plan(const std::string& operation) const {
    Dice dice(seed_, operation + " plan");
    std::vector<operations::StepPlan> plans(1 + dice.below(weather_.most_steps));
    std::vector<std::size_t> order(plans.size());
    for (std::size_t i = 0; i < plans.size(); ++i) order[i] = i;
    dice.shuffle(order);
    const int density = 100 / static_cast<int>(1 + dice.below(plans.size()));
    for (std::size_t i = 0; i < plans.size(); ++i) {
      auto& plan = plans[order[i]];
      dress(plan, "s" + std::to_string(order[i]), dice);
      for (std::size_t j = 0; j < i; ++j)
        if (dice.chance(density)) plan.needs.push_back("s" + std::to_string(order[j]));
    }
    return plans;
  }

  Fate fate(const std::string& operation, const std::string& key) const {
    Dice dice(seed_, operation + " " + key);
    Fate fate;
    if (dice.chance(weather_.skips)) fate.end = Fate::End::skipped;
    if (dice.chance(weather_.fails)) {
      fate.end = Fate::End::error;
      if (weather_.throws_odd_things && dice.chance(50)) fate.end = static_cast<Fate::End>(3 + dice.below(4));
    }
    if (dice.chance(weather_.unclean))
      fate.cancelled = dice.chance(50) ? Fate::Cancelled::is_done : Fate::Cancelled::complains;
    fate.at_once = dice.chance(weather_.at_once);
    auto& outcome = fate.outcome;
    outcome.result = {{"of", key}};
    outcome.skipped = fate.end == Fate::End::skipped;
    if (dice.chance(30)) outcome.reason = "reason of " + key;
    for (; dice.chance(weather_.warns);)
      outcome.warnings.push_back(key + (dice.chance(20) ? " warns \xff" : " warns"));
    if (dice.chance(weather_.emits) && std::count(key.begin(), key.end(), '.') < 2)
      outcome.then = following(operation, key, dice);
    return fate;
  }

  // What Policy::plan_rollback gives or throws.
  std::vector<operations::StepPlan> rollback(const store::OperationRow& row,
                                             const std::vector<store::StepRow>& steps) const {
    Dice dice(seed_, row.id + " rollback");
    if (dice.chance(weather_.no_rollback)) {
      if (dice.chance(30)) return {};
      if (dice.chance(50)) throw std::runtime_error("no idea");
      throw util::Error(util::ErrorKind::internal, "cannot read the spec");
    }
    std::vector<operations::StepPlan> plans;
    for (const auto& step : steps) {
      if (step.state != "done" && step.state != "running") continue;
      operations::StepPlan plan;
      dress(plan, step.key + " undo", dice);
      if (dice.chance(20)) plan.needs.push_back(step.key);
      for (const auto& other : plans)
        if (dice.chance(20)) plan.needs.push_back(other.key);
      plans.push_back(std::move(plan));
    }
    return plans;
  }

private:
  void dress(operations::StepPlan& plan, std::string key, Dice& dice) const {
    plan.key = std::move(key);
    plan.kind = dice.chance(50) ? "work" : "wait";
    plan.service = dice.chance(50) ? "db" : "";
    plan.params = {{"key", plan.key}};
    plan.go_on = dice.chance(weather_.goes_on);
  }

  std::vector<operations::StepPlan> following(const std::string& operation, const std::string& key,
                                              Dice& dice) const {
    const auto known = plan(operation);
    std::vector<operations::StepPlan> plans(1 + dice.below(3));
    for (std::size_t i = 0; i < plans.size(); ++i) {
      dress(plans[i], key + "." + std::to_string(i), dice);
      if (dice.chance(50)) plans[i].needs.push_back(key);
      if (dice.chance(50)) plans[i].needs.push_back(dice.pick(known).key);
      if (i > 0 && dice.chance(50)) plans[i].needs.push_back(plans[i - 1].key);
    }
    if (dice.chance(weather_.plans_badly)) plans.back().needs.push_back("nowhere");
    return plans;
  }

  std::uint64_t seed_;
  Weather weather_;
};

}  // namespace stackd::test
