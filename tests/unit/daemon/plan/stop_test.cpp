// stop, start and the two halves of a restart.
#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

// web on db, with all hooks of a way down.
File web_on_db() {
  File file;
  file.hook("before_down");
  file.hook("after_down");
  file.container("db").hook("pre_stop");
  file.container("web").after("db").hook("before_down").hook("pre_stop");
  return file;
}

}  // namespace

// ---- stop

TEST_CASE("stop ends the services and removes nothing; the stack's down hooks are for down", "[plan][stop]") {
  const auto file = web_on_db();
  CHECK(stop(file, There::all(file)).all() == R"(
    web before_down[0]
    web-1 pre_stop[0] [forbids] <- web before_down[0]
    stop web-1                  <- web-1 pre_stop[0]
    db-1 pre_stop[0] [forbids]  <- stop web-1
    stop db-1                   <- db-1 pre_stop[0]
    finish down                 <- stop db-1
  )");
}

TEST_CASE("X7: on stop a failing pre_stop keeps its own container; those beside it do not wait for it",
          "[plan][stop]") {
  File file;
  file.container("web").scale(2).hook("pre_stop");
  file.container("db").hook("pre_stop");
  CHECK(stop(file, There::all(file)).services() == R"(
    web-1 pre_stop[0] [forbids]
    stop web-1 <- web-1 pre_stop[0]
    web-2 pre_stop[0] [forbids]
    stop web-2 <- web-2 pre_stop[0]
    db-1 pre_stop[0] [forbids]
    stop db-1  <- db-1 pre_stop[0]
  )");
}

TEST_CASE("T5: stop SERVICE stops that one and leaves its dependents running", "[plan][stop]") {
  const auto file = web_on_db();
  CHECK(stop(file, There::all(file), {.services = {"db"}}).services() == R"(
    db-1 pre_stop[0] [forbids]
    stop db-1 <- db-1 pre_stop[0]
  )");
  // The other one is stopped already: no hook is asked for.
  CHECK(stop(file, There::all(file).container("db", 1, "exited")).services() == R"(
    web before_down[0]
    web-1 pre_stop[0] [forbids] <- web before_down[0]
    stop web-1 <- web-1 pre_stop[0]
    stop db-1  <- stop web-1
  )");
}

TEST_CASE("stop is of the whole stack: what the file no longer has stops too, and stays", "[plan][stop]") {
  File file;
  file.container("web");
  file.gone_container("old").hook("pre_stop");
  file.gone_process("gone");
  const auto there = There::all(file).container("old").process("gone").kept_hook("web");
  const auto plan = stop(file, there, {.stop_timeout = 3});
  CHECK(plan.services() == R"(
    stop web-1 [3 s]
    old-1 pre_stop[0] [orphan]
    stop old-1 [3 s] <- old-1 pre_stop[0]
    stop gone
  )");
  CHECK(stop(file, there, {.services = {"web"}}).services() == "stop web-1");
}

TEST_CASE("C7.1: a paused container and one in back-off are stopped too", "[plan][stop]") {
  File file;
  file.container("web").hook("before_down");
  for (const auto* state : {"paused", "restarting", "exited"}) {
    CAPTURE(state);
    CHECK(stop(file, There::all(file).container("web", 1, state)).services() == "stop web-1");
  }
}

// ---- start

