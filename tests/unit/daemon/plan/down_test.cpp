// The graph of a down (part Y, C10, X7, X11).
#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

File with_down_hooks() {
  File file;
  file.hook("before_down");
  file.hook("after_down");
  file.container("db").hook("before_down").hook("pre_stop");
  file.process("api").after("db", model::Condition::ready).hook("before_down");
  return file;
}

}  // namespace

TEST_CASE("Y, X11: the whole graph of a down: the stack's before_down first, with everything alive",
          "[plan][down]") {
  const auto file = with_down_hooks();
  const auto plan = down(file, There::all(file));
  CHECK(plan.all() == R"(
    before_down[0]
    api before_down[0] <- before_down[0]
    stop api           <- api before_down[0]
    db before_down[0]  <- stop api
    db-1 pre_stop[0]   <- db before_down[0]
    stop db-1          <- db-1 pre_stop[0]
    remove db-1        <- stop db-1
    networks           <- remove db-1
    after_down[0]      <- networks
    finish down [whole] <- after_down[0]
  )");
  CHECK(plan.params<plan::Hook>("db-1 pre_stop[0]").container == "#db-1");
  CHECK(plan.params<plan::Hook>("db-1 pre_stop[0]").name == "s-db-1");
}

TEST_CASE("C6.1, C5.1: services end in reverse, replicas and branches at once", "[plan][down]") {
  File file;
  file.container("bottom").scale(2);
  file.container("left").after("bottom");
  file.container("right").after("bottom");
  file.container("top").after("left").after("right");
  CHECK(down(file, There::all(file)).services() == R"(
    stop top-1
    remove top-1    <- stop top-1
    stop left-1     <- remove top-1
    remove left-1   <- stop left-1
    stop right-1    <- remove top-1
    remove right-1  <- stop right-1
    stop bottom-1   <- remove left-1, remove right-1
    remove bottom-1 <- stop bottom-1
    stop bottom-2   <- remove left-1, remove right-1
    remove bottom-2 <- stop bottom-2
  )");
}

TEST_CASE("C6.1: the order holds over a service of which nothing is there", "[plan][down]") {
  File file;
  file.container("db");
  file.container("middle").after("db");
  file.container("web").after("middle");
  CHECK(down(file, There::all(file).without("middle")).only<plan::Stop>() ==
        "stop web-1\nstop db-1 <- stop web-1");
}

TEST_CASE("X33: a process that waited for the containers ends before them", "[plan][down]") {
  File file;
  file.container("db");
  file.process("api");
  file.container("front").after("api");
  CHECK(down(file, There::all(file)).only<plan::Stop, plan::StopProcess>() == R"(
    stop front-1
    stop api  <- stop front-1
    stop db-1 <- stop api
  )");
}

TEST_CASE("C4: groups and lists of pre_stop and before_down are as on the way up, in each replica",
          "[plan][down]") {
  File file;
  file.container("web").scale(2).hook("before_down").group("pre_stop", 2).hook("pre_stop");
  CHECK(down(file, There::all(file)).only<plan::Hook, plan::Stop>() == R"(
    web before_down[0]
    web-1 pre_stop[0] <- web before_down[0]
    web-1 pre_stop[1] <- web before_down[0]
    web-1 pre_stop[2] <- web-1 pre_stop[0], web-1 pre_stop[1]
    stop web-1        <- web-1 pre_stop[2]
    web-2 pre_stop[0] <- web before_down[0]
    web-2 pre_stop[1] <- web before_down[0]
    web-2 pre_stop[2] <- web-2 pre_stop[0], web-2 pre_stop[1]
    stop web-2        <- web-2 pre_stop[2]
  )");
}

TEST_CASE("X7: on down a failing pre_stop counts, and keeps nothing back", "[plan][down]") {
  const auto file = with_down_hooks();
  for (const auto& step : down(file, There::all(file)).steps) CHECK(step.go_on);
  CHECK_FALSE(down(file, There::all(file)).params<plan::Hook>("db-1 pre_stop[0]").warns);
}

