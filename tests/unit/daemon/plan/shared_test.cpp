// What several services share: images, build hooks, networks and volumes, each once.
#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

Planned up_with(const File& file, const plan::Wish& wish) {
  return up(file, There(file), wish);
}

}  // namespace

TEST_CASE("Y: images, networks and volumes are got all at once, each once, and only those that are used",
          "[plan][shared]") {
  File file;
  for (const auto* key : {"data", "unused"}) file.volume(key);
  for (const auto* key : {"back", "idle"}) file.network(key);
  file.container("web").image("base").on("back").mounts("data");
  file.container("db").image("base").only_on("back").mounts("data");
  file.process("api");
  CHECK(up(file).only<plan::Image, plan::Network, plan::Volume, plan::Create>() == R"(
    image base
    network default
    network back
    volume data
    create web-1 <- image base, network default, network back, volume data
    create db-1  <- image base, network back, volume data
  )");
}

TEST_CASE("a network or volume that the file does not name is the engine's own business", "[plan][shared]") {
  File file;
  file.container("web").on("bridge").mounts("");
  file["web"]->container->mounts.push_back({.type = "bind", .source = "/data", .target = "/d"});
  CHECK(up(file).only<plan::Network, plan::Volume, plan::Create>() == R"(
    network default
    create web-1 <- network default
  )");
}

TEST_CASE("of several services with one image the one that builds it does", "[plan][shared]") {
  File file;
  file.container("user").image("base");
  file.container("maker").image("base").built();
  CHECK(up(file).of("user").lines.front() == "create user-1");
  CHECK(up(file).of("maker") == R"(
    image base
    create maker-1 <- image base
    start maker-1  <- create maker-1
    ready maker    <- start maker-1
  )");
  // Which is not brought up: nobody builds.
  CHECK(up_with(file, {.services = {"user"}}).of("user").lines.front() == "image base");
}

TEST_CASE("C9.2: a service that is only built has an image of the project's name", "[plan][shared]") {
  File file;
  file.container("web").image("").built();
  CHECK(up(file).only<plan::Image>() == "image s-web");
  CHECK(plan::images_of(file.stack(), {"web", "nobody"}) == std::set<std::string>{"s-web"});
}

TEST_CASE("C10: --build, --rebuild and --pull are said to every image", "[plan][shared]") {
  File file;
  file.container("web");
  CHECK(up_with(file, {.build = true}).only<plan::Image>() == "image web [build]");
  CHECK(up_with(file, {.rebuild = true}).only<plan::Image>() == "image web [rebuild]");
  CHECK(up_with(file, {.pull = "always"}).only<plan::Image>() == "image web [pull always]");
}

TEST_CASE("C1.6: the images of pre_start are got with the others, and never built as the service is",
          "[plan][shared]") {
  File file;
  file.container("web").built().hook("pre_start", [](auto& hook) { hook.image = "tools"; });
  file["web"].hook("pre_start", [](auto& hook) { hook.image = "web"; });
  file["web"].hook("pre_start", [](auto& hook) { hook.image = "db"; });
  file.container("db");
  CHECK(up(file).only<plan::Image, plan::Create>() == R"(
    image web
    image tools [only pull]
    image db [only pull]
    create web-1 <- image web, image tools, image db
    create db-1  <- image db
  )");
}

TEST_CASE("C1.6: a pre_start image that another service builds is built, by that one", "[plan][shared]") {
  File file;
  file.container("web").hook("pre_start", [](auto& hook) { hook.image = "tools"; });
  file.container("maker").image("tools").built();
  const auto plan = up(file);
  CHECK_FALSE(plan.params<plan::Image>("image tools").only_pull);
  CHECK(plan.of("maker").lines.front() == "image tools");
  CHECK(plan.before("image tools", "create web-1"));
}

TEST_CASE("M2, M3: build hooks are layers on the service's image; the container is made from those",
          "[plan][shared]") {
  File file;
  file.hook("before_up");
  file.container("web").hook("post_build_root").hook("post_build");
  const auto plan = up(file);
  const auto derived = "hooks on web " + translate::build_hooks_key(*file["web"]);
  CHECK(plan.params<plan::Derive>(derived).image_step == "image web");
  CHECK(plan.before("before_up[0]", derived));
  CHECK(plan.params<plan::Create>("create web-1").image_step == derived);
  // The healthcheck is the image's own.
  CHECK(plan.params<plan::Ready>("ready web").image_step == "image web");
  CHECK(up_with(file, {.rebuild = true}).params<plan::Derive>(derived).rebuild);
}

TEST_CASE("M3: services with the same hooks on the same image share one build", "[plan][shared]") {
  File file;
  for (const auto* name : {"web", "worker", "other"}) file.container(name).image("base").hook("post_build");
  file.container("apart").hook("post_build");
  file["other"]->hooks[0].shell = "something else";
  const auto steps = up(file).steps;
  CHECK(std::count_if(steps.begin(), steps.end(), is<plan::Derive>) == 3);
  const auto plan = up(file);
  CHECK(plan.params<plan::Create>("create web-1").image_step ==
        plan.params<plan::Create>("create worker-1").image_step);
  CHECK(plan.params<plan::Create>("create web-1").image_step !=
        plan.params<plan::Create>("create other-1").image_step);
}

TEST_CASE("M4: which images must have a shell: those of services with build hooks or pre_run that start",
          "[plan][shared]") {
  File file;
  file.container("built").hook("post_build");
  file.container("runs").hook("pre_run");
  file.container("plain").hook("post_start");
  file.container("unknown").hook("pre_run");
  auto there = There(file);
  there.seen.images.erase("unknown");
  CHECK(up(file, there).shells_needed ==
        std::map<std::string, std::string>{{"built", "sha256:built"}, {"runs", "sha256:runs"}});
  CHECK(up(file, There::all(file)).shells_needed.empty());
}

TEST_CASE("a stack needs the engine for its containers, for hooks in images, and for what is gone",
          "[plan][shared]") {
  const auto in_image = [](model::Hook& hook) { hook.run_in_image = "tools"; };
  File processes;
  processes.hook("before_up");
  processes.process("api").hook("before_start");
  processes.oneshot("seed");
  CHECK_FALSE(plan::needs_engine(processes.spec));
  auto file = processes;
  file.container("web");
  CHECK(plan::needs_engine(file.spec));
  file = processes;
  file.hook("after_up", in_image);
  CHECK(plan::needs_engine(file.spec));
  file = processes;
  file["api"].hook("after_ready", in_image);
  CHECK(plan::needs_engine(file.spec));
  file = processes;
  file.gone_container("old");
  CHECK(plan::needs_engine(file.spec));
}

TEST_CASE("the first step of an operation looks, and emits the others", "[plan]") {
  const auto kind_of = [](plan::Kind kind) { return plan::first_step(kind).kind; };
  CHECK(kind_of(plan::Kind::up) == plan::PlanUp::k_kind);
  CHECK(kind_of(plan::Kind::start) == plan::PlanUp::k_kind);
  CHECK(kind_of(plan::Kind::restart) == plan::PlanDown::k_kind);
  CHECK(kind_of(plan::Kind::stop) == plan::PlanDown::k_kind);
  CHECK(kind_of(plan::Kind::down) == plan::PlanDown::k_kind);
  CHECK(kind_of(plan::Kind::recover) == plan::PlanRecover::k_kind);
}
