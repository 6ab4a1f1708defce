// What an up takes away: replicas beyond the scale, what the file does not have any more, and what has become
// another kind.
#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

const plan::Wish k_remove{.remove_orphans = true};
const plan::Wish k_ignore{.ignore_orphans = true};

std::string told_of(const std::string& service) {
  return "found containers of service '" + service +
         "', which the stack file does not have (any more); --remove-orphans takes them away";
}

}  // namespace

// ---- scale

TEST_CASE("C8.6, X8: scaled down, the highest numbers go, pre_stop and all; it fails nothing",
          "[plan][surplus]") {
  File file;
  file.hook("before_up");
  file.container("web").scale(3).hook("pre_stop").hook("before_down").hook("before_start");
  const auto plan = up(file, There::all(file), {.scale = {{"web", 1}}});
  CHECK(plan.services() == R"(
    before_up[0]
    web-2 pre_stop[0] [scale-down; warns] <- before_up[0]
    stop web-2   <- web-2 pre_stop[0]
    remove web-2 <- stop web-2
    web-3 pre_stop[0] [scale-down; warns] <- before_up[0]
    stop web-3   <- web-3 pre_stop[0]
    remove web-3 <- stop web-3
    create web-1 [#web-1] <- before_up[0]
    start web-1  <- create web-1
    ready web    <- start web-1
  )");
  const auto hook = plan.params<plan::Hook>("web-3 pre_stop[0]");
  CHECK(hook.container == "#web-3");
  CHECK(hook.name == "s-web-3");
}

TEST_CASE("C5.6, X5: pre_stop is asked for where there is a process: of what runs or is paused",
          "[plan][surplus]") {
  File file;
  file.container("web").hook("pre_stop");
  for (const auto& [state, asked] : std::map<std::string, bool>{{"running", true},
                                                                {"paused", true},
                                                                {"restarting", false},
                                                                {"exited", false},
                                                                {"created", false},
                                                                {"dead", false}}) {
    CAPTURE(state);
    auto there = There::all(file).container("web", 2, state);
    CHECK(up(file, there).has("web-2 pre_stop[0]") == asked);
    CHECK(up(file, there).before("stop web-2", "remove web-2"));
  }
}

TEST_CASE("C8.6, T13: scaled up, only the new ones are made; before_start runs, pre_start is asked once",
          "[plan][surplus]") {
  File file;
  file.container("web").hook("pre_start").hook("before_start");
  CHECK(up(file, There::all(file), {.scale = {{"web", 2}}}).services() == R"(
    web before_start[0]
    create web-1 [#web-1] <- web before_start[0]
    create web-2 <- web before_start[0]
    web pre_start[0] <- create web-1, create web-2
    start web-1      <- web pre_start[0]
    start web-2      <- start web-1
    ready web        <- start web-2
  )");
}

TEST_CASE("C10: scaled to none, all go, and nothing is made", "[plan][surplus]") {
  File file;
  file.container("web").scale(2);
  CHECK(up(file, There::all(file), {.scale = {{"web", 0}}}).services() == R"(
    stop web-1
    remove web-1 <- stop web-1
    stop web-2
    remove web-2 <- stop web-2
  )");
}

TEST_CASE("a service that is not brought up keeps what it has", "[plan][surplus]") {
  File file;
  file.container("web");
  file.container("db");
  const auto there = There::all(file).container("web", 2);
  CHECK(up(file, there, {.services = {"db"}}).unchanged);
  CHECK_FALSE(up(file, there, {.services = {"web"}}).unchanged);
}

TEST_CASE("start and restart are of the replicas that are there, whatever --scale made them",
          "[plan][surplus]") {
  File file;
  file.container("web");
  auto there = There(file).container("web", 1, "exited").container("web", 2, "exited").up();
  const auto both = R"(
    create web-1 [#web-1]
    create web-2 [#web-2]
    start web-1 <- create web-1, create web-2
    start web-2 <- start web-1
    ready web   <- start web-2
  )";
  CHECK(start(file, there).services() == both);
  CHECK(restart_starts(file, there).services() == both);
  CHECK(restart_starts_again(file, there).services() == both);
}

// ---- orphans

TEST_CASE("C10.4: an up warns of containers that the file does not have, and leaves them",
          "[plan][surplus]") {
  File file;
  file.container("web");
  const auto there = There::all(file).container("old").container("old", 2);
  CHECK(up(file, there).unchanged);
  CHECK(up(file, there).warnings == std::vector<std::string>{told_of("old")});
  CHECK(up(file, there, k_ignore).warnings.empty());
  CHECK(up(file, there, k_ignore).unchanged);
}

TEST_CASE("C10.4, X8: --remove-orphans takes them away with the hooks that they had", "[plan][surplus]") {
  File file;
  file.container("web");
  file.gone_container("old").hook("before_down").hook("pre_stop");
  const auto plan = up(file, There::all(file).container("old").container("old", 2), k_remove);
  CHECK(plan.warnings.empty());
  CHECK(plan.of("old") == R"(
    old before_down[0] [orphan]
    old-1 pre_stop[0] [orphan; warns] <- old before_down[0]
    stop old-1   <- old-1 pre_stop[0]
    remove old-1 <- stop old-1
    old-2 pre_stop[0] [orphan; warns] <- old before_down[0]
    stop old-2   <- old-2 pre_stop[0]
    remove old-2 <- stop old-2
  )");
  // Anonymous volumes hold somebody's data.
  CHECK_FALSE(plan.params<plan::Remove>("remove old-1").volumes);
}

TEST_CASE("C10.4: of one that nobody has known, or that does not run, no hook runs", "[plan][surplus]") {
  File file;
  file.container("web");
  file.gone_container("old").hook("before_down").hook("pre_stop");
  auto there = There::all(file).container("old", 1, "exited").container("compose");
  CHECK(up(file, there, k_remove).only<plan::Hook, plan::Stop, plan::Remove>() == R"(
    stop old-1
    remove old-1     <- stop old-1
    stop compose-1
    remove compose-1 <- stop compose-1
  )");
}

TEST_CASE("C10.4: orphans go whatever services were named", "[plan][surplus]") {
  File file;
  file.container("web");
  file.container("db");
  auto there = There::all(file).container("old");
  CHECK(up(file, there, {.services = {"db"}, .remove_orphans = true}).has("remove old-1"));
}

TEST_CASE("C10.4: processes that the file does not have are orphans as containers are", "[plan][surplus]") {
  File file;
  file.process("api");
  file.gone_process("old").hook("before_down");
  const auto there = There::all(file).process("old");
  const std::vector<std::string> told{
      "service 'old' still runs, which the stack file does not have (any more); --remove-orphans takes it "
      "away"};
  CHECK(up(file, there).unchanged);
  CHECK(up(file, there).warnings == told);
  CHECK(up(file, there, k_ignore).warnings.empty());
  CHECK(up(file, there, k_remove).warnings.empty());
  CHECK(up(file, there, k_remove).of("old") == R"(
    old before_down[0] [orphan]
    stop old <- old before_down[0]
  )");
}

TEST_CASE("a dead process is no orphan to speak of, but what a oneshot has done is there",
          "[plan][surplus]") {
  File file;
  file.process("api");
  file.gone_process("dead").hook("before_down");
  file.gone_oneshot("seed").hook("before_down");
  auto there = There::all(file).process("dead", false).done("seed");
  CHECK(up(file, there).warnings.size() == 1);
  CHECK(up(file, there, k_remove).only<plan::Hook, plan::StopProcess>() == R"(
    stop dead
    seed before_down[0] [orphan]
    stop seed <- seed before_down[0]
  )");
}

TEST_CASE("C10.4: a row of a process that no spec knows is left alone", "[plan][surplus]") {
  File file;
  file.process("api");
  CHECK(up(file, There::all(file).process("ghost"), k_remove).unchanged);
}

// ---- profiles

TEST_CASE("C6.6, C10.4: what a profile leaves out is no orphan: it is not told of, and it stays",
          "[plan][surplus]") {
  File file;
  file.container("web");
  file.off("debug");
  file.off("watch");
  file.gone_container("debug");
  file.gone_process("watch");
  auto there = There::all(file).container("debug").process("watch");
  for (const auto& wish : {plan::Wish{}, k_remove, k_ignore}) {
    CHECK(up(file, there, wish).unchanged);
    CHECK(up(file, there, wish).warnings.empty());
  }
}

// ---- another kind

TEST_CASE("X8: a container that became a process: the containers go, then the process starts",
          "[plan][surplus]") {
  File file;
  file.process("api").after_nothing().hook("before_start").hook("before_down");
  file.gone_container("api").hook("before_down").hook("pre_stop");
  CHECK(up(file, There(file).container("api").container("api", 2)).services() == R"(
    api before_down[0] [orphan]
    api-1 pre_stop[0] [orphan; warns] <- api before_down[0]
    stop api-1   <- api-1 pre_stop[0]
    remove api-1 <- stop api-1
    api-2 pre_stop[0] [orphan; warns] <- api before_down[0]
    stop api-2   <- api-2 pre_stop[0]
    remove api-2 <- stop api-2
    api before_start[0]
    start api <- api before_start[0], remove api-1, remove api-2
    ready api <- start api
  )");
}

TEST_CASE("X8: a process that became a container: it ends, then the container is made", "[plan][surplus]") {
  File file;
  file.container("api").hook("before_start");
  file.gone_process("api").hook("before_down");
  const auto plan = up(file, There(file).process("api"));
  CHECK(plan.warnings.empty());
  CHECK(plan.services() == R"(
    api before_down[0] [orphan]
    stop api <- api before_down[0]
    api before_start[0]
    create api-1 <- stop api, api before_start[0]
    start api-1  <- create api-1
    ready api    <- start api-1
  )");
}

TEST_CASE("what has become another kind is left alone when it is not brought up, and not called an orphan",
          "[plan][surplus]") {
  File file;
  file.container("web");
  file.process("was-container").after_nothing();
  file.container("was-process");
  file.gone_container("was-container");
  file.gone_process("was-process");
  auto there = There(file).container("web").container("was-container").process("was-process").up();
  for (const auto& wish :
       {plan::Wish{.services = {"web"}}, plan::Wish{.services = {"web"}, .remove_orphans = true}}) {
    CHECK(up(file, there, wish).unchanged);
    CHECK(up(file, there, wish).warnings.empty());
  }
}

TEST_CASE("both kinds at once, when the end of one has failed: each goes with its own before_down",
          "[plan][surplus]") {
  File file;
  file.process("api").hook("before_down");
  file.gone_container("api").hook("before_down");
  // Another command, so that the process is made anew.
  auto there = There(file).container("api").process("api").outdated("api");
  CHECK(up(file, there).only<plan::Hook, plan::Stop, plan::Remove, plan::StopProcess, plan::StartProcess>() ==
        R"(
    api before_down[0] [orphan]
    stop api-1   <- api before_down[0]
    remove api-1 <- stop api-1
    api before_down[0] of api [recreate]
    stop api     <- api before_down[0] of api
    start api    <- stop api, remove api-1
  )");
  CHECK(down(file, there).only<plan::Hook, plan::Stop, plan::Remove, plan::StopProcess>() == R"(
    api before_down[0]
    stop api     <- api before_down[0]
    api before_down[0] of api [orphan]
    stop api-1   <- api before_down[0] of api
    remove api-1 <- stop api-1
  )");
}

TEST_CASE("X8: which before_down an end has: the one that the service had, or the one that it has",
          "[plan][surplus]") {
  File file;
  file.process("api").after_nothing().hook("before_down");
  file.container("web").hook("before_down");
  file.gone_container("api").hook("before_down");
  file.gone_process("web").hook("before_down");
  const auto had = There(file).container("api").process("web");
  const auto has = There(file).container("web").process("api").outdated("api");
  const auto is_gone = [](const Planned& plan, const std::string& service) {
    return plan.params<plan::Hook>(service + " before_down[0]").gone;
  };
  for (const auto* service : {"api", "web"}) {
    CHECK(is_gone(up(file, had), service));
    CHECK(is_gone(down(file, had), service));
    CHECK_FALSE(is_gone(down(file, has), service));
  }
  CHECK_FALSE(is_gone(up(file, has), "api"));
}

// ---- names

TEST_CASE("a process may be called as another service's replica is, and an entry as another's",
          "[plan][surplus]") {
  File file;
  file.container("web").scale(2).hook("pre_start", [](auto& hook) { hook.per_replica = true; });
  file.process("web-1").after_nothing().hook("after_ready");
  file.container("web-2").hook("pre_start");
  const auto plan = up(file);
  CHECK(plan.only<plan::Start, plan::StartProcess, plan::Hook>() == R"(
    web pre_start[0]
    web-2 pre_start[0]
    start web-1 <- web pre_start[0]
    start web-2 <- start web-1, web-2 pre_start[0]
    start web-1 of web-1
    web-1 after_ready[0] <- start web-1 of web-1
    web-2 pre_start[0] of web-2
    start web-2-1 <- web-2 pre_start[0] of web-2
  )");
  CHECK(plan.params<plan::Hook>("web-1 after_ready[0]").started_by == plan::Keys{"start web-1 of web-1"});
  CHECK(down(file, There::all(file)).only<plan::Stop, plan::StopProcess>() == R"(
    stop web-1
    stop web-2
    stop web-1 of web-1
    stop web-2-1
  )");
}
