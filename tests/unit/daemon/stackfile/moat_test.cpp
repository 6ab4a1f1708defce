#include <algorithm>
#include <string>

#include "daemon/resolve/environment.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using namespace stackd::resolve;
using model::Condition;
using model::Phase;
using test::Loading;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
std::string mistakes(const std::string& text) {
  return Loading(text, "moat.yaml").mistakes();
}

std::string image_of(const std::string& dependencies) {
  return Loading("dependencies: " + dependencies + "\n", "moat.yaml").load().find("main")->container->image;
}

std::string warnings(const std::string& text) {
  std::string all;
  for (const auto& line : Loading(text, "moat.yaml").load().warnings) all += line + "\n";
  return all;
}

}  // namespace

TEST_CASE("a moat.yaml is one container with the directory at /workspace", "[stackfile][moat]") {
  Loading loading(
      "name: my-app\nagent: my-app\nversion: 1.0.0\nbase_image: ghcr.io/me/base:1\n"
      "env: {NODE_ENV: development, RAW: 'a${b}$c'}\n"
      "mounts: ['./data:/data:ro', {source: ., target: /src, exclude: [node_modules]}]\n"
      "volumes: [{name: state, target: /state}, {name: cache, target: /cache, readonly: true}]\n"
      "ports: {web: 3000}\ncommand: [npm, start]\ninteractive: true\n"
      "hooks: {post_build_root: apt-get update, pre_run: npm install}\n"
      "container: {memory: 512, cpus: 2, dns: [1.1.1.1], ulimits: {nofile: {soft: 1, hard: 2}}}\nsandbox: "
      "none\n",
      "moat.yaml");
  loading.request.project_name.clear();
  const auto spec = loading.load();
  CHECK(spec.name == "my-app");
  CHECK(spec.format == "moat");
  CHECK(spec.warnings.empty());
  REQUIRE(spec.services.size() == 1);
  const auto& main = spec.services[0];
  const auto& container = *main.container;
  CHECK(main.name == "main");
  CHECK(container.image == "ghcr.io/me/base:1");
  CHECK(container.working_dir == "/workspace");
  CHECK(container.mount_workspace);
  REQUIRE(container.mounts.size() == 5);
  CHECK(container.mounts[0].source == loading.directory.path().string());
  CHECK(container.mounts[0].target == "/workspace");
  CHECK(container.mounts[1].source == loading.path("data"));
  CHECK(container.mounts[1].read_only);
  CHECK(container.mounts[2].target == "/src");
  CHECK_FALSE(container.mounts[2].read_only);
  CHECK(container.tmpfs == std::vector<std::string>{"/src/node_modules"});
  CHECK(container.mounts[3].type == "volume");
  CHECK(container.mounts[4].read_only);
  CHECK(spec.volumes.at("state").name == "my-app_state");
  CHECK(spec.networks.at("default").name == "my-app_default");
  REQUIRE(main.ports.size() == 1);
  CHECK(main.ports[0].key == "web");
  CHECK(main.ports[0].target == 3000);
  CHECK(main.ports[0].published == 0);
  CHECK(container.command == std::vector<std::string>{"npm", "start"});
  CHECK(container.tty);
  CHECK(container.mem_limit == 512LL * 1024 * 1024);
  CHECK(container.cpus == 2);
  CHECK(container.dns == std::vector<std::string>{"1.1.1.1"});
  CHECK(container.ulimits[0].hard == 2);
  CHECK(main.hooks_of(Phase::post_build_root)[0]->shell == "apt-get update");
  CHECK(main.hooks_of(Phase::pre_run)[0]->shell == "npm install");
  CHECK(container_environment(spec, {}, main).at("RAW") == "a${b}$c");
}

TEST_CASE("M2.2: one runtime becomes the image, none or several do not", "[stackfile][moat]") {
  CHECK(image_of("[node@22, git]") == "node:22-slim");
  CHECK(image_of("[python@3.11]") == "python:3.11-slim");
  CHECK(image_of("[go@1.22]") == "golang:1.22");
  CHECK(image_of("[node]") == "node:22-slim");
  CHECK(image_of("[git]") == "debian:bookworm-slim");
  CHECK(image_of("[]") == "debian:bookworm-slim");
  CHECK(image_of("[node@22, python@3.11]") == "debian:bookworm-slim");
  CHECK(has(warnings("dependencies: [node@22, python@3.11]\n"), "dependency 'node@22' is not installed"));
  CHECK(has(warnings("base_image: x\ndependencies: [node@22]\n"), "base_image has to bring it"));
}