TEST_CASE(
    "C5.6, X5: hooks are for what lives: before_down when one runs, pre_stop where it runs or is paused",
    "[plan][down]") {
  const auto file = with_down_hooks();
  const auto hooks = [&](const std::string& state, bool alive) {
    auto there = There::all(file).container("db", 1, state).process("api", alive);
    return down(file, there).only<plan::Hook>();
  };
  CHECK(hooks("exited", false) == "before_down[0]\nafter_down[0] <- before_down[0]");
  CHECK(hooks("paused", false) == R"(
    before_down[0]
    db-1 pre_stop[0] <- before_down[0]
    after_down[0]    <- db-1 pre_stop[0]
  )");
  CHECK(hooks("exited", true) == R"(
    before_down[0]
    api before_down[0] <- before_down[0]
    after_down[0]      <- api before_down[0]
  )");
}

TEST_CASE("a dead process is still taken from the books; what a oneshot did ends with its before_down",
          "[plan][down]") {
  File file;
  file.process("api").after_nothing().hook("before_down");
  file.oneshot("seed").after_nothing().hook("before_down");
  file.process("never").hook("before_down");
  CHECK(down(file, There(file).process("api", false).done("seed")).services() == R"(
    stop api
    seed before_down[0]
    stop seed <- seed before_down[0]
  )");
}

TEST_CASE("L5.3, C10.2: nothing to take away: the networks are looked for, and it is down", "[plan][down]") {
  const auto file = with_down_hooks();
  // Never up since the last down: there is nothing that its hooks could look at.
  CHECK(down(file, There(file)).all() == "networks\nfinish down [whole] <- networks");
}

TEST_CASE("X12: the stack's down hooks run when there was an up, if only one that failed", "[plan][down]") {
  const auto file = with_down_hooks();
  auto there = There(file);
  there.seen.touched = true;
  CHECK(down(file, there).only<plan::Hook>() == "before_down[0]\nafter_down[0] <- before_down[0]");
}

// ---- flags

TEST_CASE("--no-hooks: nothing but the ends", "[plan][down]") {
  auto file = with_down_hooks();
  file.gone_container("old").hook("before_down").hook("pre_stop");
  file.gone_process("gone").hook("before_down");
  const auto there = There::all(file).container("old").process("gone");
  CHECK(down(file, there, {.no_hooks = true}).services() == R"(
    stop api
    stop db-1    <- stop api
    remove db-1  <- stop db-1
    stop old-1
    remove old-1 <- stop old-1
    stop gone
  )");
}

TEST_CASE("C10, X13: volumes go only when that is asked for, the anonymous ones with their containers",
          "[plan][down]") {
  File file;
  file.volume("data");
  file.container("db").mounts("data");
  const auto there = There::all(file);
  CHECK_FALSE(down(file, there).has("volumes"));
  CHECK_FALSE(down(file, there).params<plan::Remove>("remove db-1").volumes);
  CHECK(down(file, there, {.volumes = true}).all() == R"(
    stop db-1
    remove db-1 [volumes] <- stop db-1
    networks              <- remove db-1
    volumes               <- remove db-1
    finish down [whole]   <- networks, volumes
  )");
}

TEST_CASE("C10: --rmi takes images away when the containers are gone", "[plan][down]") {
  File file;
  file.container("db");
  for (const auto* rmi : {"local", "all"})
    CHECK(down(file, There::all(file), {.rmi = rmi}).only<plan::Remove, plan::RemoveImages>() ==
          "remove db-1\nimages [" + std::string(rmi) + "] <- remove db-1");
  CHECK_FALSE(down(file, There::all(file)).has("images"));
}

TEST_CASE("C7.1: -t is for every container that is stopped", "[plan][down]") {
  File file;
  file.container("db");
  file.gone_container("old");
  CHECK(down(file, There::all(file).container("old"), {.stop_timeout = 0}).only<plan::Stop>() ==
        "stop db-1 [0 s]\nstop old-1 [0 s]");
}

TEST_CASE("a stack of processes alone needs no engine to go down, whatever is asked for", "[plan][down]") {
  File file;
  file.process("api");
  CHECK(down(file, There::all(file), {.volumes = true, .rmi = "local"}).all() ==
        "stop api\nfinish down [whole] <- stop api");
}

