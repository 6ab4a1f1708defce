// Stack files and states that nobody would write down, some hundred of them, the same at every run: what
// holds for every plan (rules.hpp) holds for theirs, and for the operations as a whole.
#include <random>

#include "daemon/plan/order.hpp"

#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;
using model::Condition;

namespace {

constexpr unsigned k_cases = 300;

class Dice {
public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  int up_to(int last) { return static_cast<int>(engine_() % static_cast<unsigned>(last + 1)); }
  bool one_in(int count) { return up_to(count - 1) == 0; }
  template <class T>
  const T& of(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(up_to(static_cast<int>(list.size()) - 1))];
  }
  template <class T>
  void shuffle(std::vector<T>& list) {
    for (std::size_t i = list.size(); i > 1; --i)
      std::swap(list[i - 1], list[static_cast<std::size_t>(up_to(static_cast<int>(i) - 1))]);
  }

private:
  std::mt19937 engine_;
};

const std::vector<std::string> k_service_phases{"before_start", "after_ready", "before_down"};
const std::vector<std::string> k_container_phases{"pre_start", "pre_run", "post_start", "pre_stop",
                                                  "post_build"};
const std::vector<std::string> k_states{"running", "running", "exited", "paused", "restarting", "created"};

void add_hooks(Dice& dice, ServiceWords service, const std::vector<std::string>& phases) {
  for (const auto& phase : phases) {
    if (!dice.one_in(3)) continue;
    if (dice.one_in(3)) service.group(phase, 2);
    for (int i = dice.up_to(2); i > 0; --i)
      service.hook(phase, [&](model::Hook& hook) {
        hook.per_replica = phase == "pre_start" && dice.one_in(2);
        if (phase == "pre_start" && dice.one_in(3)) hook.image = "tools";
        if (model::row_of(hook.phase).place == model::HookPlace::host && dice.one_in(4))
          hook.run_in_image = "tools";
      });
  }
}

// The names are such that a service may be called as another's replica.
std::vector<std::string> names(Dice& dice) {
  std::vector<std::string> names{"web", "web-1", "web-2", "db", "db-1", "api", "seed"};
  dice.shuffle(names);
  names.resize(static_cast<std::size_t>(1 + dice.up_to(6)));
  return names;
}

ServiceWords add_service(Dice& dice, File& file, const std::string& name, int kind) {
  if (kind < 6) {
    auto service = file.container(name);
    service.scale(dice.up_to(3));
    if (dice.one_in(4)) service.image("base");
    if (dice.one_in(4)) service.built();
    if (dice.one_in(3)) service.on("back");
    if (dice.one_in(3)) service.mounts("data");
    add_hooks(dice, service, k_container_phases);
    return service;
  }
  return kind < 9 ? file.process(name) : file.oneshot(name);
}

File random_file(Dice& dice) {
  File file;
  file.network("back");
  file.volume("data");
  for (const auto* phase : {"before_up", "after_up", "before_down", "after_down"})
    for (int i = dice.up_to(2) - 1; i > 0; --i)
      file.hook(phase, [&](model::Hook& hook) {
        if (dice.one_in(4)) hook.run_in_image = "tools";
      });
  const auto in_file_order = names(dice);
  auto by_rank = in_file_order;  // each depends on those before it here only
  dice.shuffle(by_rank);
  for (const auto& name : in_file_order) {
    add_hooks(dice, add_service(dice, file, name, dice.up_to(9)), k_service_phases);
    if (dice.one_in(4)) file[name].after_nothing();
  }
  for (std::size_t i = 0; i < by_rank.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      auto service = file[by_rank[i]];
      const auto other = file[by_rank[j]];
      if (!dice.one_in(3)) continue;
      const auto condition = dice.of<Condition>(
          {Condition::started, Condition::healthy, Condition::ready, Condition::completed_successfully});
      service.after(by_rank[j], {condition, !dice.one_in(5), dice.one_in(3)});
      if (service->container && other->container && dice.one_in(4)) service.shares(by_rank[j]);
    }
  return file;
}

// What earlier files had: other services, and these as another kind.
void add_gone(Dice& dice, File& file) {
  for (const auto& service : file.spec.services)
    if (dice.one_in(5)) {
      auto gone = service.container ? file.gone_process(service.name) : file.gone_container(service.name);
      add_hooks(dice, gone, {"before_down"});
      if (gone->container) add_hooks(dice, gone, {"pre_stop"});
    }
  add_hooks(dice, file.gone_container("old"), {"before_down", "pre_stop"});
  add_hooks(dice, file.gone_oneshot("older"), {"before_down"});
  if (dice.one_in(3)) file.off("old");
}

