// X36: what hooks remember, as plans heed it (due.hpp).
#include "daemon/plan/due.hpp"

#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;
using model::Phase;

namespace {

There due(There there, const std::string& service, Phase phase, int index = 0) {
  there.seen.hooks.push_back({service, phase, index, "", "inputs changed: x", false, {}});
  return there;
}

}  // namespace

TEST_CASE("X36: where nothing else is to be done, no other hook of the stack runs", "[plan][due]") {
  File file;
  file.hook("before_up");
  file.hook("after_up");
  file.hook("after_up");
  file.container("db").hook("post_start").hook("after_ready");
  const auto all = There::all(file);
  CHECK(up(file, all).unchanged);
  const auto plan = up(file, due(all, "", Phase::after_up, 1));
  CHECK_FALSE(plan.unchanged);
  CHECK_FALSE(plan.has("before_up[0]"));
  CHECK_FALSE(plan.has("after_up[0]"));
  CHECK(plan.has("after_up[1]"));
  CHECK(plan.before("db after_ready[0]", "after_up[1]"));
}

TEST_CASE("X36: beside another change every hook of the stack runs", "[plan][due]") {
  File file;
  file.hook("before_up");
  file.hook("after_up");
  file.hook("after_up");
  file.container("db");
  const auto plan = up(file, due(There::all(file).container("db", 1, "exited"), "", Phase::after_up, 1));
  for (const auto* key : {"before_up[0]", "after_up[0]", "after_up[1]"}) CHECK(plan.has(key));
}

TEST_CASE("X36: post_start and after_ready run in the service that runs", "[plan][due]") {
  File file;
  file.container("db").hook("post_start").hook("after_ready").hook("after_ready");
  const auto plan =
      up(file, due(due(There::all(file), "db", Phase::after_ready, 1), "db", Phase::post_start));
  CHECK_FALSE(plan.params<plan::Create>("create db-1").force);
  CHECK(plan.params<plan::Hook>("db-1 post_start[0]").due == std::vector<int>{0});
  CHECK(plan.params<plan::Hook>("db after_ready[1]").due == std::vector<int>{1});
}

TEST_CASE("X36: before_start, pre_start and pre_run count as a change of the service", "[plan][due]") {
  for (const auto phase : {Phase::before_start, Phase::pre_start, Phase::pre_run}) {
    CAPTURE(model::to_string(phase));
    File file;
    file.container("db").hook(model::to_string(phase));
    file.container("other");
    const auto plan = up(file, due(There::all(file), "db", phase));
    CHECK(plan.params<plan::Create>("create db-1").force);
    CHECK_FALSE(plan.params<plan::Create>("create other-1").force);
  }
  File file;
  file.process("api").hook("before_start");
  const auto plan = up(file, due(There::all(file), "api", Phase::before_start));
  CHECK(plan.before("stop api", "start api"));
}

TEST_CASE("X36: start and restart do not look for it, nor does an up of other services", "[plan][due]") {
  File file;
  file.container("db").hook("pre_start");
  file.container("web");
  const auto there = due(There::all(file), "db", Phase::pre_start);
  CHECK(start(file, there).unchanged);
  CHECK(up(file, there, {.services = {"web"}}).unchanged);
  CHECK(up(file, there, {.scale = {{"db", 0}}}).only<plan::Create>() == "create web-1 [#web-1]");
}

TEST_CASE("X36: --rerun-hooks is of what remembers; of a phase that is named it is of all", "[plan][due]") {
  File file;
  file.hook("after_up");
  file.hook("before_up");
  file.container("db").hook("after_ready");
  auto there = There::all(file);
  there.seen.hooks.push_back({"", Phase::after_up, 0, "run: once, and it has run", "", true, {}});
  there.seen.hooks.push_back({"db", Phase::after_ready, 0, "if: os is linux, not plan9", "", false, {}});
  const auto with = [&](const std::string& rerun) {
    auto seen = there;
    plan::Wish wish;
    wish.rerun = rerun;
    plan::heed_wish(file.stack(), wish, seen.seen);
    return up(file, seen, wish);
  };
  CHECK(with("").unchanged);
  CHECK(with("all").only<plan::Hook>() ==
        R"(
    db after_ready[0]
    after_up[0] <- db after_ready[0]
  )");
  CHECK(with("after_up").has("after_up[0]"));
  CHECK_FALSE(with("after_up").has("before_up[0]"));
  CHECK(with("before_up").has("before_up[0]"));
  CHECK(with("after_ready").unchanged);  // its `if` says no
}