// ---- some services

TEST_CASE("C10: down SERVICE takes its dependents too, and no hook of the stack", "[plan][down]") {
  auto file = with_down_hooks();
  file.container("front").after("api");
  file.container("apart");
  CHECK(down(file, There::all(file), {.services = {"api"}}).all() == R"(
    stop front-1
    remove front-1     <- stop front-1
    api before_down[0] <- remove front-1
    stop api           <- api before_down[0]
    networks           <- stop api
    finish down        <- networks
  )");
}

TEST_CASE("C10.3: down SERVICE tries the stack's networks, volumes and images all the same", "[plan][down]") {
  File file;
  file.container("web");
  file.container("db");
  const auto plan = down(file, There::all(file), {.services = {"web"}, .volumes = true, .rmi = "all"});
  CHECK(plan.has("networks"));
  CHECK(plan.has("volumes"));
  CHECK(plan.has("images"));
  CHECK_FALSE(plan.has("stop db-1"));
}

TEST_CASE("C10.1: down SERVICE leaves what the file does not have", "[plan][down]") {
  File file;
  file.container("web");
  file.gone_process("gone");
  CHECK(down(file, There::all(file).container("old").process("gone"), {.services = {"web"}}).services() ==
        "stop web-1\nremove web-1 <- stop web-1");
}

// ---- orphans, hook containers

TEST_CASE("C10.1, X8: down takes away what the file no longer has, with the hooks that it had",
          "[plan][down]") {
  File file;
  file.hook("before_down");
  file.hook("after_down");
  file.container("web");
  file.gone_container("old").hook("before_down").hook("pre_stop");
  file.gone_process("gone").hook("before_down");
  const auto there = There::all(file).container("old").container("compose").process("gone");
  CHECK(down(file, there).services() == R"(
    before_down[0]
    stop web-1     <- before_down[0]
    remove web-1   <- stop web-1
    stop compose-1 <- before_down[0]
    remove compose-1 <- stop compose-1
    old before_down[0] [orphan] <- before_down[0]
    old-1 pre_stop[0] [orphan]  <- old before_down[0]
    stop old-1     <- old-1 pre_stop[0]
    remove old-1   <- stop old-1
    gone before_down[0] [orphan] <- before_down[0]
    stop gone      <- gone before_down[0]
    after_down[0]  <- remove web-1, remove compose-1, remove old-1, stop gone
  )");
}

TEST_CASE("C6.6: what a profile leaves out goes down with the others", "[plan][down]") {
  File file;
  file.container("web");
  file.off("debug");
  file.gone_container("debug").hook("pre_stop");
  CHECK(down(file, There::all(file).container("debug")).has("remove debug-1"));
}

TEST_CASE("X8: what was of another kind ends as it was: a process's containers, a container's process",
          "[plan][down]") {
  File file;
  file.process("was-container").after_nothing();
  file.container("was-process");
  file.gone_container("was-container").hook("pre_stop");
  file.gone_process("was-process").hook("before_down");
  CHECK(down(file, There(file).container("was-container").process("was-process")).services() == R"(
    was-container-1 pre_stop[0] [orphan]
    stop was-container-1   <- was-container-1 pre_stop[0]
    remove was-container-1 <- stop was-container-1
    was-process before_down[0] [orphan]
    stop was-process       <- was-process before_down[0]
  )");
}

TEST_CASE("C4.11, T7: down removes the kept containers of pre_start, all of the stack's", "[plan][down]") {
  File file;
  file.container("web");
  file.container("db");
  const auto there =
      There(file).container("web", 1, "created").kept_hook("web").kept_hook("old").kept_hook("");
  CHECK(down(file, there).only<plan::Remove>() == R"(
    remove web-1
    remove hook_of_web [volumes]
    remove hook_of_old [volumes]
    remove hook_of_ [volumes]
  )");
  // Or those of the services that are named.
  CHECK(down(file, there, {.services = {"web"}}).only<plan::Remove>() == R"(
    remove web-1
    remove hook_of_web [volumes]
  )");
  CHECK(down(file, there, {.services = {"db"}}).only<plan::Remove>() == "");
}
