// X34: what an up takes out of service is kept until it has worked, and put back when it has not.
#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

There remembered(There there) {
  there.seen.former = true;
  return there;
}

Planned put_back(const File& file, const There& there, const std::set<std::string>& ran,
                 const std::set<std::string>& taken = {}) {
  auto plan = plan::plan_put_back(file.stack(), there.seen, ran, taken);
  return {std::move(plan.steps), {}, false, {}, "rollback"};
}

}  // namespace

TEST_CASE(
    "X34: an up keeps what it replaces when there is something to go back to; start and restart never do",
    "[plan][put_back]") {
  File file;
  file.container("web");
  const auto there = There::all(file).outdated("web");
  CHECK_FALSE(up(file, there).params<plan::Create>("create web-1").keeps);
  CHECK(up(file, remembered(there)).params<plan::Create>("create web-1").keeps);
  CHECK_FALSE(restart_starts(file, remembered(there)).params<plan::Create>("create web-1").keeps);
}

TEST_CASE("X34: surplus replicas and orphans are set aside, and not removed", "[plan][put_back]") {
  File file;
  file.container("web").scale(2);
  file.gone_container("old");
  const auto there = remembered(There::all(file).container("old"));
  const auto plan = up(file, there, {.remove_orphans = true, .scale = {{"web", 1}}});
  for (const auto* key : {"stop web-2", "stop old-1"}) {
    CHECK(plan.params<plan::Stop>(key).keeps);
    CHECK(plan.params<plan::Stop>(key).aside);
  }
  CHECK(plan.only<plan::Remove>() == "");
}

TEST_CASE("X34: a dependent that a changed network stops is noted, and keeps its place", "[plan][put_back]") {
  File file;
  file.container("web");
  auto there = remembered(There::all(file));
  there.seen.networks["default"].definition = "another";
  const auto stop = up(file, there).params<plan::Stop>("stop web-1");
  CHECK(stop.keeps);
  CHECK_FALSE(stop.aside);
}

TEST_CASE("X34: a roll-back takes the replacements away first, and then puts back", "[plan][put_back]") {
  File file;
  file.container("web");
  const auto plan = roll_back(file, remembered(There::all(file).made_now("web")));
  CHECK(plan.before("remove web-1", "put back"));
  CHECK(plan.before("finish down", "put back"));
  CHECK_FALSE(roll_back(file, There::all(file).made_now("web")).has("put back"));
  CHECK_FALSE(roll_back(file, remembered(There::all(file)), {}, plan::Kind::restart).has("put back"));
}

TEST_CASE("X34: what was only stopped, and runs again, is not stopped by the roll-back", "[plan][put_back]") {
  File file;
  file.container("web");
  auto there = remembered(There::all(file));
  there.seen.taken = {"#web-1"};
  CHECK_FALSE(roll_back(file, there, {.started = {"#web-1"}}).has("stop web-1"));
}

TEST_CASE("T7, X34: with something to go back to, the created container goes too", "[plan][put_back]") {
  File file;
  file.container("web").hook("pre_start");
  const auto there = remembered(There(file).container("web", 1, "created").made_now("web"));
  CHECK(roll_back(file, there, {.failed_before_start = {"web"}}).has("remove web-1"));
}

TEST_CASE("X34: what ran starts in the order of its dependencies, as it was, with its hooks but pre_start",
          "[plan][put_back]") {
  File file;
  file.hook("before_up");
  file.hook("after_up");
  file.container("db").hook("before_start").hook("pre_start").hook("post_start").hook("after_ready");
  file.container("web").after("db");
  file.container("other");
  const auto there =
      There(file).container("db", 1, "exited").container("web", 1, "exited").container("other");
  const auto plan = put_back(file, there, {"db", "web"});
  CHECK(plan.services() == R"(
    db before_start[0]
    create db-1 [#db-1; as it is] <- db before_start[0]
    start db-1          <- create db-1
    db-1 post_start[0]  <- start db-1
    ready db            <- db-1 post_start[0]
    db after_ready[0]   <- ready db
    create web-1 [#web-1; as it is] <- db-1 post_start[0]
    start web-1         <- create web-1
    ready web           <- start web-1
    put back done       <- db after_ready[0], ready web
  )");
  CHECK(plan.params<plan::Create>("create db-1").as_is);
  CHECK(plan.params<plan::Create>("create db-1").puts_back);
  CHECK_FALSE(plan.has("create other-1"));
}

TEST_CASE("X34: nothing that ran is nothing to start", "[plan][put_back]") {
  File file;
  file.container("web");
  CHECK(put_back(file, There(file), {}).all() == "put back done");
}

TEST_CASE("X34: steps of the way back have names of their own, and find each other by them",
          "[plan][put_back]") {
  File file;
  file.container("web").hook("post_start");
  const auto there = There(file).container("web", 1, "exited");
  const auto plan = put_back(file, there, {"web"}, {"create web-1", "start web-1", "settle", "image web"});
  CHECK(plan.params<plan::Start>("start web-1 again").create_step == "create web-1 again");
  CHECK(plan.params<plan::Create>("create web-1 again").image_step == "image web again");
  CHECK(plan.params<plan::Hook>("web-1 post_start[0]").create_step == "create web-1 again");
  CHECK(plan.params<plan::Settle>("settle again").containers.front().service == "web");
}

TEST_CASE("X34: what is kept goes with down", "[plan][put_back]") {
  File file;
  file.container("web");
  auto there = There::all(file);
  there.seen.kept.push_back({"0123456789abcdef", "0123456789ab_s-web-1", "web", 1, "exited"});
  const auto plan = down(file, there);
  CHECK(plan.before("remove 0123456789ab_s-web-1", "networks"));
}

TEST_CASE("X34: an up that is cancelled after it has worked takes nothing away but what it kept",
          "[plan][put_back]") {
  File file;
  file.container("web");
  auto there = There::all(file).made_now("web");
  there.seen.kept.push_back({"0123456789abcdef", "0123456789ab_s-web-1", "web", 1, "exited"});
  CHECK(roll_back(file, there, {.finished = true}).all() == "remove 0123456789ab_s-web-1");
  // And should that not be done either, the next up does it.
  CHECK(up(file, there).has("remove 0123456789ab_s-web-1"));
}