TEST_CASE("C3.5, X3: start makes what is stopped run, without the stack's own hooks", "[plan][start]") {
  File file;
  file.hook("before_up");
  file.hook("after_up");
  file.container("db").hook("pre_start").hook("post_start");
  file.process("api").after("db").hook("before_start");
  const auto there = There(file).container("db", 1, "exited").up();
  CHECK(start(file, there).all() == R"(
    image db
    network default
    create db-1 [#db-1]  <- image db, network default
    db pre_start[0]      <- create db-1
    start db-1           <- db pre_start[0]
    db-1 post_start[0]   <- start db-1
    ready db             <- db-1 post_start[0]
    api before_start[0]  <- db-1 post_start[0]
    start api            <- api before_start[0]
    ready api            <- start api
    settle [start db-1; process api] <- ready db, ready api
    finish up            <- settle
  )");
}

TEST_CASE("start SERVICE starts what it depends on too", "[plan][start]") {
  const auto file = web_on_db();
  const auto there = There::all(file).container("web", 1, "exited").container("db", 1, "exited");
  CHECK(start(file, there, {.services = {"web"}}).only<plan::Start>() ==
        "start db-1\nstart web-1 <- start db-1");
  CHECK(start(file, there, {.services = {"db"}}).only<plan::Start>() == "start db-1");
}

// ---- restart

TEST_CASE(
    "L5.9: a whole restart is a down that removes nothing, hooks and all; then the second half is planned",
    "[plan][restart]") {
  const auto file = web_on_db();
  CHECK(restart_stops(file, There::all(file)).all() == R"(
    before_down[0]
    web before_down[0]          <- before_down[0]
    web-1 pre_stop[0] [forbids] <- web before_down[0]
    stop web-1                  <- web-1 pre_stop[0]
    db-1 pre_stop[0] [forbids]  <- stop web-1
    stop db-1                   <- db-1 pre_stop[0]
    after_down[0]               <- stop db-1
    finish down                 <- after_down[0]
    plan                        <- finish down
  )");
}

TEST_CASE("restart of what was never up has no down hooks", "[plan][restart]") {
  const auto file = web_on_db();
  CHECK(restart_stops(file, There(file)).all() == "finish down\nplan <- finish down");
}

TEST_CASE("X6: restart of a stopped service skips pre_stop", "[plan][restart]") {
  const auto file = web_on_db();
  CHECK(restart_stops(file, There::all(file).container("db", 1, "exited"), {.services = {"db"}}).services() ==
        "stop db-1\nplan <- stop db-1");
}

TEST_CASE("X8: restart SERVICE takes along those with restart: true, and tells them so", "[plan][restart]") {
  File file;
  file.container("db").hook("pre_stop");
  file.container("web").restarts_with("db").hook("before_down").hook("pre_stop");
  file.process("api").restarts_with("web").hook("before_down");
  file.container("apart").after("db").hook("pre_stop");
  const plan::Wish wish{.services = {"db"}};
  CHECK(restart_stops(file, There::all(file), wish).services() == R"(
    api before_down[0] [dependency-restart]
    stop api <- api before_down[0]
    web before_down[0] [dependency-restart] <- stop api
    web-1 pre_stop[0] [dependency-restart; forbids] <- web before_down[0]
    stop web-1 <- web-1 pre_stop[0]
    db-1 pre_stop[0] [forbids] <- stop web-1
    stop db-1  <- db-1 pre_stop[0]
    plan       <- stop db-1
  )");
  const auto stopped =
      There::all(file).container("db", 1, "exited").container("web", 1, "exited").without("api");
  CHECK(restart_starts(file, stopped, wish).only<plan::Start, plan::StartProcess>() == R"(
    start db-1
    start web-1 <- start db-1
    start api   <- start web-1
  )");
}

TEST_CASE("restart --no-deps SERVICE leaves those with restart: true as they are", "[plan][restart]") {
  File file;
  file.container("db");
  file.container("web").restarts_with("db");
  const plan::Wish wish{.services = {"db"}, .no_deps = true};
  CHECK(restart_stops(file, There::all(file), wish).services() == "stop db-1\nplan <- stop db-1");
  const auto stopped = There::all(file).container("db", 1, "exited");
  CHECK(restart_starts(file, stopped, wish).only<plan::Start>() == "start db-1");
}

TEST_CASE("restart SERVICE starts neither what it depends on nor what depends on it", "[plan][restart]") {
  const auto file = web_on_db();
  const auto there = There::all(file).container("web", 1, "exited").container("db", 1, "exited");
  CHECK(restart_starts(file, there, {.services = {"web"}}).only<plan::Start>() == "start web-1");
  CHECK(restart_starts(file, there, {.services = {"db"}}).only<plan::Start>() == "start db-1");
}

TEST_CASE("X7: when the first half has failed, what it stopped is started, and what it kept is left",
          "[plan][restart]") {
  const auto file = web_on_db();
  const auto there = There::all(file).container("db", 1, "exited");
  CHECK(restart_starts_again(file, there).services() == R"(
    create db-1 [#db-1]
    start db-1   <- create db-1
    ready db     <- start db-1
    create web-1 [#web-1] <- start db-1
    start web-1  <- create web-1
    ready web    <- start web-1
  )");
}

TEST_CASE("what the second half of a restart takes away is called apart: the first has stopped it once",
          "[plan][restart]") {
  SECTION("a container that became a process") {
    File file;
    file.process("api").after_nothing();
    file.gone_container("api").hook("pre_stop");
    auto there = There(file).container("api").up();
    CHECK(restart_stops(file, there).has("stop api-1"));
    there.container("api", 1, "exited");
    CHECK(restart_starts(file, there).services() == R"(
      stop api-1 again
      remove api-1 again <- stop api-1 again
      start api          <- remove api-1 again
      ready api          <- start api
    )");
  }
  SECTION("a container that a pre_stop kept, whose dependency is made anew") {
    File file;
    file.container("db");
    file.container("web").restarts_with("db").hook("before_down").hook("pre_stop");
    const auto there = There::all(file).container("db", 1, "exited").outdated("db");
    CHECK(restart_starts_again(file, there).only<plan::Hook, plan::Stop>() == R"(
      web before_down[0] again [dependency-restart]
      web-1 pre_stop[0] again [dependency-restart; warns] <- web before_down[0] again
      stop web-1 again <- web-1 pre_stop[0] again
    )");
  }
  SECTION("a process that is made anew") {
    File file;
    file.process("api");
    CHECK(restart_starts_again(file, There::all(file).outdated("api")).has("stop api again"));
  }
}
