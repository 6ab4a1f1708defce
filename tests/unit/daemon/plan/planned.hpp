// Plans as tests make them, and look at them. Every plan that is made here is held to the rules of rules.hpp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/plan/plan.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/plan/files.hpp"
#include "tests/unit/daemon/plan/graph_text.hpp"
#include "tests/unit/daemon/plan/rules.hpp"

namespace stackd::test {

struct Planned {
  Steps steps;
  std::vector<std::string> warnings;
  bool unchanged = false;
  std::map<std::string, std::string> shells_needed;
  std::string reason;  // the usual one

  // The whole graph.
  GraphText all() const {
    return text_of(steps, reason, [](const auto&) { return true; });
  }
  // What happens to services: without what they share, and without the last steps.
  GraphText services() const {
    return text_of(steps, reason, [](const auto& step) {
      return !is<plan::Image>(step) && !is<plan::Derive>(step) && !is<plan::Network>(step) &&
             !is<plan::Volume>(step) && !is<plan::Settle>(step) && !is<plan::FinishUp>(step) &&
             !is<plan::FinishDown>(step) && !is<plan::RemoveNetworks>(step);
    });
  }
  // Only these kinds.
  template <class... Kinds>
  GraphText only() const {
    return text_of(steps, reason, [](const auto& step) { return (is<Kinds>(step) || ...); });
  }
  // Steps of one service.
  GraphText of(const std::string& service) const {
    return text_of(steps, reason, [&](const auto& step) { return step.service == service; });
  }
  bool has(const std::string& key) const {
    return std::any_of(steps.begin(), steps.end(), [&](const auto& step) { return step.key == key; });
  }
  bool before(const std::string& first, const std::string& second) const {
    CHECK(has(first));
    CHECK(has(second));
    return Ancestors(steps).before(first, second);
  }
  template <class Kind>
  Kind params(const std::string& key) const {
    for (const auto& step : steps)
      if (step.key == key && is<Kind>(step)) return params_of<Kind>(step);
    FAIL("there is no such step: " << key);
    return {};
  }
};

inline Planned held_to_the_rules(plan::Plan plan, const model::Stack& stack, plan::Kind kind,
                                 const std::string& reason) {
  for (const auto& sentence : Rules(*stack.spec, kind, plan.steps).broken()) FAIL_CHECK(sentence);
  return {std::move(plan.steps), std::move(plan.warnings), plan.unchanged, std::move(plan.shells_needed),
          reason};
}

inline Planned plan_up(plan::Kind kind, const File& file, const There& there, const plan::Wish& wish,
                       bool again = false) {
  const auto stack = file.stack();
  return held_to_the_rules(plan::plan_up(stack, {"now", kind, wish, again}, there.seen), stack, kind,
                           plan::to_string(kind));
}
inline Planned up(const File& file, const There& there, const plan::Wish& wish = {}) {
  return plan_up(plan::Kind::up, file, there, wish);
}
inline Planned up(const File& file) {
  return up(file, There(file));
}
inline Planned start(const File& file, const There& there, const plan::Wish& wish = {}) {
  return plan_up(plan::Kind::start, file, there, wish);
}
// The second half of a restart.
inline Planned restart_starts(const File& file, const There& there, const plan::Wish& wish = {}) {
  return plan_up(plan::Kind::restart, file, there, wish);
}
// Of one whose first half failed.
inline Planned restart_starts_again(const File& file, const There& there, const plan::Wish& wish = {}) {
  return plan_up(plan::Kind::restart, file, there, wish, true);
}

inline Planned plan_down(plan::Kind kind, const File& file, const There& there, const plan::Wish& wish) {
  const auto stack = file.stack();
  return held_to_the_rules(plan::plan_down(stack, {"now", kind, wish}, there.seen), stack, kind,
                           plan::to_string(kind));
}
inline Planned down(const File& file, const There& there, const plan::Wish& wish = {}) {
  return plan_down(plan::Kind::down, file, there, wish);
}
inline Planned stop(const File& file, const There& there, const plan::Wish& wish = {}) {
  return plan_down(plan::Kind::stop, file, there, wish);
}
// The first half of a restart.
inline Planned restart_stops(const File& file, const There& there, const plan::Wish& wish = {}) {
  return plan_down(plan::Kind::restart, file, there, wish);
}

inline Planned recover(const File& file, const There& there, const plan::Wish& wish) {
  const auto stack = file.stack();
  return held_to_the_rules(plan::plan_recover(stack, {"now", plan::Kind::recover, wish}, there.seen), stack,
                           plan::Kind::recover, "recover");
}

inline Planned roll_back(const File& file, const There& there, const plan::Deeds& deeds = {},
                         plan::Kind kind = plan::Kind::up) {
  const auto stack = file.stack();
  const plan::Request request{"now", kind, {}};
  return held_to_the_rules(plan::plan_rollback(stack, request, there.seen, deeds), stack, plan::Kind::up,
                           "rollback");
}

}  // namespace stackd::test
