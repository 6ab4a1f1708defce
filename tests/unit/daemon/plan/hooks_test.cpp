// Where hooks stand in the graph of an up: pre_start and its gate, replicas, groups, what is owed.
#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

void per_replica(model::Hook& hook) {
  hook.per_replica = true;
}
void in_image(model::Hook& hook) {
  hook.run_in_image = "tools";
}

}  // namespace

// ---- order within a phase

TEST_CASE("C2.4, L9.2: the entries of a phase run one after another, in every phase of an up",
          "[plan][hooks]") {
  for (const auto& phase :
       {"before_up", "before_start", "pre_start", "pre_run", "post_start", "after_ready", "after_up"}) {
    File file;
    auto web = file.container("web");
    const bool of_stack = std::string(phase).ends_with("_up");
    for (int i = 0; i < 3; ++i) {
      if (of_stack)
        file.hook(phase);
      else
        web.hook(phase);
    }
    CAPTURE(phase);
    const std::string name(phase);
    const bool of_replica = name == "pre_run" || name == "post_start";
    const auto key = (of_stack ? "" : of_replica ? "web-1 " : "web ") + name;
    CHECK(up(file).only<plan::Hook, plan::PreRun>() ==
          key + "[0]\n" + key + "[1] <- " + key + "[0]\n" + key + "[2] <- " + key + "[1]");
  }
}

TEST_CASE("a list inside a phase's list is a group: its entries run together, and all end before the next",
          "[plan][hooks]") {
  File file;
  file.hook("before_up");
  file.group("before_up", 2);
  file.group("before_up", 2);
  file.hook("before_up");
  file.hook("before_up");
  file.container("web");
  CHECK(up(file).only<plan::Hook, plan::Image>() == R"(
    before_up[0]
    before_up[1] <- before_up[0]
    before_up[2] <- before_up[0]
    before_up[3] <- before_up[1], before_up[2]
    before_up[4] <- before_up[1], before_up[2]
    before_up[5] <- before_up[3], before_up[4]
    before_up[6] <- before_up[5]
    image web    <- before_up[6]
  )");
}

TEST_CASE("a group of a container's phase is a group in each replica", "[plan][hooks]") {
  File file;
  file.container("web").scale(2).group("post_start", 2).hook("pre_run");
  CHECK(up(file).only<plan::Start, plan::PreRun, plan::Hook, plan::Ready>() == R"(
    start web-1
    web-1 pre_run[0]    <- start web-1
    web-1 post_start[0] <- web-1 pre_run[0]
    web-1 post_start[1] <- web-1 pre_run[0]
    start web-2         <- web-1 post_start[0], web-1 post_start[1]
    web-2 pre_run[0]    <- start web-2
    web-2 post_start[0] <- web-2 pre_run[0]
    web-2 post_start[1] <- web-2 pre_run[0]
    ready web           <- web-2 post_start[0], web-2 post_start[1]
  )");
}

// ---- pre_start

TEST_CASE("C4.1, C4.4, T13: pre_start runs once, when all replicas are made and before the first starts",
          "[plan][hooks]") {
  File file;
  file.container("web").scale(2).hook("pre_start").hook("pre_start");
  const auto plan = up(file);
  CHECK(plan.services() == R"(
    create web-1
    create web-2
    web pre_start[0] <- create web-1, create web-2
    web pre_start[1] <- web pre_start[0]
    start web-1      <- web pre_start[1]
    start web-2      <- start web-1
    ready web        <- start web-2
  )");
  // Against the replica with the lowest number.
  CHECK(plan.params<plan::Hook>("web pre_start[1]").create_step == "create web-1");
}

TEST_CASE("C4.14, T15: with per_replica each replica has a run of its own, after what runs once",
          "[plan][hooks]") {
  File file;
  file.container("web").scale(3).hook("pre_start").hook("pre_start", per_replica);
  const auto plan = up(file);
  CHECK(plan.only<plan::Hook, plan::Start>() == R"(
    web pre_start[0]
    web pre_start[1]   <- web pre_start[0]
    web-2 pre_start[1]
    web-3 pre_start[1]
    start web-1        <- web pre_start[1]
    start web-2        <- start web-1, web-2 pre_start[1]
    start web-3        <- start web-2, web-3 pre_start[1]
  )");
  CHECK(plan.params<plan::Hook>("web-3 pre_start[1]").create_step == "create web-3");
}

TEST_CASE("C4.2: what runs once for the service is told of all replicas: one that runs keeps it from running",
          "[plan][hooks]") {
  File file;
  file.container("web").scale(2).hook("pre_start").hook("pre_start", per_replica);
  // Somebody has removed the first.
  auto there = There::all(file);
  there.seen.containers["web"].erase(1);
  const auto plan = up(file, there);
  CHECK(plan.params<plan::Hook>("web pre_start[0]").gate == plan::Keys{"create web-1", "create web-2"});
  CHECK(plan.params<plan::Hook>("web-2 pre_start[1]").gate.empty());
}

