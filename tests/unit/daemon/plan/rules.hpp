// What holds for every graph, whatever it was planned from. Each rule that is broken gives a sentence.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "daemon/plan/plan.hpp"
#include "tests/unit/daemon/plan/graph_text.hpp"

namespace stackd::test {

class Rules {
public:
  Rules(const model::Spec& spec, plan::Kind operation, const Steps& steps)
      : spec_(spec), operation_(operation), steps_(steps), ancestors_(steps) {
    for (const auto& step : steps) {
      by_key_.emplace(step.key, &step);
      known_.push_back(what_is(step));
    }
  }

  std::vector<std::string> broken() {
    it_can_come_to_its_end();
    for (const auto& one : known_) {
      its_parameters_are_of_its_kind(*one.step);
      it_goes_on_when_it_takes_away(one);
      what_it_reads_was_there_before(*one.step);
      its_hook_is_in_the_file(*one.step);
      for (const auto& other : known_) part_y(one, other);
    }
    dependencies_come_first();
    return std::move(broken_);
  }

private:
  // Of a step, what the rules ask for.
  struct Known {
    const operations::StepPlan* step = nullptr;
    bool creates = false, starts = false, readies = false, settles = false, finishes_up = false;
    bool ends = false;                    // it takes something away
    std::optional<model::Phase> hook;     // what entry it runs
    std::string stops, removes, runs_in;  // ids of containers
    bool first = false;                   // may come before everything: it needs no part of the stack
    bool of_stack(model::Phase phase) const { return hook == phase && step->service.empty(); }
  };

  static Known what_is(const operations::StepPlan& step) {
    Known known{&step};
    known.creates = is<plan::Create>(step);
    known.starts = is<plan::Start>(step) || is<plan::StartProcess>(step);
    known.readies = is<plan::Ready>(step) || is<plan::ReadyProcess>(step) || is<plan::Completed>(step);
    known.settles = is<plan::Settle>(step);
    known.finishes_up = is<plan::FinishUp>(step);
    known.ends = is<plan::Stop>(step) || is<plan::Remove>(step) || is<plan::StopProcess>(step) ||
                 is<plan::RemoveNetworks>(step) || is<plan::RemoveVolumes>(step) ||
                 is<plan::RemoveImages>(step) || is<plan::EndHook>(step) || is<plan::FinishDown>(step);
    known.first = is<plan::Network>(step) || is<plan::EndHook>(step);
    if (is<plan::Stop>(step)) known.stops = params_of<plan::Stop>(step).id;
    if (is<plan::Remove>(step)) known.removes = params_of<plan::Remove>(step).id;
    if (is<plan::Hook>(step)) {
      const auto hook = params_of<plan::Hook>(step);
      known.hook = hook.phase;
      known.runs_in = hook.container;
      known.ends = model::row_of(hook.phase).direction == model::Direction::down;
    }
    return known;
  }

  template <class... Words>
  void must(bool holds, const Words&... words) {
    if (holds) return;
    auto& sentence = broken_.emplace_back();
    ((sentence += words), ...);
  }

  void it_can_come_to_its_end() {
    std::set<std::string> keys;
    for (const auto& step : steps_) {
      must(keys.insert(step.key).second, "two steps are called '", step.key, "'");
      must(!ancestors_.before(step.key, step.key), "'", step.key, "' comes after itself");
      std::set<std::string> needs;
      for (const auto& need : step.needs) {
        must(by_key_.contains(need), "'", step.key, "' needs '", need, "', which is no step");
        must(needs.insert(need).second, "'", step.key, "' needs '", need, "' twice");
      }
    }
  }

  template <class Kind>
  bool check_kind(const operations::StepPlan& step) {
    if (!is<Kind>(step)) return false;
    must(model::encode(params_of<Kind>(step)) == step.params, "the parameters of '", step.key,
         "' do not come back");
    return true;
  }
  template <class... Kinds>
  bool check_kinds(const operations::StepPlan& step, std::tuple<Kinds...>*) {
    return (check_kind<Kinds>(step) || ...);
  }
  void its_parameters_are_of_its_kind(const operations::StepPlan& step) {
    must(check_kinds(step, static_cast<plan::AllKinds*>(nullptr)), "'", step.key,
         "' is of no kind: ", step.kind);
  }

  // Down always reaches its end; only a pre_stop may keep its container, on stop and restart (X7).
  void it_goes_on_when_it_takes_away(const Known& one) {
    const bool stops = operation_ == plan::Kind::stop || operation_ == plan::Kind::restart;
    if (stops && one.hook == model::Phase::pre_stop) return;
    must(one.step->go_on == one.ends, "'", one.step->key, (one.ends ? "' does not go on" : "' goes on"),
         " when it fails");
  }

