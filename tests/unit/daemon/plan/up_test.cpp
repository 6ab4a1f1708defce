// The graph of an up: the one phase order (part Y), and who waits for whom.
#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;
using model::Condition;

TEST_CASE("Y: the whole graph of an up, for a container and a process that waits for it", "[plan][up]") {
  File file;
  for (const auto* phase : {"before_up", "after_up", "before_down", "after_down"}) file.hook(phase);
  file.volume("data");
  file.container("db").mounts("data");
  for (const auto* phase :
       {"before_start", "pre_start", "pre_run", "post_start", "after_ready", "before_down", "pre_stop"})
    file["db"].hook(phase);
  file.process("api").after("db", Condition::healthy).hook("before_start").hook("after_ready");
  CHECK(up(file).all() == R"(
    before_up[0]
    image db             <- before_up[0]
    network default      <- before_up[0]
    volume data          <- before_up[0]
    db before_start[0]   <- before_up[0]
    create db-1          <- db before_start[0], image db, network default, volume data
    db pre_start[0]      <- create db-1
    start db-1           <- db pre_start[0]
    db-1 pre_run[0]      <- start db-1
    db-1 post_start[0]   <- db-1 pre_run[0]
    ready db [healthy]   <- db-1 post_start[0]
    db after_ready[0]    <- ready db
    api before_start[0]  <- db after_ready[0]
    start api            <- api before_start[0]
    ready api            <- start api
    api after_ready[0]   <- ready api
    settle [start db-1; process api] <- api after_ready[0]
    after_up[0]          <- settle
    finish up            <- after_up[0]
  )");
}

// ---- conditions

TEST_CASE("C3.3, Y: service_started waits for post_start, and for nothing that comes later", "[plan][up]") {
  File file;
  file.container("db").hook("post_start").hook("after_ready");
  file.container("web").after("db", Condition::started);
  CHECK(up(file).services() == R"(
    create db-1
    start db-1         <- create db-1
    db-1 post_start[0] <- start db-1
    ready db           <- db-1 post_start[0]
    db after_ready[0]  <- ready db
    create web-1       <- db-1 post_start[0]
    start web-1        <- create web-1
    ready web          <- start web-1
  )");
}

TEST_CASE("Y, L2.2: service_healthy and Lich's plain list wait for readiness and after_ready", "[plan][up]") {
  for (const auto condition : {Condition::healthy, Condition::ready}) {
    File file;
    file.container("db").hook("after_ready");
    file.container("web").after("db", condition).hook("before_start");
    CAPTURE(static_cast<int>(condition));
    const auto plan = up(file);
    CHECK(plan.of("web") == R"(
      image web
      web before_start[0]
      create web-1 <- image web, web before_start[0]
      start web-1  <- create web-1
      ready web    <- start web-1
    )");
    CHECK(plan.before("db after_ready[0]", "web before_start[0]"));
    CHECK(plan.params<plan::Ready>("ready db").awaited_healthy == (condition == Condition::healthy));
  }
}

TEST_CASE(
    "C6.5: service_completed_successfully waits for the end, not for readiness; one step for all who ask",
    "[plan][up]") {
  File file;
  file.container("seed").hook("after_ready");
  file.oneshot("build").after_nothing();
  for (const auto* name : {"web", "worker"})
    file.container(name)
        .after("seed", Condition::completed_successfully)
        .after("build", Condition::completed_successfully);
  const auto plan = up(file);
  CHECK(plan.only<plan::Create, plan::Start, plan::StartProcess, plan::Completed>() == R"(
    create seed-1
    start seed-1    <- create seed-1
    completed seed  <- start seed-1
    start build
    completed build <- start build
    create web-1    <- completed seed, completed build
    start web-1     <- create web-1
    create worker-1 <- completed seed, completed build
    start worker-1  <- create worker-1
  )");
  CHECK_FALSE(plan.before("seed after_ready[0]", "create web-1"));
  CHECK(plan.before("completed seed", "settle"));
  CHECK(plan.params<plan::Completed>("completed seed").create_steps == plan::Keys{"create seed-1"});
  CHECK(plan.params<plan::Completed>("completed build").create_steps.empty());
}