There random_there(Dice& dice, const File& file) {
  There there(file);
  for (const auto& service : file.spec.services) {
    if (dice.one_in(3)) continue;
    const auto* gone = file.spec.find_gone(service.name);
    if (service.container || (gone && gone->container))
      for (int n = 1; n <= 3; ++n)
        if (!dice.one_in(3)) there.container(service.name, n, dice.of(k_states));
    if (service.process || (gone && gone->process)) {
      there.process(service.name, dice.one_in(2));
      there.seen.processes[service.name].done = dice.one_in(2);
    }
    if (dice.one_in(3)) there.outdated(service.name);
    if (dice.one_in(3)) there.made_now(service.name);
    if (dice.one_in(4)) there.kept_hook(service.name);
    if (dice.one_in(4)) there.restarted(service.name, 1 + dice.up_to(2));
    if (dice.one_in(4)) there.failed_hook(service.name, "post_start", 0, id_of(service.name));
  }
  if (dice.one_in(2)) there.container("old", 1, dice.of(k_states));
  if (dice.one_in(2)) there.done("older");
  if (dice.one_in(2)) there.container("stranger");
  if (dice.one_in(4)) there.seen.networks["default"].definition = "another";
  there.seen.up = dice.one_in(2);
  there.seen.touched = dice.one_in(2);
  return there;
}

plan::Wish random_wish(Dice& dice, const File& file) {
  plan::Wish wish;
  for (const auto& service : file.spec.services) {
    if (dice.one_in(4)) wish.services.push_back(service.name);
    if (service.container && dice.one_in(5)) wish.scale[service.name] = dice.up_to(3);
    if (dice.one_in(2)) wish.reasons[service.name] = "container-restart";
    if (dice.one_in(3)) wish.restarted[service.name] = {1 + dice.up_to(2)};
  }
  wish.no_deps = dice.one_in(4);
  wish.build = dice.one_in(6);
  wish.rebuild = dice.one_in(6);
  wish.force_recreate = dice.one_in(4);
  wish.remove_orphans = dice.one_in(2);
  wish.volumes = dice.one_in(3);
  wish.no_hooks = dice.one_in(5);
  return wish;
}

struct Case {
  File file;
  There there;
  plan::Wish wish;
};
Case random_case(unsigned seed) {
  Dice dice(seed);
  auto file = random_file(dice);
  add_gone(dice, file);
  auto there = random_there(dice, file);
  auto wish = random_wish(dice, file);
  return {std::move(file), std::move(there), std::move(wish)};
}

// Ids of the containers that steps of a kind are about.
template <class Kind>
std::multiset<std::string> ids_in(const Planned& plan) {
  std::multiset<std::string> ids;
  for (const auto& step : plan.steps)
    if (is<Kind>(step)) ids.insert(params_of<Kind>(step).id);
  return ids;
}
std::multiset<std::string> ids_there(const There& there) {
  std::multiset<std::string> ids;
  for (const auto& [service, containers] : there.seen.containers)
    for (const auto& [number, container] : containers) ids.insert(container.id);
  return ids;
}
template <class Kind>
long count(const Planned& plan) {
  return std::count_if(plan.steps.begin(), plan.steps.end(), is<Kind>);
}

const std::vector<Case>& cases() {
  static const auto all = [] {
    std::vector<Case> cases;
    for (unsigned seed = 1; seed <= k_cases; ++seed) cases.push_back(random_case(seed));
    return cases;
  }();
  return all;
}

template <class Check>
void for_many(Check check) {
  for (std::size_t i = 0; i < cases().size(); ++i) {
    const auto& [file, there, wish] = cases()[i];
    CAPTURE(i);
    check(file, there, wish);
  }
}

}  // namespace

TEST_CASE("whatever is there and is asked for, every plan keeps the rules", "[plan][property]") {
  for_many([](const File& file, const There& there, const plan::Wish& wish) {
    up(file, there, wish);
    start(file, there, wish);
    restart_stops(file, there, wish);
    restart_starts(file, there, wish);
    restart_starts_again(file, there, wish);
    stop(file, there, wish);
    down(file, there, wish);
    recover(file, there, wish);
    roll_back(file, there, {.started = {id_of("web"), id_of("db", 2)}, .running_hooks = {"run-1"}});
  });
}

TEST_CASE("a restart's halves, and the roll-back after them, have no step of one name", "[plan][property]") {
  for_many([](const File& file, const There& there, const plan::Wish& wish) {
    std::set<std::string> keys;
    const auto add = [&](const Planned& plan) {
      for (const auto& step : plan.steps)
        if (!keys.insert(step.key).second) FAIL_CHECK("twice: " << step.key);
    };
    add(restart_stops(file, there, wish));
    add(restart_starts(file, there, wish));
    add(roll_back(file, there, {.keys = keys}, plan::Kind::restart));
  });
}

TEST_CASE("the same is planned from the same", "[plan][property]") {
  for_many([](const File& file, const There& there, const plan::Wish& wish) {
    const auto first = up(file, there, wish).steps, second = up(file, there, wish).steps;
    CHECK(std::equal(
        first.begin(), first.end(), second.begin(), second.end(), [](const auto& a, const auto& b) {
          return a.key == b.key && a.params == b.params && a.needs == b.needs && a.go_on == b.go_on;
        }));
  });
}

