// What an up finds to be done (C8): what is as the file says is left, and says so.
#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;

TEST_CASE("C8.5, T10: when everything runs as the file says there is nothing to do", "[plan][stale]") {
  File file;
  file.hook("before_up");
  file.container("web").scale(2).hook("pre_start").hook("post_start").hook("post_build");
  file.process("api");
  file.oneshot("seed");
  const auto there = There::all(file);
  CHECK(up(file, there).unchanged);
  CHECK(up(file, there).steps.empty());
  CHECK(start(file, there).unchanged);
}

TEST_CASE("the same after an up that failed is no success yet: its last steps run", "[plan][stale]") {
  File file;
  file.hook("after_up");
  file.container("web").hook("before_start");
  auto there = There::all(file);
  there.seen.up = false;
  CHECK(up(file, there).all() == R"(
    image web
    network default
    create web-1 [#web-1] <- image web, network default
    start web-1           <- create web-1
    ready web             <- start web-1
    settle [start web-1]  <- ready web
    after_up[0]           <- settle
    finish up             <- after_up[0]
  )");
}

TEST_CASE("C8.2, C8.5: a container is left only when it runs, and is what the file says", "[plan][stale]") {
  File file;
  file.container("web").hook("before_start");
  const auto is_begun = [&](const std::function<void(There&)>& change) {
    auto there = There::all(file);
    change(there);
    const auto plan = up(file, there);
    CHECK(plan.unchanged != plan.has("web before_start[0]"));
    return !plan.unchanged;
  };
  CHECK_FALSE(is_begun([](There&) {}));
  for (const auto* state : {"created", "exited", "paused", "restarting", "dead", "removing"}) {
    CAPTURE(state);
    CHECK(is_begun([&](There& there) { there.container("web", 1, state); }));
  }
  CHECK(is_begun([](There& there) { there.without("web"); }));
  CHECK(is_begun([](There& there) { there.outdated("web"); }));
  CHECK(is_begun([](There& there) { there.image("web", "sha256:newer"); }));
  CHECK(is_begun([](There& there) { there.seen.images["web"].reset(); }));
}

TEST_CASE(
    "C1.7, X21: an edit of what is in a container's definition makes it anew; of other hooks it does not",
    "[plan][stale]") {
  File before;
  before.container("web");
  for (const auto& [phase, anew] : std::map<std::string, bool>{{"pre_start", true},
                                                               {"pre_run", true},
                                                               {"post_start", true},
                                                               {"pre_stop", true},
                                                               {"before_start", false},
                                                               {"after_ready", false},
                                                               {"before_down", false}}) {
    auto file = before;
    file["web"].hook(phase);
    CAPTURE(phase);
    CHECK(up(file, There::all(before)).unchanged == !anew);
  }
}

TEST_CASE("M3: an edited build hook is another image, and so another container", "[plan][stale]") {
  File before;
  before.container("web").hook("post_build");
  auto file = before;
  file["web"]->hooks[0].shell = "something else";
  CHECK(up(before, There::all(before)).unchanged);
  CHECK_FALSE(up(file, There::all(before)).unchanged);
}

TEST_CASE("a process is left when it lives and is what the file says; a oneshot when it has ended well",
          "[plan][stale]") {
  File file;
  file.process("api").hook("before_start");
  file.oneshot("seed").hook("before_start");
  const auto begun = [&](There there) { return up(file, there).only<plan::Hook>(); };
  const auto all = There::all(file);
  const auto api = "api before_start[0]", seed = "seed before_start[0]";
  CHECK(begun(all) == "");
  CHECK(begun(There(all).process("api", false)) == api);
  CHECK(begun(There(all).done("api")) == api);  // L3.9: it is gone, however it went
  CHECK(begun(There(all).without("api")) == api);
  CHECK(begun(There(all).process("seed", true)) == "");
  CHECK(begun(There(all).without("seed")) == seed);
  CHECK(begun(There(all).outdated("seed")) == seed);
  auto failed = all;
  failed.seen.processes["seed"].done = false;
  CHECK(begun(failed) == seed);
}

TEST_CASE("X8, X32: a process that is made anew ends as on down, but not before its before_start has worked",
          "[plan][stale]") {
  File file;
  file.process("api").hook("before_start").hook("before_down");
  CHECK(up(file, There::all(file).outdated("api")).services() == R"(
    api before_start[0]
    api before_down[0] [recreate] <- api before_start[0]
    stop api  <- api before_down[0]
    start api <- stop api
    ready api <- start api
  )");
  // One that is dead is only started.
  CHECK(up(file, There::all(file).process("api", false)).services() == R"(
    api before_start[0]
    start api <- api before_start[0]
    ready api <- start api
  )");
}

TEST_CASE("C8.3, T11: --force-recreate makes all anew that is brought up, changed or not", "[plan][stale]") {
  File file;
  file.container("web").hook("before_start").hook("pre_start");
  file.container("db");
  file.process("api").hook("before_down");
  const auto plan = up(file, There::all(file), {.services = {"web", "api"}, .force_recreate = true});
  CHECK(plan.services() == R"(
    web before_start[0]
    create web-1 [#web-1; anew] <- web before_start[0]
    web pre_start[0] <- create web-1
    start web-1      <- web pre_start[0]
    ready web        <- start web-1
    api before_down[0] [recreate] <- start web-1
    stop api         <- api before_down[0]
    start api [anew] <- stop api
    ready api        <- start api
  )");
}

TEST_CASE("--build, --rebuild and --pull always have to be looked at, even when nothing has changed",
          "[plan][stale]") {
  File file;
  file.container("plain").hook("before_start");
  file.container("built").built().hook("before_start");
  file.container("hooked").hook("post_build").hook("before_start");
  const auto there = There::all(file);
  const auto begun = [&](const plan::Wish& wish) {
    const auto plan = up(file, there, wish);
    CHECK_FALSE(plan.unchanged);
    return plan.only<plan::Hook>();
  };
  CHECK(begun({.build = true}) == "");
  CHECK(begun({.pull = "always"}) == "");
  CHECK(up(file, there, {.pull = "missing"}).unchanged);
  // What is built anew becomes another image.
  CHECK(begun({.rebuild = true}) == "built before_start[0]\nhooked before_start[0]");
}

TEST_CASE("C6.7: what is scaled to none has nothing to begin, whatever else is asked for", "[plan][stale]") {
  File file;
  file.container("web").built().scale(0).hook("before_start");
  file.container("db");
  const auto there = There::all(file);
  CHECK(up(file, there).unchanged);
  CHECK(up(file, there, {.force_recreate = true}).only<plan::Hook>() == "");
  CHECK(up(file, there, {.rebuild = true}).only<plan::Hook>() == "");
}

TEST_CASE("what the loader warned of is said at every up, and at no start or restart", "[plan][stale]") {
  File file;
  file.container("web");
  file.spec.warnings = {"'deploy.placement' is not for one machine"};
  const auto there = There::all(file);
  CHECK(up(file, there).warnings == file.spec.warnings);
  CHECK(start(file, there).warnings.empty());
  CHECK(restart_starts(file, there).warnings.empty());
}
