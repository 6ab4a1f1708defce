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
