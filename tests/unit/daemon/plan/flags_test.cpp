// What up's flags make of a plan (C8.3), and entries that are called by hand.
#include "tests/unit/daemon/plan/planned.hpp"

#include "daemon/plan/due.hpp"

using namespace stackd;
using namespace stackd::test;

TEST_CASE("C8.3: --no-recreate takes what is there as it is, and starts what does not run", "[plan][flags]") {
  File before;
  before.container("db");
  before.container("web");
  before.process("api");
  auto file = before;
  file["db"]->container->user = "1";
  file["web"]->container->user = "1";
  file["api"]->process->cmd = "run another";
  file.network("default").internal = true;
  const plan::Wish wish{.no_recreate = true};
  const auto all = There::all(before);
  CHECK(up(file, all, wish).unchanged);
  const auto plan = up(file, There(all).container("web", 1, "exited"), wish);
  CHECK(plan.params<plan::Create>("create web-1").as_is);
  CHECK_FALSE(plan.has("stop api"));
  CHECK_FALSE(plan.has("stop db-1"));
}

TEST_CASE("C8.3: --always-recreate-deps makes anew what was not named, and only with names",
          "[plan][flags]") {
  File file;
  file.container("db");
  file.process("tunnel");
  file.container("web").after("db").after("tunnel");
  file.container("other");
  const auto all = There::all(file);
  const auto plan = up(file, all, {.services = {"web"}, .always_recreate_deps = true});
  CHECK(plan.params<plan::Create>("create db-1").force);
  CHECK(plan.before("stop tunnel", "start tunnel"));
  CHECK_FALSE(plan.params<plan::Create>("create web-1").force);
  CHECK_FALSE(plan.has("create other-1"));
  CHECK(up(file, all, {.always_recreate_deps = true}).unchanged);
}

TEST_CASE("C8.3: -V makes containers anew without the anonymous volumes that they had", "[plan][flags]") {
  File file;
  file.container("db");
  const auto plan = up(file, There::all(file), {.renew_volumes = true});
  CHECK(plan.params<plan::Create>("create db-1").force);
  CHECK(plan.params<plan::Create>("create db-1").renew);
}

TEST_CASE("-t is how long a container that is replaced or taken away has to stop", "[plan][flags]") {
  File before;
  before.container("web");
  auto file = before;
  file.network("default").internal = true;
  const auto there = There::all(before).container("web", 2);
  const auto plan = up(file, there, {.stop_timeout = 3});
  CHECK(plan.params<plan::Stop>("stop web-1").timeout == 3);
  CHECK(plan.params<plan::Stop>("stop web-2").timeout == 3);
  CHECK(plan.params<plan::Create>("create web-1").timeout == 3);
}

TEST_CASE("--no-start makes containers and what they need: no hook, no process, no start, no end",
          "[plan][flags]") {
  File file;
  file.hook("before_up");
  file.hook("after_up");
  file.volume("data");
  file.container("db").mounts("data").scale(2).hook("before_start").hook("post_start");
  file.process("api");
  CHECK(up(file, There(file), {.no_start = true}).all() == R"(
    image db
    network default
    volume data
    create db-1 <- image db, network default, volume data
    create db-2 <- image db, network default, volume data
  )");
}

TEST_CASE("An orphan is gone before anything is made: it may have the name or the port of what was renamed",
          "[plan][flags]") {
  File file;
  file.gone_container("old");
  file.gone_process("helper");
  file.container("new");
  file.process("api");
  auto there = There::all(file).container("old").process("helper");
  const auto plan = up(file, there.without("new").without("api"), {.remove_orphans = true});
  CHECK(plan.before("remove old-1", "create new-1"));
  CHECK(plan.before("stop helper", "create new-1"));
  CHECK(plan.before("remove old-1", "start api"));
}

TEST_CASE("--skip-hooks: what is left out is not due either", "[plan][flags]") {
  File file;
  file.container("db").hook("pre_start");
  auto there = There::all(file);
  there.seen.hooks.push_back({"db", model::Phase::pre_start, 0, "", "inputs changed: x", false, {}});
  plan::Wish wish;
  wish.skip_hooks = {"db.pre_start[0]"};
  plan::heed_wish(file.stack(), wish, there.seen);
  CHECK(up(file, there, wish).unchanged);
}

TEST_CASE("Entries by hand run one after another, in each running replica of their service",
          "[plan][flags]") {
  File file;
  file.hook("after_up");
  file.container("db").scale(2).hook("post_start").hook("pre_start");
  const auto stack = file.stack();
  const auto planned = [&](const There& there, const std::vector<std::string>& hooks) {
    plan::Wish wish;
    wish.hooks = hooks;
    return plan::plan_hooks(stack, {"now", plan::Kind::hooks, wish}, there.seen).steps;
  };
  const auto all = There::all(file);
  std::vector<std::string> keys;
  for (const auto& step : planned(all, {"db.post_start", "after_up[0]", "db.pre_start"})) {
    keys.push_back(step.key);
    const auto params = params_of<plan::Hook>(step);
    CHECK(params.by_hand);
    CHECK(params.reason == "manual");
    CHECK(step.needs == (keys.size() == 1 ? plan::Keys{} : plan::Keys{keys[keys.size() - 2]}));
  }
  CHECK(keys == std::vector<std::string>{"db-1 post_start[0]", "db-2 post_start[0]", "after_up[0]",
                                         "db-1 pre_start[0]"});
  CHECK_THROWS_WITH(planned(There(file), {"db.post_start"}),
                    "cannot run db post_start[0]: service 'db' does not run");
}