TEST_CASE(
    "C4.1: pre_start comes after what the service depends on, its own before_start and its secrets' "
    "container",
    "[plan][hooks]") {
  File file;
  file.container("db").hook("post_start");
  file.container("web").after("db").hook("before_start").hook("pre_start");
  CHECK(up(file).only<plan::Hook>() == R"(
    db-1 post_start[0]
    web before_start[0] <- db-1 post_start[0]
    web pre_start[0]    <- web before_start[0]
  )");
}

TEST_CASE("C4.11: the kept container of a pre_start that failed goes at the beginning of the next",
          "[plan][hooks]") {
  File file;
  file.hook("before_up");
  file.container("web").hook("pre_start").hook("pre_start");
  file.container("db").hook("pre_start");
  auto there = There(file).container("web", 1, "created").kept_hook("web");
  CHECK(up(file, there).services() == R"(
    before_up[0]
    remove hook_of_web [volumes] <- before_up[0]
    create web-1 [#web-1] <- before_up[0]
    web pre_start[0] <- create web-1, remove hook_of_web
    web pre_start[1] <- web pre_start[0]
    start web-1      <- web pre_start[1]
    ready web        <- start web-1
    create db-1      <- before_up[0]
    db pre_start[0]  <- create db-1
    start db-1       <- db pre_start[0]
    ready db         <- start db-1
  )");
}

TEST_CASE("C4.11: it goes too when the file has no pre_start any more; that of this very operation is left",
          "[plan][hooks]") {
  File file;
  file.container("web");
  file.container("db");
  auto there = There(file).kept_hook("web").kept_hook("db", "now");
  CHECK(up(file, there).only<plan::Remove, plan::Start>() == R"(
    remove hook_of_web [volumes]
    start web-1 <- remove hook_of_web
    start db-1
  )");
  // Of a service that is not brought up it stays.
  CHECK(up(file, there, {.services = {"db"}}).only<plan::Remove>() == "");
}

TEST_CASE("X8: what pre_start, pre_run and post_start are told is the operation's name", "[plan][hooks]") {
  File file;
  file.container("web").hook("pre_start").hook("pre_run").hook("post_start").hook("after_ready");
  file.hook("before_up");
  for (const auto kind : {plan::Kind::up, plan::Kind::start, plan::Kind::restart}) {
    const auto plan = plan_up(kind, file, There(file), {});
    const std::string word = plan::to_string(kind);
    CHECK(plan.params<plan::Hook>("web pre_start[0]").reason == word);
    CHECK(plan.params<plan::Start>("start web-1").reason == word);
    CHECK(plan.params<plan::PreRun>("web-1 pre_run[0]").reason == word);
    CHECK(plan.params<plan::Hook>("web-1 post_start[0]").reason == word);
    CHECK(plan.params<plan::Hook>("web after_ready[0]").reason == word);
  }
}

// ---- after a start

TEST_CASE("C3.5: after_ready runs when the first replica was started: one more makes nothing readier",
          "[plan][hooks]") {
  File file;
  file.container("web").scale(2).hook("after_ready");
  file.process("api").hook("after_ready");
  const auto plan = up(file);
  CHECK(plan.params<plan::Hook>("web after_ready[0]").started_by == plan::Keys{"start web-1"});
  CHECK(plan.params<plan::Hook>("api after_ready[0]").started_by == plan::Keys{"start api"});
  CHECK(plan.params<plan::Hook>("web after_ready[0]").ready_step == "ready web");
  CHECK(plan.params<plan::Hook>("api after_ready[0]").ready_step == "ready api");
}

TEST_CASE(
    "X30: after a restart by the engine post_start and after_ready are owed, pre_start and before_start are "
    "not",
    "[plan][hooks]") {
  File file;
  file.container("web").scale(3);
  for (const auto* phase : {"before_start", "pre_start", "post_start", "after_ready"})
    file["web"].hook(phase);
  auto there = There::all(file).restarted("web", 2);
  const auto plan = up(file, there);
  CHECK_FALSE(plan.unchanged);
  CHECK(plan.services() == R"(
    create web-1 [#web-1]
    create web-2 [#web-2; restarted]
    create web-3 [#web-3]
    start web-1         <- create web-1, create web-2, create web-3
    web-1 post_start[0] <- start web-1
    start web-2         <- web-1 post_start[0]
    web-2 post_start[0] <- start web-2
    start web-3         <- web-2 post_start[0]
    web-3 post_start[0] <- start web-3
    ready web           <- web-3 post_start[0]
    web after_ready[0]  <- ready web
  )");
  CHECK(plan.params<plan::Hook>("web after_ready[0]").started_by == plan::Keys{"start web-1", "start web-2"});
}

TEST_CASE("X30: of a service that is not brought up nothing is owed by this up", "[plan][hooks]") {
  File file;
  file.container("web");
  file.container("db");
  CHECK(up(file, There::all(file).restarted("web"), {.services = {"db"}}).unchanged);
}

TEST_CASE("X30, C4.2: of one that is made anew besides, pre_start runs: its containers are new",
          "[plan][hooks]") {
  File before;
  before.container("web").hook("pre_start").hook("before_start");
  auto there = There::all(before).restarted("web");
  SECTION("its network is another") {
    auto file = before;
    file.network("default").driver = "macvlan";
    CHECK(up(file, there).has("web pre_start[0]"));
    CHECK_FALSE(up(file, there).params<plan::Create>("create web-1").restarted);
  }
  SECTION("it has left its network") {
    there.seen.containers["web"][1].network_ids.clear();
    CHECK(up(before, there).has("web pre_start[0]"));
  }
  SECTION("its definition is another") {
    CHECK(up(before, there.outdated("web")).has("web pre_start[0]"));
  }
}

TEST_CASE("X1: a hook that failed in a running container is owed, and so is a host hook of its service",
          "[plan][hooks]") {
  File file;
  file.container("web").hook("post_start").hook("after_ready").hook("before_start");
  file.process("api").hook("after_ready");
  const auto owed = [&](const std::string& service, const std::string& phase, int index,
                        const std::string& container) {
    const auto plan = up(file, There::all(file).failed_hook(service, phase, index, container));
    // What runs already is not begun anew.
    CHECK_FALSE(plan.has("web before_start[0]"));
    return !plan.unchanged;
  };
  CHECK(owed("web", "post_start", 0, "#web-1"));
  CHECK(owed("web", "after_ready", 0, ""));
  CHECK(owed("api", "after_ready", 0, ""));
  // Of a container that is gone, of an entry that the file does not have any more, of nobody.
  CHECK_FALSE(owed("web", "post_start", 0, "#an-older-one"));
  CHECK_FALSE(owed("web", "post_start", 1, "#web-1"));
  CHECK_FALSE(owed("nobody", "after_ready", 0, ""));
}

TEST_CASE("X1: it is owed by the replica that it failed in", "[plan][hooks]") {
  File file;
  file.container("web").scale(2).hook("post_start");
  CHECK_FALSE(up(file, There::all(file).failed_hook("web", "post_start", 0, "#web-2")).unchanged);
}

TEST_CASE("before_start is for services that are started or made anew, not for those that run",
          "[plan][hooks]") {
  File file;
  for (const auto* name : {"runs", "stopped"}) file.container(name).hook("before_start");
  file.process("lives").hook("before_start");
  file.process("dead").after_nothing().hook("before_start");
  auto there = There::all(file).container("stopped", 1, "exited").process("dead", false);
  CHECK(up(file, there).only<plan::Hook>() == R"(
    stopped before_start[0]
    dead before_start[0]
  )");
}

// ---- the stack's own, and places

TEST_CASE("before_up and after_up are the stack's coming up: of up and of a whole restart", "[plan][hooks]") {
  File file;
  file.hook("before_up");
  file.hook("after_up");
  file.container("web");
  const There there(file);
  const auto both = "before_up[0]\nafter_up[0] <- before_up[0]";
  CHECK(up(file, there).only<plan::Hook>() == both);
  CHECK(up(file, there, {.services = {"web"}}).only<plan::Hook>() == both);
  CHECK(restart_starts(file, there).only<plan::Hook>() == both);
  CHECK(restart_starts(file, there, {.services = {"web"}}).only<plan::Hook>() == "");
  // Its first half has failed: what it stopped for nothing is only started.
  CHECK(restart_starts_again(file, there).only<plan::Hook>() == "");
  CHECK(start(file, there).only<plan::Hook>() == "");
}

TEST_CASE("run_in: {image}: before_up is on the stack's network, which is made before it", "[plan][hooks]") {
  File file;
  file.hook("before_up");
  file.hook("before_up", in_image);
  file.container("web");
  CHECK(up(file).only<plan::Hook, plan::Network, plan::Image, plan::Create>() == R"(
    network default
    before_up[0] <- network default
    before_up[1] <- before_up[0]
    image web    <- before_up[1]
    create web-1 <- image web
  )");
  file.spec.networks.clear();
  file["web"]->container->networks.clear();
  CHECK(up(file).only<plan::Network>() == "");
}

TEST_CASE("run_in: {image}: a service's host hooks and after_up wait for the network too", "[plan][hooks]") {
  File file;
  file.process("api");
  file.container("web").only_on("front");
  file.network("front");
  SECTION("before_start") {
    file["api"].hook("before_start", in_image);
    CHECK(up(file).before("network default", "api before_start[0]"));
  }
  SECTION("after_ready") {
    file["web"].hook("after_ready", in_image);
    CHECK(up(file).before("network default", "web after_ready[0]"));
  }
  SECTION("after_up") {
    file.hook("after_up", in_image);
    CHECK(up(file).before("network default", "after_up[0]"));
  }
  SECTION("one that runs on this machine needs none") {
    file["api"].hook("before_start");
    CHECK_FALSE(up(file).has("network default"));
  }
}