TEST_CASE("C8.5, T10: what runs as the file says is left: a second up does nothing", "[plan][property]") {
  for_many([](const File& file, const There&, const plan::Wish& wish) {
    const auto there = There::all(file);
    CHECK(up(file, there).unchanged);
    CHECK(up(file, there, {.services = wish.services, .no_deps = wish.no_deps}).unchanged);
  });
}

TEST_CASE("an up starts each selected service as often as it is to be there, once each", "[plan][property]") {
  for_many([](const File& file, const There& there, const plan::Wish& wish) {
    const auto plan = up(file, there, wish);
    CHECK(plan.unchanged == plan.steps.empty());
    if (plan.unchanged) return;
    const auto scale = plan::scale_of(file.spec, wish);
    for (const auto& name : plan::selected_by(file.spec, {"now", plan::Kind::up, wish})) {
      const auto starts = std::count_if(plan.steps.begin(), plan.steps.end(), [&](const auto& step) {
        return step.service == name && (is<plan::Start>(step) || is<plan::StartProcess>(step));
      });
      CAPTURE(name);
      CHECK(starts == (scale.contains(name) ? scale.at(name) : 1));
    }
  });
}

TEST_CASE("C10.1: a whole down stops and removes every container once, and every process",
          "[plan][property]") {
  for_many([](const File& file, const There& there, const plan::Wish& wish) {
    const auto plan = down(file, there, {.volumes = wish.volumes, .no_hooks = wish.no_hooks});
    const auto all = ids_there(there);
    CHECK(ids_in<plan::Stop>(plan) == all);
    auto removed = all;
    for (const auto& hook : there.seen.hook_containers) removed.insert(hook.id);
    CHECK(ids_in<plan::Remove>(plan) == removed);
    CHECK(count<plan::StopProcess>(plan) == static_cast<long>(there.seen.processes.size()));
    if (wish.no_hooks) CHECK(count<plan::Hook>(plan) == 0);
  });
}

TEST_CASE("stop and the first half of a restart remove nothing", "[plan][property]") {
  for_many([](const File& file, const There& there, const plan::Wish& wish) {
    for (const auto& plan : {stop(file, there, wish), restart_stops(file, there, wish)}) {
      CHECK(count<plan::Remove>(plan) == 0);
      CHECK(count<plan::RemoveNetworks>(plan) + count<plan::RemoveVolumes>(plan) == 0);
    }
  });
}

TEST_CASE("X32: a roll-back touches only what the operation made or started, and removes only what it made",
          "[plan][property]") {
  for_many([](const File& file, const There& there, const plan::Wish&) {
    const plan::Deeds deeds{.started = {id_of("web"), id_of("db", 2)}};
    const auto plan = roll_back(file, there, deeds);
    std::multiset<std::string> made, touched;
    for (const auto& [service, containers] : there.seen.containers)
      for (const auto& [number, container] : containers) {
        if (container.operation == "now") made.insert(container.id);
        if (container.operation == "now" || deeds.started.contains(container.id))
          touched.insert(container.id);
      }
    CHECK(ids_in<plan::Stop>(plan) == touched);
    CHECK(ids_in<plan::Remove>(plan) == made);
    for (const auto& step : plan.steps)
      if (is<plan::StopProcess>(step)) CHECK(there.seen.processes.at(step.service).operation == "now");
  });
}

TEST_CASE("a recovery makes nothing anew, takes nothing away, and touches no other service",
          "[plan][property]") {
  for_many([](const File& file, const There& there, const plan::Wish& wish) {
    const auto plan = recover(file, there, wish);
    CHECK(count<plan::Stop>(plan) + count<plan::Remove>(plan) + count<plan::StopProcess>(plan) == 0);
    for (const auto& step : plan.steps) {
      if (is<plan::Create>(step)) CHECK(params_of<plan::Create>(step).as_is);
      if (is<plan::Create>(step) || is<plan::StartProcess>(step) || is<plan::Hook>(step))
        CHECK(wish.reasons.contains(step.service));
    }
  });
}

TEST_CASE("X33: whatever the file, services have an order, and what depends_on says is part of it",
          "[plan][property]") {
  for_many([](const File& file, const There&, const plan::Wish&) {
    const auto order = plan::comes_after(file.spec);
    std::set<std::string> done;
    for (std::size_t before = 1; before != done.size();) {
      before = done.size();
      for (const auto& [service, needs] : order)
        if (std::includes(done.begin(), done.end(), needs.begin(), needs.end())) done.insert(service);
    }
    CHECK(done.size() == file.spec.services.size());
    for (const auto& service : file.spec.services)
      for (const auto& [name, unused] : service.depends_on) CHECK(order.at(service.name).contains(name));
  });
}
