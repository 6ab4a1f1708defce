// What an up takes along (changes.hpp): by a network that is made anew, by a dependency that restarts, by a
// namespace that is shared.
#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;

// ---- networks

TEST_CASE("C8.7, X8: when a network is another, its containers stop, hooks and all, before it is made anew",
          "[plan][changes]") {
  File before;
  before.hook("before_up");
  before.container("web").hook("before_down").hook("pre_stop").hook("before_start");
  before.network("back");
  before.container("db").only_on("back");
  auto file = before;
  file.network("default").driver = "macvlan";
  CHECK(
      up(file, There::all(before)).only<plan::Hook, plan::Stop, plan::Network, plan::Create, plan::Start>() ==
      R"(
    before_up[0]
    web before_down[0] [recreate]       <- before_up[0]
    web-1 pre_stop[0] [recreate; warns] <- web before_down[0]
    stop web-1          <- web-1 pre_stop[0]
    network default     <- stop web-1
    network back        <- before_up[0]
    web before_start[0] <- before_up[0]
    create web-1 [#web-1; anew] <- web before_start[0], network default
    start web-1         <- create web-1
    create db-1 [#db-1] <- network back
    start db-1          <- create db-1
  )");
}

TEST_CASE("C8.7: it takes along services that were not named, but starts none that has no container",
          "[plan][changes]") {
  File before;
  for (const auto* name : {"web", "other", "absent"}) before.container(name);
  auto file = before;
  file.network("default").labels["a"] = "b";
  const auto there = There::all(before).without("absent");
  const auto plan = up(file, there, {.services = {"web"}});
  CHECK(plan.only<plan::Stop, plan::Network, plan::Create>() == R"(
    stop web-1
    stop other-1
    network default <- stop web-1, stop other-1
    create web-1 [#web-1; anew]     <- network default
    create other-1 [#other-1; anew] <- network default
  )");
}

TEST_CASE("C8.7: every replica that a signal would reach is stopped first, a surplus one goes by itself",
          "[plan][changes]") {
  File before;
  before.container("web").scale(4);
  auto file = before;
  file.network("default").internal = true;
  auto there = There::all(before)
                   .container("web", 2, "paused")
                   .container("web", 3, "restarting")
                   .container("web", 4, "exited")
                   .container("web", 5);
  CHECK(up(file, there).only<plan::Stop, plan::Remove, plan::Network>() == R"(
    stop web-1
    stop web-2
    stop web-3
    network default <- stop web-1, stop web-2, stop web-3
    stop web-5
    remove web-5    <- stop web-5
  )");
}

TEST_CASE("C8.7: only this stack's own networks are made anew", "[plan][changes]") {
  File before;
  before.container("web");
  auto file = before;
  auto there = There::all(before);
  auto& network = file.network("default");
  network.driver = "macvlan";
  SECTION("not an external one") {
    network.external = true;
  }
  SECTION("not one of another name") {
    network.name = "theirs";
  }
  SECTION("not one that the file does not have") {
    file = before;
    there.seen.networks["unknown"] = {"net:unknown", "s_unknown", "another"};
  }
  SECTION("not when the engine was not asked") {
    there.seen.engine = false;
  }
  CHECK(up(file, there).unchanged);
}

TEST_CASE("C8.2: a running container that is not on a network of its service is made anew",
          "[plan][changes]") {
  File file;
  file.network("back");
  file.container("web").on("back").hook("before_start");
  auto there = There::all(file);
  auto& on = there.seen.containers["web"][1].network_ids;
  on = {"net:default"};
  CHECK(up(file, there).services() == R"(
    web before_start[0]
    create web-1 [#web-1; anew] <- web before_start[0]
    start web-1 <- create web-1
    ready web   <- start web-1
  )");
  on = {"net:default", "net:back", "net:more"};
  CHECK(up(file, there).unchanged);
  // Podman tells a name where an id belongs.
  on = {"net:default", "s_back"};
  CHECK(up(file, there).unchanged);
}

TEST_CASE("C8.2: one that does not run, or is not brought up, is not asked where it is", "[plan][changes]") {
  File file;
  file.container("web");
  file.container("db");
  auto there = There::all(file);
  there.seen.containers["web"][1].network_ids.clear();
  CHECK(up(file, there, {.services = {"db"}}).unchanged);
  there.seen.containers["web"][1].state = "exited";
  CHECK_FALSE(up(file, there).params<plan::Create>("create web-1").force);
}

// ---- volumes

TEST_CASE("C8.7: a volume of another definition is used as it is, with a warning", "[plan][changes]") {
  File before;
  before.volume("data");
  before.container("db").mounts("data");
  auto file = before;
  file.volume("data").driver_opts["type"] = "nfs";
  const auto plan = up(file, There::all(before));
  CHECK(plan.unchanged);
  REQUIRE(plan.warnings.size() == 1);
  CHECK(plan.warnings[0].starts_with("volume 's_data' was made from another definition than the file's"));

  file.volume("data").external = true;
  CHECK(up(file, There::all(before)).warnings.empty());
  file.volume("data").external = false;
  file.volume("data").name = "theirs";
  CHECK(up(file, There::all(before)).warnings.empty());
  file.spec.volumes.clear();
  CHECK(up(file, There::all(before)).warnings.empty());
}

// ---- depends_on with restart: true

TEST_CASE(
    "X8, C8: restart: true: the dependent stops before its dependency is made anew, and starts after it",
    "[plan][changes]") {
  File file;
  file.container("db");
  file.container("web").restarts_with("db").hook("before_down").hook("pre_stop").hook("before_start");
  file.container("apart").after("db");
  const auto plan = up(file, There::all(file).outdated("db"));
  CHECK(plan.only<plan::Hook, plan::Stop, plan::Create, plan::Start>() == R"(
    web before_down[0] [dependency-restart]       
    web-1 pre_stop[0] [dependency-restart; warns] <- web before_down[0]
    stop web-1          <- web-1 pre_stop[0]
    create db-1 [#db-1] <- stop web-1
    start db-1          <- create db-1
    web before_start[0] <- start db-1
    create web-1 [#web-1; with create db-1] <- web before_start[0]
    start web-1         <- create web-1
    create apart-1 [#apart-1] <- start db-1
    start apart-1       <- create apart-1
  )");
}

TEST_CASE("X8: so it goes on from one to the next, and with --force-recreate", "[plan][changes]") {
  File file;
  file.container("front").restarts_with("web");
  file.container("web").restarts_with("db");
  file.container("db");
  CHECK(up(file, There::all(file).outdated("db")).only<plan::Stop, plan::Start>() == R"(
    stop front-1
    stop web-1
    start db-1    <- stop web-1
    start web-1   <- start db-1, stop front-1
    start front-1 <- start web-1
  )");
  CHECK(up(file, There::all(file), {.force_recreate = true}).only<plan::Stop>() ==
        "stop front-1\nstop web-1");
}

TEST_CASE("X8: no dependent stops for a dependency that is only started, or is new", "[plan][changes]") {
  File file;
  file.container("db");
  file.container("web").restarts_with("db");
  CHECK(up(file, There::all(file).container("db", 1, "exited")).only<plan::Stop>() == "");
  CHECK(up(file, There::all(file).without("db")).only<plan::Stop>() == "");
  // And a dependent that does not run has nothing to stop.
  CHECK(up(file, There::all(file).container("web", 1, "exited").outdated("db")).only<plan::Stop>() == "");
}

TEST_CASE("X8: who is not brought up does not restart", "[plan][changes]") {
  File file;
  file.container("db");
  file.container("web").restarts_with("db");
  CHECK(up(file, There::all(file).outdated("db"), {.services = {"db"}}).services() == R"(
    create db-1 [#db-1]
    start db-1 <- create db-1
    ready db   <- start db-1
  )");
}

TEST_CASE("X8: a process restarts with its dependency too", "[plan][changes]") {
  File file;
  file.container("db");
  file.process("api").restarts_with("db").hook("before_down").hook("before_start");
  CHECK(up(file, There::all(file).outdated("db")).services() == R"(
    api before_down[0] [dependency-restart]
    stop api            <- api before_down[0]
    create db-1 [#db-1] <- stop api
    start db-1          <- create db-1
    ready db            <- start db-1
    api before_start[0] <- start db-1
    start api           <- api before_start[0]
    ready api           <- start api
  )");
  CHECK(up(file, There::all(file)).unchanged);
  CHECK_FALSE(up(file, There::all(file).process("api", false).outdated("db")).has("stop api"));
}

TEST_CASE("X8: and what depends on a process restarts with that", "[plan][changes]") {
  File file;
  file.process("api").after_nothing();
  file.container("web").restarts_with("api").hook("pre_stop");
  file.process("watch").restarts_with("web");
  CHECK(up(file, There::all(file).outdated("api")).services() == R"(
    web-1 pre_stop[0] [dependency-restart; warns]
    stop web-1   <- web-1 pre_stop[0]
    stop watch
    stop api     <- stop web-1
    start api    <- stop api
    ready api    <- start api
    create web-1 [#web-1] <- start api, stop watch
    start web-1  <- create web-1
    ready web    <- start web-1
    start watch  <- start web-1
    ready watch  <- start watch
  )");
}

TEST_CASE("X8: one that is both changed and taken along stops once, before its dependency",
          "[plan][changes]") {
  File file;
  file.container("db");
  file.process("api").restarts_with("db");
  file.container("web").restarts_with("db");
  CHECK(up(file, There::all(file).outdated("db").outdated("api").outdated("web"))
            .only<plan::Stop, plan::StopProcess, plan::Create, plan::StartProcess>() == R"(
    stop api
    stop web-1
    create db-1 [#db-1] <- stop api, stop web-1
    start api <- create db-1
    create web-1 [#web-1; with create db-1] <- create db-1
  )");
}

// ---- namespaces

TEST_CASE("C8.2: who lives in the namespace of a container that is made anew is made anew with it",
          "[plan][changes]") {
  File file;
  file.container("db");
  file.container("side").shares("db").hook("before_start");
  file.container("inner").shares("side");
  CHECK(up(file, There::all(file).outdated("db")).services() == R"(
    stop side-1
    stop inner-1
    create db-1 [#db-1] <- stop side-1
    start db-1           <- create db-1
    ready db             <- start db-1
    side before_start[0] <- start db-1
    create side-1 [#side-1; anew; with create db-1] <- side before_start[0], stop inner-1
    start side-1         <- create side-1
    ready side           <- start side-1
    create inner-1 [#inner-1; anew; with create side-1] <- start side-1
    start inner-1        <- create inner-1
    ready inner          <- start inner-1
  )");
}

TEST_CASE("C8.2: volumes_from shares without restarting: it is made anew all the same", "[plan][changes]") {
  File file;
  file.container("data");
  file.container("web").after("data");
  file["web"]->container->volumes_from = {"data:ro"};
  const auto plan = up(file, There::all(file).outdated("data"));
  CHECK(plan.only<plan::Stop>() == "");
  CHECK(plan.params<plan::Create>("create web-1").force);
  CHECK(up(file, There::all(file)).unchanged);
}