TEST_CASE("databases and caches are services with credentials in MOAT_* variables", "[stackfile][moat]") {
  Loading loading(
      "dependencies: [node@22, postgres@17, mysql@9, redis]\nservices: {postgres: {env: {POSTGRES_DB: "
      "myapp}, memory: 256, wait: false}}\n",
      "moat.yaml");
  const auto spec = loading.load();
  const auto& main = *spec.find("main");
  const auto env = container_environment(spec, {}, main);
  const auto password = env.at("MOAT_POSTGRES_PASSWORD");
  CHECK(password.size() == 32);
  CHECK(env.at("MOAT_POSTGRES_URL") == "postgresql://postgres:" + password + "@postgres:5432/myapp");
  CHECK(env.at("MOAT_POSTGRES_HOST") == "postgres");
  CHECK(env.at("MOAT_POSTGRES_PORT") == "5432");
  CHECK(env.at("MOAT_POSTGRES_USER") == "postgres");
  CHECK(env.at("MOAT_POSTGRES_DB") == "myapp");
  CHECK(env.at("MOAT_MYSQL_URL") == "mysql://root:" + env.at("MOAT_MYSQL_PASSWORD") + "@mysql:3306/moat");
  CHECK(env.at("MOAT_REDIS_URL") == "redis://:" + env.at("MOAT_REDIS_PASSWORD") + "@redis:6379");
  CHECK_FALSE(env.contains("MOAT_REDIS_DB"));
  CHECK(env.at("MOAT_REDIS_PASSWORD") != password);

  const auto* postgres = spec.find("postgres");
  CHECK(postgres->container->image == "postgres:17");
  CHECK(postgres->container->mem_limit == 256LL * 1024 * 1024);
  CHECK(postgres->environment.env.at("POSTGRES_PASSWORD") == password);
  CHECK(postgres->environment.env.at("POSTGRES_DB") == "myapp");
  CHECK(postgres->container->healthcheck);
  CHECK(spec.find("mysql")->container->image == "mysql:9");
  CHECK(spec.find("redis")->container->image == "redis:7");
  CHECK(main.depends_on.at("postgres").condition == Condition::started);
  CHECK(main.depends_on.at("mysql").condition == Condition::healthy);

  const auto again = loading.load();
  CHECK(container_environment(again, {}, *again.find("main")) == env);
  const auto secrets = secret_values(spec, {});
  CHECK(std::find(secrets.begin(), secrets.end(), password) != secrets.end());
}

TEST_CASE("what stackd cannot honour is one warning each", "[stackfile][moat]") {
  const auto all = warnings(
      "dependencies: [git, 'npm:lodash@4', 'docker:dind']\ngrants: [github, 'ssh:github.com']\n"
      "network: {policy: strict}\nclaude: {sync_logs: true}\nmcp: []\nsnapshots: {disabled: true}\nruntime: "
      "apple\n"
      "secrets: {KEY: 'op://a/b', OTHER: 'env://NOT_SET'}\n");
  INFO(all);
  CHECK(std::count(all.begin(), all.end(), '\n') == 12);
  for (const char* word :
       {"'git'", "'npm:lodash@4'", "'docker:dind'", "grant 'github'", "grant 'ssh:github.com'", "'network'",
        "'claude'", "'mcp'", "'snapshots'", "'apple'", "secret KEY", "secret OTHER"}) {
    INFO(word);
    CHECK(has(all, word));
  }
}

TEST_CASE("a key that nobody here knows is a warning, one that is nearly known a mistake",
          "[stackfile][moat]") {
  CHECK(warnings("agents: [claude]\nholograms: {depth: 3}\n") ==
        "'agents' is not honoured: stackd runs no agents\n'holograms' is not honoured: stackd does not know "
        "it\n");
  CHECK(has(mistakes("grant: [github]\n"), "did you mean 'grants'?"));
}

TEST_CASE("a secret of the caller's environment is passed on and masked", "[stackfile][moat]") {
  Loading loading("secrets: {KEY: 'env://HOST_KEY'}\n", "moat.yaml");
  loading.request.environment["HOST_KEY"] = "very-secret";
  const auto spec = loading.load();
  CHECK(spec.find("main")->environment.env.at("KEY") == "very-secret");
  model::Facts facts;
  facts.caller = loading.request.environment;
  CHECK(secret_values(spec, facts) == std::vector<std::string>{"very-secret"});
}

TEST_CASE("an explicit mount at /workspace replaces the automatic one", "[stackfile][moat]") {
  const auto spec = Loading("mounts: [{source: ./sub, target: /workspace, mode: ro}]\n", "moat.yaml").load();
  const auto& container = *spec.find("main")->container;
  REQUIRE(container.mounts.size() == 1);
  CHECK(container.mounts[0].read_only);
  CHECK_FALSE(container.mount_workspace);
}

TEST_CASE("mistakes in a moat.yaml are refused with their places", "[stackfile][moat]") {
  CHECK(mistakes("nmae: x\n")
            .starts_with("moat.yaml:1:1: unknown key 'nmae' in the file, did you mean 'name'?"));
  CHECK(has(mistakes("ports: {web: high}\n"), "moat.yaml:1:14: 'ports.web': expected a port"));
  CHECK(has(mistakes("mounts: ['./data']\n"), "expected <host path>:<container path>"));
  CHECK(has(mistakes("mounts: ['./data:/data:rx']\n"), "expected mode ro or rw"));
  CHECK(has(mistakes("volumes: [{name: a}]\n"), "an absolute 'target'"));
  CHECK(has(mistakes("command: []\n"), "'command' is empty"));
  CHECK(has(mistakes("command: it's\n"), "moat.yaml:1:10: 'command'"));
  CHECK(has(mistakes("dependencies: [postgres]\nservices: {postgers: {wait: true}}\n"),
            "did you mean 'postgres'?"));
  CHECK(has(mistakes("hooks: {post_bild: x}\n"), "did you mean 'post_build'?"));
}
