// What a failed or cancelled up takes away: X32, T7, X9.
#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;

TEST_CASE("X32: what this operation made goes, what it only started is stopped, what ran before stays",
          "[plan][rollback]") {
  File file;
  file.container("made");
  file.container("started");
  file.container("before");
  const auto there = There::all(file).made_now("made");
  CHECK(roll_back(file, there, {.started = {"#started-1"}}).all() == R"(
    stop made-1
    remove made-1                   <- stop made-1
    stop started-1
    networks [of this operation]    <- remove made-1, stop started-1
    finish down [rollback]          <- networks
  )");
}

TEST_CASE("X32: of a service's replicas only those go that are new", "[plan][rollback]") {
  File file;
  file.container("web").scale(2);
  auto there = There::all(file);
  there.seen.containers["web"][2].operation = "now";
  CHECK(roll_back(file, there).services() == "stop web-2\nremove web-2 <- stop web-2");
}

TEST_CASE("X32: an up that had done nothing takes nothing away", "[plan][rollback]") {
  File file;
  file.container("web");
  file.process("api");
  file.volume("data");
  CHECK(roll_back(file, There::all(file)).all() ==
        "networks [of this operation]\nfinish down [rollback] <- networks");
  File processes;
  processes.process("api");
  CHECK(roll_back(processes, There::all(processes)).all() == "finish down [rollback]");
}

TEST_CASE("X32: processes go when this operation started them, in reverse order", "[plan][rollback]") {
  File file;
  file.container("db");
  file.process("old").after("db");
  file.process("api").after("db");
  file.oneshot("seed").after("api");
  auto there = There::all(file).made_now("api").made_now("seed").made_now("db");
  CHECK(roll_back(file, there).services() == R"(
    stop seed
    stop api    <- stop seed
    stop db-1   <- stop api
    remove db-1 <- stop db-1
  )");
}

TEST_CASE("L4, L4.3: a roll-back runs no host hooks; pre_stop is the container's, and runs (X8)",
          "[plan][rollback]") {
  File file;
  for (const auto* phase : {"before_down", "after_down"}) file.hook(phase);
  file.container("web").hook("before_down").hook("pre_stop");
  file.process("api").hook("before_down");
  file.oneshot("seed").hook("before_down");
  auto there = There::all(file).made_now("web").made_now("api").made_now("seed");
  const auto plan = roll_back(file, there);
  CHECK(plan.only<plan::Hook>() == "web-1 pre_stop[0]");
  CHECK(plan.params<plan::Hook>("web-1 pre_stop[0]").reason == "rollback");
}

TEST_CASE("X32: volumes and images always stay", "[plan][rollback]") {
  File file;
  file.volume("data");
  file.container("db").mounts("data");
  const auto plan = roll_back(file, There::all(file).made_now("db"));
  CHECK(plan.only<plan::RemoveVolumes, plan::RemoveImages>() == "");
  CHECK_FALSE(plan.params<plan::Remove>("remove db-1").volumes);
}

TEST_CASE("T7: when pre_start fails, the created container stays beside the hook's", "[plan][rollback]") {
  File file;
  file.container("web").scale(2).hook("pre_start");
  file.container("other");
  auto there = There(file)
                   .container("web", 1, "created")
                   .container("web", 2, "created")
                   .container("other", 1, "created");
  there.made_now("web").made_now("other").kept_hook("web", "now");
  CHECK(roll_back(file, there, {.failed_before_start = {"web"}}).services() ==
        "stop other-1\nremove other-1 <- stop other-1");
  // One that has run all the same is no such container, and one that failed otherwise goes.
  there.seen.containers["web"][2].state = "running";
  CHECK(roll_back(file, there, {.failed_before_start = {"web"}}).has("remove web-2"));
  CHECK(roll_back(file, there).has("remove web-1"));
}

TEST_CASE("T7: hook containers stay until the next up or down", "[plan][rollback]") {
  File file;
  file.container("web").hook("pre_start");
  const auto there = There(file).container("web", 1, "created").made_now("web").kept_hook("web", "now");
  CHECK(roll_back(file, there).only<plan::Remove>() == "remove web-1");
}

TEST_CASE("X9: hooks that still run are ended before anything is taken away", "[plan][rollback]") {
  File file;
  file.container("web").hook("pre_stop");
  const auto plan = roll_back(file, There::all(file).made_now("web"), {.running_hooks = {"run-1", "run-2"}});
  CHECK(plan.services() == R"(
    end run-1
    end run-2
    web-1 pre_stop[0] <- end run-1, end run-2
    stop web-1        <- web-1 pre_stop[0]
    remove web-1      <- stop web-1
  )");
  CHECK(plan.before("end run-1", "networks"));
}

TEST_CASE("X1, X9: with --keep only the hooks end", "[plan][rollback]") {
  const auto steps = plan::end_hooks({"run-1", "run-2"});
  CHECK(text_of(steps, "", [](const auto&) { return true; }) == "end run-1\nend run-2");
  CHECK(params_of<plan::EndHook>(steps[1]).run == "run-2");
  CHECK(steps[0].go_on);
  CHECK(plan::end_hooks({}).empty());
}

TEST_CASE("X32: an orphan of this operation goes as well, one of an earlier stays", "[plan][rollback]") {
  File file;
  file.container("web");
  file.gone_container("old").hook("before_down");
  file.gone_process("gone");
  auto there = There(file).container("old").process("gone");
  CHECK(roll_back(file, there).services() == "");
  there.made_now("old").made_now("gone");
  CHECK(roll_back(file, there).services() == R"(
    stop old-1
    remove old-1 <- stop old-1
    stop gone
  )");
}

TEST_CASE("X32: steps of a name that the operation has had already are called apart, and so are their needs",
          "[plan][rollback]") {
  File file;
  file.container("db");
  file.process("api").after("db");
  const auto there = There::all(file).made_now("db").made_now("api");
  CHECK(roll_back(file, there, {.keys = {"stop api", "finish down", "create db-1"}}, plan::Kind::restart)
            .all() == R"(
    stop api again
    stop db-1                    <- stop api again
    remove db-1                  <- stop db-1
    networks [of this operation] <- remove db-1
    finish down again [rollback] <- networks
  )");
  // A restart whose second half took something away has used both.
  CHECK(roll_back(file, there, {.keys = {"stop api", "stop api again"}}).has("stop api again again"));
}

TEST_CASE("X32: a roll-back goes on whatever fails, and is never the whole stack's down",
          "[plan][rollback]") {
  File file;
  file.container("web").hook("pre_stop");
  file.process("api");
  const auto plan = roll_back(file, There::all(file).made_now("web").made_now("api"));
  for (const auto& step : plan.steps) CHECK(step.go_on);
  CHECK_FALSE(plan.params<plan::FinishDown>("finish down").whole);
  CHECK(plan.params<plan::RemoveNetworks>("networks").operation == "now");
}
