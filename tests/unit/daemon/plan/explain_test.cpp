// A plan in words (explain.hpp): each action with its reason, and what it takes along.
#include "daemon/plan/explain.hpp"

#include <nlohmann/json.hpp>

#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;
using model::RunPolicy;

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const plan::Explained& told) {
  Lines lines;
  for (const auto& action : told.actions) {
    std::string line = action.what + " " + action.subject + ": " + action.reason;
    for (const auto& name : action.takes_along) line += " +" + name;
    lines.push_back(std::move(line));
  }
  return lines;
}

plan::Explained told_of_up(const File& file, const There& there, const plan::Wish& wish = {}) {
  return plan::explain_up(file.stack(), there.stack, {"now", plan::Kind::up, wish}, there.seen);
}
Lines up_words(const File& file, const There& there, const plan::Wish& wish = {}) {
  return lines_of(told_of_up(file, there, wish));
}

// What `once` and `changed` were found to say.
void outlook(There& there, const std::string& service, model::Phase phase, const std::string& skip,
             const std::string& due = "") {
  there.seen.hooks.push_back({service, phase, 0, skip, due, {}});
}

}  // namespace

TEST_CASE("A first up makes and runs everything, and says why", "[plan][explain]") {
  File file;
  file.hook("before_up");
  file.volume("data");
  file.container("db").mounts("data").hook("pre_start").hook("after_ready");
  file.process("api").after("db").hook("before_start");
  There there(file);
  there.seen.networks.clear();
  there.seen.volumes.clear();
  there.seen.images["db"].reset();
  CHECK(up_words(file, there) ==
        Lines{"run before_up[0]: it runs in every up that does something", "pull image db: it is not here",
              "create network default: it is not there", "create volume data: it is not there",
              "create db: it is not there", "run db pre_start[0]: db is started",
              "run db after_ready[0]: db is started", "run api before_start[0]: api is started",
              "start api: it does not run"});
}

TEST_CASE("What is as the files say needs nothing, and nothing is said of it", "[plan][explain]") {
  File file;
  file.hook("before_up");
  file.container("db").hook("post_start");
  file.process("api");
  const auto told = told_of_up(file, There::all(file));
  CHECK(lines_of(told).empty());
  CHECK_FALSE(told.to_do());
  CHECK(told.steps.empty());
}

TEST_CASE("What changed is named by its key, with its value before and after", "[plan][explain]") {
  File before;
  before.container("db")->container->healthcheck.emplace().test = {"CMD", "true"};
  before.process("api");
  auto file = before;
  file["db"]->container->healthcheck->test = {"CMD", "false"};
  file["db"]->environment.env["LEVEL"] = "2";
  file["api"]->process->cmd = "run another";
  const auto told = told_of_up(file, There::all(before));
  CHECK(lines_of(told) ==
        Lines{"recreate db: environment.LEVEL, healthcheck.test changed", "restart api: cmd changed"});
  REQUIRE(told.actions.front().changes.size() == 2);
  CHECK(told.actions.front().changes[1].before == R"(["CMD","true"])");
  CHECK(told.actions.front().changes[1].after == R"(["CMD","false"])");
  CHECK(told.actions.front().changes[0].before.empty());
  CHECK(told.actions.back().changes.front().after == "run another");
}

TEST_CASE("Of what another file than the last up's made, no key is guessed", "[plan][explain]") {
  File file;
  file.container("db");
  const auto told = told_of_up(file, There::all(file).outdated("db"));
  CHECK(lines_of(told) == Lines{"recreate db: its definition is another one"});
  CHECK(told.actions.front().changes.empty());
}

TEST_CASE("Why a container is made anew, started or removed", "[plan][explain]") {
  File file;
  file.container("web");
  const auto all = There::all(file);
  const auto one = [&](There there, const plan::Wish& wish = {}) { return up_words(file, there, wish); };
  CHECK(one(There(all).container("web", 1, "exited")) == Lines{"start web: it has exited"});
  CHECK(one(There(all).container("web", 1, "created")) == Lines{"recreate web: it has never started"});
  CHECK(one(There(all).image("web", "sha256:newer")) == Lines{"recreate web: its image is another one now"});
  CHECK(one(all, {.force_recreate = true}) == Lines{"recreate web: --force-recreate"});
  CHECK(one(There(all).container("web", 2)) == Lines{"remove web-2: the scale is 1"});
  CHECK(one(all, {.scale = {{"web", 2}}}) == Lines{"create web-2: there are fewer than its scale says"});
  CHECK(one(There(all).container("old"), {.remove_orphans = true}) ==
        Lines{"remove old-1: the stack file does not have it (any more)"});
}