TEST_CASE("C6.6: what nobody requires may fail; one who does require it is enough", "[plan][up]") {
  File file;
  file.container("cache").hook("after_ready");
  file.process("tracer").after_nothing();
  file.oneshot("seed").after_nothing();
  file.container("web")
      .after("cache", {.condition = Condition::healthy, .required = false})
      .after("tracer", {.condition = Condition::ready, .required = false})
      .after("seed", {.condition = Condition::completed_successfully, .required = false});
  auto plan = up(file);
  CHECK(plan.only<plan::Ready, plan::ReadyProcess, plan::Completed, plan::Settle>() == R"(
    ready cache [healthy; optional]
    ready tracer [optional]
    ready seed [optional]
    completed seed [optional]
    ready web <- ready cache, ready tracer, completed seed
    settle [start web-1] <- ready web, ready seed
  )");
  CHECK(plan.params<plan::Hook>("cache after_ready[0]").ready_step == "ready cache");

  file.container("other").after("cache", Condition::started);
  plan = up(file);
  CHECK_FALSE(plan.params<plan::Ready>("ready cache").optional);
  CHECK(plan.params<plan::ReadyProcess>("ready tracer").optional);
  CHECK(plan.only<plan::Settle>() == "settle [start cache-1; start web-1; start other-1]");
}

TEST_CASE("C6.6: by itself, without the service that may do without it, it has to become ready",
          "[plan][up]") {
  File file;
  file.container("cache");
  file.container("web").after("cache", {.required = false});
  CHECK(up(file, There(file), {.services = {"cache"}}).only<plan::Ready, plan::Settle>() == R"(
    ready cache
    settle [start cache-1] <- ready cache
  )");
}

TEST_CASE("C6.7: a dependency of no replicas is not waited for, whatever the condition", "[plan][up]") {
  for (const auto condition :
       {Condition::started, Condition::healthy, Condition::ready, Condition::completed_successfully}) {
    File file;
    file.container("db").scale(0).hook("pre_start").hook("before_start").hook("after_ready");
    file.container("web").after("db", condition);
    CAPTURE(static_cast<int>(condition));
    CHECK(up(file).only<plan::Create, plan::Start, plan::Ready, plan::Hook, plan::Settle>() == R"(
      create web-1
      start web-1 <- create web-1
      ready web   <- start web-1
      settle [start web-1] <- ready web
    )");
  }
}

// ---- who is brought up

TEST_CASE("C6.7, C10: a named service comes with all that it depends on, and with nothing else",
          "[plan][up]") {
  File file;
  file.container("a");
  file.container("b").after("a");
  file.container("c").after("b");
  file.container("d").after("c");
  CHECK(up(file, There(file), {.services = {"c"}}).only<plan::Start>() == R"(
    start a-1
    start b-1 <- start a-1
    start c-1 <- start b-1
  )");
  // --no-deps
  CHECK(up(file, There(file), {.services = {"c"}, .no_deps = true}).only<plan::Start>() == "start c-1");
  CHECK(up(file, There(file), {.services = {"d", "c"}, .no_deps = true}).only<plan::Start>() == R"(
    start c-1
    start d-1 <- start c-1
  )");
}

TEST_CASE("C6.1: branches that do not depend on each other do not wait for each other", "[plan][up]") {
  File file;
  file.container("top").after("left").after("right");
  file.container("left").after("bottom");
  file.container("right").after("bottom");
  file.container("bottom");
  file.container("apart");
  CHECK(up(file).only<plan::Start>() == R"(
    start bottom-1
    start left-1  <- start bottom-1
    start right-1 <- start bottom-1
    start top-1   <- start left-1, start right-1
    start apart-1
  )");
}

TEST_CASE("C3.2: replicas are made at once and started one after another, each with its post_start",
          "[plan][up]") {
  File file;
  file.container("db").scale(3).hook("post_start");
  file.container("web").after("db");
  CHECK(up(file).services() == R"(
    create db-1
    create db-2
    create db-3
    start db-1         <- create db-1, create db-2, create db-3
    db-1 post_start[0] <- start db-1
    start db-2         <- db-1 post_start[0]
    db-2 post_start[0] <- start db-2
    start db-3         <- db-2 post_start[0]
    db-3 post_start[0] <- start db-3
    ready db           <- db-3 post_start[0]
    create web-1       <- db-3 post_start[0]
    start web-1        <- create web-1
    ready web          <- start web-1
  )");
}

