// What stackd does by itself (X30, T32): the graph of an up, of what the keeper named, with containers as
// they are.
#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

plan::Wish because(const std::map<std::string, std::string>& reasons,
                   const std::map<std::string, std::set<int>>& restarted = {}) {
  return {.reasons = reasons, .restarted = restarted};
}

}  // namespace

TEST_CASE("X30: the engine has restarted a container: what comes after a start runs again, for this reason",
          "[plan][recover]") {
  File file;
  for (const auto* phase : {"before_up", "after_up"}) file.hook(phase);
  file.container("web").scale(2);
  for (const auto* phase : {"before_start", "pre_start", "pre_run", "post_start", "after_ready"})
    file["web"].hook(phase);
  file.container("db");
  const auto plan = recover(file, There::all(file), because({{"web", "container-restart"}}, {{"web", {2}}}));
  CHECK(plan.all() == R"(
    image web [pull never]
    network default
    create web-1 [#web-1; as it is]            <- image web, network default
    create web-2 [#web-2; as it is; restarted] <- image web, network default
    start web-1 [container-restart]            <- create web-1, create web-2
    web-1 pre_run[0]                           <- start web-1
    web-1 post_start[0] [container-restart]    <- web-1 pre_run[0]
    start web-2 [container-restart]            <- web-1 post_start[0]
    web-2 pre_run[0]                           <- start web-2
    web-2 post_start[0] [container-restart]    <- web-2 pre_run[0]
    ready web                                  <- web-2 post_start[0]
    web after_ready[0] [container-restart]     <- ready web
    settle [start web-1; start web-2]          <- web after_ready[0]
    finish up [recover]                        <- settle
  )");
  CHECK(plan.params<plan::PreRun>("web-2 pre_run[0]").reason == "container-restart");
  CHECK(plan.params<plan::Hook>("web after_ready[0]").started_by == plan::Keys{"start web-1", "start web-2"});
}

TEST_CASE("T32: after the engine was away the stack comes back in the order of the graph, with its hooks",
          "[plan][recover]") {
  File file;
  file.container("db").hook("before_start").hook("post_start").hook("after_ready");
  file.container("web").after("db", model::Condition::healthy).hook("before_start");
  const auto there = There::all(file).container("db", 1, "exited").container("web", 1, "exited");
  CHECK(recover(file, there, because({{"db", "engine-restart"}, {"web", "engine-restart"}})).services() == R"(
    db before_start[0] [engine-restart]
    create db-1 [#db-1; as it is]    <- db before_start[0]
    start db-1 [engine-restart]      <- create db-1
    db-1 post_start[0] [engine-restart] <- start db-1
    ready db [healthy]               <- db-1 post_start[0]
    db after_ready[0] [engine-restart] <- ready db
    web before_start[0] [engine-restart] <- db after_ready[0]
    create web-1 [#web-1; as it is]  <- web before_start[0]
    start web-1 [engine-restart]     <- create web-1
    ready web                        <- start web-1
  )");
}

TEST_CASE("each service is told its own reason", "[plan][recover]") {
  File file;
  file.container("web").hook("post_start");
  file.process("api").after_nothing().hook("before_start");
  const auto there = There::all(file).process("api", false);
  CHECK(recover(file, there, because({{"web", "container-restart"}, {"api", "process-exit"}}, {{"web", {1}}}))
            .only<plan::Hook>() == R"(
    web-1 post_start[0] [container-restart]
    api before_start[0] [process-exit]
  )");
}

TEST_CASE("a process that has ended is started again, one that lives is left", "[plan][recover]") {
  File file;
  file.process("api").hook("before_start").hook("after_ready").hook("before_down");
  const auto wish = because({{"api", "process-exit"}});
  CHECK(recover(file, There::all(file).process("api", false), wish).services() == R"(
    api before_start[0] [process-exit]
    start api                         <- api before_start[0]
    ready api                         <- start api
    api after_ready[0] [process-exit] <- ready api
  )");
  CHECK(recover(file, There::all(file), wish).only<plan::Hook>() == "api after_ready[0] [process-exit]");
}

TEST_CASE("only the services that were named are touched, and no hook of the stack runs", "[plan][recover]") {
  File file;
  file.hook("before_up");
  file.hook("after_up");
  file.container("db");
  file.container("web").restarts_with("db");
  file.process("api");
  const auto plan =
      recover(file, There::all(file).outdated("web"), because({{"db", "container-restart"}}, {{"db", {1}}}));
  CHECK(plan.services() == R"(
    create db-1 [#db-1; as it is; restarted]
    start db-1 [container-restart] <- create db-1
    ready db   <- start db-1
  )");
}

TEST_CASE("containers are taken as they are: changed or not, and as many as there are", "[plan][recover]") {
  File file;
  file.container("web");
  auto there = There::all(file).container("web", 2).container("web", 3, "exited").outdated("web");
  there.image("web", "sha256:newer");
  const auto plan = recover(file, there, because({{"web", "container-restart"}}, {{"web", {2}}}));
  CHECK(plan.only<plan::Create>() == R"(
    create web-1 [#web-1; as it is]
    create web-2 [#web-2; as it is; restarted]
    create web-3 [#web-3; as it is]
  )");
  CHECK(plan.only<plan::Stop, plan::Remove>() == "");
}

TEST_CASE(
    "of a service that has no container nothing is made; one that the file no longer has is passed over",
    "[plan][recover]") {
  File file;
  file.container("web").hook("before_start");
  file.container("db");
  const auto wish = because({{"web", "container-restart"}, {"old", "container-restart"}}, {{"web", {1}}});
  CHECK(recover(file, There::all(file).without("web").container("old"), wish).services() == "");
  CHECK(recover(file, There(file), because({})).all() == "settle\nfinish up [recover] <- settle");
}