  // A parameter that names a step: one of the kind, which has ended before.
  template <class... Kinds>
  void reads(const operations::StepPlan& step, const std::string& key) {
    const auto named = by_key_.find(key);
    must(named != by_key_.end() && (is<Kinds>(*named->second) || ...), "'", step.key, "' reads '", key,
         "', which is no such step");
    must(ancestors_.before(key, step.key), "'", step.key, "' reads '", key, "' before that has ended");
  }
  template <class... Kinds>
  void reads_all(const operations::StepPlan& step, const std::vector<std::string>& keys) {
    for (const auto& key : keys) reads<Kinds...>(step, key);
  }
  void what_it_reads_was_there_before(const operations::StepPlan& step) {
    if (is<plan::Derive>(step)) reads<plan::Image>(step, params_of<plan::Derive>(step).image_step);
    if (is<plan::Create>(step)) {
      reads<plan::Image, plan::Derive>(step, params_of<plan::Create>(step).image_step);
      reads_all<plan::Create>(step, params_of<plan::Create>(step).restarts_with);
    }
    if (is<plan::Start>(step)) starts_what_was_made(step, params_of<plan::Start>(step));
    if (is<plan::PreRun>(step)) {
      reads<plan::Create>(step, params_of<plan::PreRun>(step).create_step);
      reads<plan::Start>(step, params_of<plan::PreRun>(step).start_step);
    }
    if (is<plan::Ready>(step)) {
      reads_all<plan::Create>(step, params_of<plan::Ready>(step).create_steps);
      reads<plan::Image>(step, params_of<plan::Ready>(step).image_step);
    }
    if (is<plan::Completed>(step))
      reads_all<plan::Create>(step, params_of<plan::Completed>(step).create_steps);
    if (is<plan::Settle>(step))
      for (const auto& container : params_of<plan::Settle>(step).containers) {
        reads<plan::Create>(step, container.create_step);
        reads<plan::Start>(step, container.start_step);
      }
    if (is<plan::Hook>(step)) {
      const auto hook = params_of<plan::Hook>(step);
      if (!hook.create_step.empty()) reads<plan::Create>(step, hook.create_step);
      reads_all<plan::Create>(step, hook.gate);
      reads_all<plan::Start, plan::StartProcess>(step, hook.started_by);
      if (!hook.ready_step.empty()) reads<plan::Ready, plan::ReadyProcess>(step, hook.ready_step);
    }
  }
  void starts_what_was_made(const operations::StepPlan& step, const plan::Start& start) {
    reads<plan::Create>(step, start.create_step);
    const auto made = by_key_.find(start.create_step);
    if (made == by_key_.end() || !is<plan::Create>(*made->second)) return;
    must(made->second->service == step.service &&
             params_of<plan::Create>(*made->second).number == start.number,
         "'", step.key, "' starts what '", start.create_step, "' has made for another");
  }

  void its_hook_is_in_the_file(const operations::StepPlan& step) {
    if (!is<plan::Hook>(step)) return;
    const auto params = params_of<plan::Hook>(step);
    std::vector<const model::Hook*> hooks;
    if (step.service.empty()) hooks = spec_.hooks_of(params.phase);
    const auto* own = params.gone ? nullptr : spec_.find(step.service);
    for (const auto* service : {own, spec_.find_gone(step.service)})
      if (service)
        for (const auto* hook : service->hooks_of(params.phase)) hooks.push_back(hook);
    must(std::any_of(hooks.begin(), hooks.end(),
                     [&](const auto* hook) { return hook->index == params.index; }),
         "'", step.key, "' is no hook of '", step.service, "'");
  }

  // The one phase order, for any two steps.
  void part_y(const Known& one, const Known& other) {
    for (const auto phase : {model::Phase::before_up, model::Phase::before_down})
      if (other.of_stack(phase) && !one.of_stack(phase) && !one.first) comes_after(one, other);
    if (one.of_stack(model::Phase::after_down) && other.ends && !is<plan::FinishDown>(*other.step) &&
        !other.of_stack(model::Phase::after_down))
      comes_after(one, other);
    if (one.settles && (other.starts || other.readies)) comes_after(one, other);
    if ((one.of_stack(model::Phase::after_up) || one.finishes_up) && other.settles) comes_after(one, other);
    if (!one.removes.empty() && one.removes == other.stops) comes_after(one, other);
    if (!one.stops.empty() && other.hook == model::Phase::pre_stop && other.runs_in == one.stops)
      comes_after(one, other);
  }
  void comes_after(const Known& later, const Known& earlier) {
    must(ancestors_.before(earlier.step->key, later.step->key), "'", later.step->key, "' does not wait for '",
         earlier.step->key, "'");
  }

  // C6.1: what starts comes after what it depends on, and on the way down it ends before that does.
  void dependencies_come_first() {
    const bool down = std::any_of(steps_.begin(), steps_.end(),
                                  [](const auto& step) { return is<plan::FinishDown>(step); });
    std::map<std::string, std::vector<const Known*>> of;
    for (const auto& one : known_)
      if (one.creates || one.starts || one.ends) of[one.step->service].push_back(&one);
    for (const auto& service : spec_.services)
      for (const auto& [name, unused] : service.depends_on)
        for (const auto* own : of[service.name])
          for (const auto* other : of[name]) {
            if (!down && !own->ends && other->starts) comes_after(*own, *other);
            if (down && ends(*own, service) && ends(*other, *spec_.find(name))) comes_after(*other, *own);
          }
  }
  // What is left of a service that was of another kind may end whenever it likes.
  static bool ends(const Known& one, const model::Service& service) {
    return service.container ? !one.stops.empty() : is<plan::StopProcess>(*one.step);
  }

  const model::Spec& spec_;
  plan::Kind operation_;
  const Steps& steps_;
  Ancestors ancestors_;
  std::map<std::string, const operations::StepPlan*> by_key_;
  std::vector<Known> known_;
  std::vector<std::string> broken_;
};

}  // namespace stackd::test