TEST_CASE("C10: --scale says how many there are to be, over the file's word, and 0 is allowed",
          "[plan][up]") {
  File file;
  file.container("web").scale(2);
  file.container("db");
  CHECK(up(file, There(file), {.scale = {{"web", 1}, {"db", 0}}}).only<plan::Create>() == "create web-1");
  CHECK(plan::scale_of(file.spec, {.scale = {{"web", 3}, {"nobody", 9}}}) ==
        std::map<std::string, int>{{"web", 3}, {"db", 1}});
}

TEST_CASE("X28: at the end it is looked whether everything is still there, what ran before too",
          "[plan][up]") {
  File file;
  file.container("web").scale(2);
  file.process("api");
  file.oneshot("seed");
  auto there = There::all(file).without("api");
  CHECK(up(file, there).only<plan::Settle>() ==
        "settle [start web-1; start web-2; process api; process seed]");
}

// ---- X33

TEST_CASE("X33: a process without depends_on begins when the containers are started, not ready",
          "[plan][up]") {
  File file;
  file.process("api").hook("before_start");
  file.container("db").hook("post_start").hook("after_ready");
  file.container("cache");
  CHECK(up(file).services() == R"(
    create db-1
    start db-1          <- create db-1
    db-1 post_start[0]  <- start db-1
    ready db            <- db-1 post_start[0]
    db after_ready[0]   <- ready db
    create cache-1
    start cache-1       <- create cache-1
    ready cache         <- start cache-1
    api before_start[0] <- db-1 post_start[0], start cache-1
    start api           <- api before_start[0]
    ready api           <- start api
  )");
}

TEST_CASE("X33: with `depends_on: []` it starts at once, with names it waits for those", "[plan][up]") {
  File file;
  file.container("db");
  file.container("cache");
  file.process("now").after_nothing();
  file.oneshot("later").after("db");
  CHECK(up(file).only<plan::Start, plan::StartProcess>() == R"(
    start db-1
    start cache-1
    start now
    start later <- start db-1
  )");
}

TEST_CASE("X33: it does not wait for containers that wait for it, by whatever way", "[plan][up]") {
  File file;
  file.process("api");
  file.container("gateway").after("api");
  file.container("front").after("gateway");
  file.process("watch").after("gateway");
  file.container("panel").after("watch");
  file.container("db");
  CHECK(up(file).only<plan::Start, plan::StartProcess>() == R"(
    start db-1
    start api       <- start db-1
    start gateway-1 <- start api
    start front-1   <- start gateway-1
    start watch     <- start gateway-1
    start panel-1   <- start watch
  )");
}

TEST_CASE("X33: processes do not wait for each other, oneshots are processes", "[plan][up]") {
  File file;
  file.process("api");
  file.oneshot("seed");
  file.container("db");
  CHECK(up(file).only<plan::Start, plan::StartProcess>() == R"(
    start db-1
    start api  <- start db-1
    start seed <- start db-1
  )");
}

TEST_CASE("X33: only containers that are brought up are waited for", "[plan][up]") {
  File file;
  file.process("api");
  file.container("db");
  CHECK(up(file, There(file), {.services = {"api"}}).only<plan::Start, plan::StartProcess>() == "start api");
}

TEST_CASE("X33: two processes, each with a container that depends on it: what the file says holds",
          "[plan][up]") {
  for (const bool containers_first : {false, true}) {
    File file;
    const auto processes = [&] {
      file.process("p");
      file.process("q");
    };
    if (!containers_first) processes();
    file.container("on-p").after("p");
    file.container("on-q").after("q");
    if (containers_first) processes();
    CAPTURE(containers_first);
    // Each would wait for the other's container: the first in the file does.
    CHECK(up(file).only<plan::Start, plan::StartProcess>() == R"(
      start q
      start on-q-1 <- start q
      start p      <- start on-q-1
      start on-p-1 <- start p
    )");
    CHECK(down(file, There::all(file)).only<plan::Stop, plan::StopProcess>() == R"(
      stop on-p-1
      stop p      <- stop on-p-1
      stop on-q-1 <- stop p
      stop q      <- stop on-q-1
    )");
  }
}