TEST_CASE("X37: what Docker Compose has made is taken over, and its network and volume are there",
          "[plan][explain]") {
  File file;
  file.volume("data");
  file.container("db").mounts("data");
  auto there = There(file).container("db").up();
  there.seen.containers["db"][1].foreign = true;
  there.seen.containers["db"][1].definition = "another";
  there.seen.networks.clear();
  there.seen.volumes.clear();
  there.seen.others = {"s_default", "s_data"};
  CHECK(up_words(file, there) == Lines{"recreate db: Docker Compose has made it; it is taken over"});
}

TEST_CASE("C8.2, C8.7, X8: what is made anew says whom it takes along, and they say by what",
          "[plan][explain]") {
  File before;
  before.container("db");
  before.container("side").shares("db");
  before.container("web").restarts_with("db");
  auto file = before;
  file["db"]->container->user = "1";
  CHECK(up_words(file, There::all(before)) ==
        Lines{"recreate db: user changed +side +web",
              "recreate side: it lives in the namespace of db, which is made anew",
              "restart web: it restarts with db"});

  auto moved = before;
  moved.network("default").internal = true;
  CHECK(up_words(moved, There::all(before)).front() == "recreate network default: internal changed +db +web");
}

TEST_CASE("X36: a hook that is held back says why, whether or not there is anything else to do",
          "[plan][explain]") {
  File file;
  file.hook("after_up", [](auto& hook) { hook.run = RunPolicy::once; });
  file.container("db");
  auto there = There::all(file);
  outlook(there, "", model::Phase::after_up, "run: once, and it has run");
  CHECK(up_words(file, there) == Lines{"skip after_up[0]: run: once, and it has run"});
  CHECK_FALSE(told_of_up(file, there).to_do());
  there.container("db", 1, "exited");
  CHECK(up_words(file, there) ==
        Lines{"start db: it has exited", "skip after_up[0]: run: once, and it has run"});
}

TEST_CASE("X3, C4.2: a pre_start that would be held back at its turn is not announced", "[plan][explain]") {
  File file;
  file.container("db").scale(2).hook("pre_start");
  auto there = There::all(file).container("db", 2, "exited");
  CHECK(up_words(file, there) == Lines{"start db-2: it has exited"});
  there.container("db", 1, "exited");
  outlook(there, "db", model::Phase::pre_start, "");
  there.seen.hooks.back().worked = {id_of("db")};
  CHECK(up_words(file, there) == Lines{"start db-1: it has exited", "start db-2: it has exited"});
}

TEST_CASE("A down says what goes, in its order; of what does not run it stops nothing", "[plan][explain]") {
  File file;
  file.hook("before_down");
  file.volume("data");
  file.container("db").mounts("data");
  file.process("api").after("db").hook("before_down");
  const auto words = [&](const There& there, plan::Kind kind, const plan::Wish& wish) {
    return lines_of(plan::explain_down(file.stack(), {"now", kind, wish}, there.seen));
  };
  const auto all = There::all(file);
  CHECK(words(all, plan::Kind::down, {.volumes = true}) ==
        Lines{"run before_down[0]: the whole stack goes", "run api before_down[0]: api is stopped",
              "stop api: the whole stack goes", "remove db-1: the whole stack goes",
              "remove network default: the whole stack goes", "remove volume data: --volumes"});
  CHECK(words(all, plan::Kind::down, {.services = {"db"}}) ==
        Lines{"run api before_down[0]: api is stopped", "stop api: it depends on what was named",
              "remove db-1: it was named", "remove network default: unless something is left on it"});
  CHECK(words(There(all).container("db", 1, "exited"), plan::Kind::stop, {}) ==
        Lines{"run api before_down[0]: api is stopped", "stop api: the whole stack stops"});
}

TEST_CASE("A restart is one action for both its halves", "[plan][explain]") {
  File file;
  file.container("db").hook("pre_stop").hook("post_start");
  file.container("web").restarts_with("db");
  const auto all = There::all(file);
  const auto words = [&](const plan::Wish& wish) {
    return lines_of(plan::explain_restart(file.stack(), {"now", plan::Kind::restart, wish}, all.seen));
  };
  CHECK(words({.services = {"db"}}) == Lines{"run db pre_stop[0]: db is stopped", "restart db: it was named",
                                             "run db post_start[0]: db is started",
                                             "restart web: it restarts with what was named"});
}

TEST_CASE("Differences are told key by key, lists as a whole", "[plan][explain]") {
  using nlohmann::json;
  const auto keys = [](const json& before, const json& after) {
    return plan::keys_of(plan::differences(before, after));
  };
  CHECK(keys({{"a", 1}}, {{"a", 1}}).empty());
  CHECK(keys({{"a", {{"b", 1}, {"c", 2}}}}, {{"a", {{"b", 2}, {"c", 2}}}}) == "a.b");
  CHECK(keys({{"a", json::array({1, 2})}}, {{"a", json::array({1})}}) == "a");
  CHECK(keys({{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}}, json::object()) == "a, b and 2 more");
  CHECK(keys(json::object(), {{"a", json::object()}}) == "a");
}
