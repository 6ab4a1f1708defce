#include "daemon/resolve/identity.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using namespace stackd::resolve;
using test::Loading;
using test::one_service;

namespace {

std::string hash(const std::string& lines, const model::Facts& facts = {}) {
  const auto spec = Loading(one_service(lines), "compose.yaml").load();
  return resolve::config_hash(spec, facts, *spec.find("web"));
}

}  // namespace

TEST_CASE("a stack's id is its name and a hash of its directory", "[resolve][identity]") {
  CHECK(resolve::stack_id("app", "/home/me/app") != resolve::stack_id("app", "/home/me/other"));
  CHECK(resolve::stack_id("app", "/home/me/app").size() == std::string("app-12345678").size());
  // The first digits of `printf /x | sha256sum`.
  CHECK(resolve::stack_id("app", "/x") == "app-b3d1db31");
  CHECK(resolve::stack_id("app-b3d1db31", "/x") == "app-b3d1db31");  // one that is named by its id
}

TEST_CASE("C9.1: a project name made of a directory's", "[resolve][identity]") {
  CHECK(resolve::project_name_from("My App_2-x") == "myapp_2-x");
  CHECK(resolve::project_name_from("--_x") == "x");
  CHECK(resolve::project_name_from("ÄÖ") == "");
}

TEST_CASE("C9.2: names of containers and built images", "[resolve][identity]") {
  const auto spec =
      Loading("services:\n  web: {build: .}\n  db: {image: i, build: ., container_name: mine}\n").load();
  CHECK(resolve::container_name(spec, *spec.find("web"), 2) == "demo-web-2");
  CHECK(resolve::container_name(spec, *spec.find("db"), 1) == "mine");
  CHECK(resolve::built_image_name(spec, *spec.find("web")) == "demo-web");
  CHECK(resolve::built_image_name(spec, *spec.find("db")) == "i");
}

TEST_CASE("C8.1: the config hash is that of what the engine will see", "[resolve][identity]") {
  const std::string plain = hash("    environment: {A: 1}\n");
  CHECK(plain.size() == 64);
  CHECK(hash("    environment: [A=1]\n") == plain);
  CHECK(hash("\n\n    environment: {A: 1}\n    scale: 3\n    pull_policy: always\n    profiles: []\n    "
             "deploy: {replicas: 3}\n") == plain);
  CHECK(hash("    environment: {A: 2}\n") != plain);
  CHECK(hash("    environment: {A: 1}\n    user: me\n") != plain);
  CHECK(hash("    environment: {A: 1}\n    build: .\n") == plain);
}

TEST_CASE("C1.7: container hooks are part of the hash", "[resolve][identity]") {
  const std::string plain = hash("");
  const std::string hooked = hash("    post_start: [{command: [a]}]\n");
  CHECK(hooked != plain);
  CHECK(hash("    post_start: [{command: [b]}]\n") != hooked);
  CHECK(hash("    x-stackd: {lifecycle: {after_ready: [echo]}}\n") == plain);
}

TEST_CASE("the hash has the host ports that the stack got, but not those of further replicas",
          "[resolve][identity]") {
  model::Facts one, two, more;
  one.ports["web"] = {{"0", 9000}};
  two.ports["web"] = {{"0", 9001}};
  more.ports["web"] = {{"0", 9000}, {"0@2", 9002}};
  const std::string lines = "    ports: ['80']\n";
  CHECK(hash(lines, one) != hash(lines, two));
  CHECK(hash(lines, one) == hash(lines, more));
}

TEST_CASE("L7.3: a worktree's id is of its directory alone", "[resolve][identity]") {
  // The first digits of `printf /x | sha256sum`, as the stack's id has them.
  CHECK(resolve::worktree_id("/x").starts_with("b3d1db31"));
  CHECK(resolve::worktree_id("/x").size() == 12);
  CHECK(resolve::worktree_id("/x") != resolve::worktree_id("/y"));
}

TEST_CASE("X25: two ups ask for the same when their files say the same, wherever in them it stands",
          "[resolve][identity]") {
  const auto wish = [](const std::string& text) {
    auto spec = Loading(text).load();
    spec.directory = "/home/me/demo";
    spec.files = {"/home/me/demo/compose.yaml"};
    return resolve::wish_hash(spec);
  };
  const auto plain = wish(one_service("    ports: ['80']\n    post_start: [{command: [a]}]\n"));
  CHECK(wish("# moved\n\n" +
             one_service("    ports:\n      - '80'\n    post_start:\n      - command: [a]\n")) == plain);
  CHECK(wish(one_service("    ports: ['80']\n    post_start: [{command: [b]}]\n")) != plain);
  CHECK(wish(one_service("    ports: ['81']\n    post_start: [{command: [a]}]\n")) != plain);
  // What no container's hash has is asked for all the same.
  CHECK(wish(one_service("    ports: ['80']\n    post_start: [{command: [a]}]\n    scale: 2\n")) != plain);
  CHECK(wish(one_service("    ports: ['80']\n    post_start: [{command: [a]}]\n    build: .\n")) != plain);
}

TEST_CASE(
    "X25: an up of another profile, project or directory asks for something else, one that was warned does "
    "not",
    "[resolve][identity]") {
  model::Spec spec;
  spec.name = "demo";
  spec.directory = "/home/me/demo";
  const auto plain = resolve::wish_hash(spec);
  const auto with = [&](auto change) {
    auto other = spec;
    change(other);
    return resolve::wish_hash(other) != plain;
  };
  CHECK(with([](auto& s) { s.profile = "dev"; }));
  CHECK(with([](auto& s) { s.name = "other"; }));
  CHECK(with([](auto& s) { s.directory = "/elsewhere"; }));
  CHECK(with([](auto& s) { s.runtime.kill_others_on_fail = false; }));
  CHECK_FALSE(with([](auto& s) { s.warnings = {"a key that is not supported yet"}; }));
}
