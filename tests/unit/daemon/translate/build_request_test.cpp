#include "daemon/translate/build_request.hpp"

#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::translate;

namespace {

struct Sample {
  model::Spec spec;
  model::Facts facts;
  std::map<std::string, std::string> environment;

  Sample() {
    spec.name = "demo";
    spec.directory = "/demo";
    model::Service service;
    service.name = "web";
    service.container.emplace().build.emplace().context = "/demo/web";
    spec.services.push_back(service);
  }
  model::Build& build() { return *spec.services[0].container->build; }
  images::BuildRequest request(BuildWish wish = {}) {
    if (wish.image.empty()) wish.image = "demo-web";
    const model::Stack stack{"demo-1", std::make_shared<model::Spec>(spec),
                             std::make_shared<model::Facts>(facts)};
    return build_request(stack, stack.spec->services[0], wish, environment);
  }
};

}  // namespace

TEST_CASE("an image's name in full has its registry and its tag", "[translate][build]") {
  const std::pair<std::string, std::string> known[]{{"app", "docker.io/library/app:latest"},
                                                    {"me/app:1", "docker.io/me/app:1"},
                                                    {"r.example:5000/a/b", "r.example:5000/a/b:latest"},
                                                    {"localhost/a:2", "localhost/a:2"}};
  for (const auto& [reference, full] : known) CHECK(full_name(reference) == full);
}

TEST_CASE("a Dockerfile is shown from its own directory, wherever it is", "[translate][build]") {
  Sample sample;
  auto request = sample.request();
  CHECK(request.directories ==
        std::map<std::string, std::string>{{"context", "/demo/web"}, {"dockerfile", "/demo/web"}});
  CHECK(request.attributes.at("filename") == "Dockerfile");
  sample.build().dockerfile = "../docker/web.Dockerfile";
  request = sample.request();
  CHECK(request.directories.at("dockerfile") == "/demo/docker");
  CHECK(request.attributes.at("filename") == "web.Dockerfile");
  sample.build().dockerfile = "";
  sample.build().dockerfile_inline = "FROM scratch";
  request = sample.request();
  CHECK_FALSE(request.directories.contains("dockerfile"));
  CHECK(request.texts.at("dockerfile").at("Dockerfile") == "FROM scratch");
}

TEST_CASE("a remote context is the builder's to fetch", "[translate][build]") {
  Sample sample;
  sample.build().context = "https://git.example/repo.git#main:sub";
  const auto request = sample.request();
  CHECK(request.attributes.at("context") == "https://git.example/repo.git#main:sub");
  CHECK(request.directories.empty());
}

TEST_CASE("the keys of build are the frontend's attributes", "[translate][build]") {
  Sample sample;
  auto& build = sample.build();
  sample.facts.caller["FROM_CALLER"] = "theirs";
  build.args = {{"A", "one"}, {"FROM_CALLER", std::nullopt}, {"NOBODY", std::nullopt}};
  build.target = "final";
  build.labels = {{"a.b", "c"}};
  build.extra_hosts = {"db:10.0.0.1", "v6=::1"};
  build.network = "host";
  build.privileged = true;
  build.shm_size = "64m";
  build.ulimits = {{"nofile", 10, 20}};
  build.platforms = {"linux/amd64", "linux/arm64"};
  build.cache_from = {"r.example/a:cache", "type=local,src=/c"};
  const auto request =
      sample.request({.no_cache = true, .pull = true, .more_args = {{"HTTP_PROXY", "p"}, {"A", "not"}}});
  const auto& attributes = request.attributes;
  CHECK(attributes.at("build-arg:A") == "one");
  CHECK(attributes.at("build-arg:FROM_CALLER") == "theirs");
  CHECK(attributes.at("build-arg:HTTP_PROXY") == "p");
  CHECK_FALSE(attributes.contains("build-arg:NOBODY"));
  CHECK(attributes.at("label:a.b") == "c");
  CHECK(attributes.at("label:com.docker.compose.service") == "web");
  CHECK(attributes.at("target") == "final");
  CHECK(attributes.at("add-hosts") == "db=10.0.0.1,v6=::1");
  CHECK(attributes.at("force-network-mode") == "host");
  CHECK(attributes.at("shm-size") == "64m");
  CHECK(attributes.at("ulimit") == "nofile=10:20");
  CHECK(attributes.at("platform") == "linux/amd64");
  CHECK(attributes.at("no-cache").empty());
  CHECK(attributes.at("image-resolve-mode") == "pull");
  CHECK(request.entitlements == std::vector<std::string>{"network.host", "security.insecure"});
  CHECK(request.cache_from[0].at("ref") == "r.example/a:cache");
  CHECK(request.cache_from[1].at("src") == "/c");
}

TEST_CASE("secrets are told by where they are, and what the file itself holds goes by the environment",
          "[translate][build]") {
  Sample sample;
  sample.spec.secrets["f"].file = "/demo/f";
  sample.spec.secrets["e"].environment = "VARIABLE";
  sample.spec.secrets["c"].content = "written here";
  sample.build().secrets = {{"f", "f"}, {"as", "e"}, {"c", "c"}};
  sample.facts.caller["SSH_AUTH_SOCK"] = "/agent";
  sample.build().ssh = {{"default", ""}, {"other", "/sock"}};
  const auto request = sample.request();
  REQUIRE(request.secrets.size() == 3);
  CHECK(request.secrets[0].file == "/demo/f");
  CHECK(request.secrets[1].id == "as");
  CHECK(request.secrets[1].variable == "VARIABLE");
  CHECK(sample.environment.at(request.secrets[2].variable) == "written here");
  CHECK(nlohmann::json(request).dump().find("written here") == std::string::npos);
  REQUIRE(request.agents.size() == 2);
  CHECK(request.agents[0].paths == std::vector<std::string>{"/agent"});
  CHECK(request.agents[1].paths == std::vector<std::string>{"/sock"});
}

TEST_CASE("more contexts are directories, images, another service's image or addresses",
          "[translate][build]") {
  Sample sample;
  sample.build().additional_contexts = {{"dir", "/demo/dir"},
                                        {"img", "docker-image://alpine"},
                                        {"base", "service:web"},
                                        {"git", "https://g.example/r.git"}};
  const auto request = sample.request();
  CHECK(request.attributes.at("context:dir") == "local:dir");
  CHECK(request.directories.at("dir") == "/demo/dir");
  CHECK(request.attributes.at("context:img") == "docker-image://alpine");
  CHECK(request.attributes.at("context:base") == "docker-image://docker.io/library/demo-web:latest");
  CHECK(request.attributes.at("context:git") == "https://g.example/r.git");
}

TEST_CASE("what an older engine cannot do is refused or told, and what needs BuildKit is known by key",
          "[translate][build]") {
  Sample sample;
  CHECK(build_limits(sample.build(), "1.41").refused.empty());
  CHECK(buildkit_keys(sample.build()).empty());
  sample.build().additional_contexts = {{"a", "/a"}};
  sample.build().shm_size = "1m";
  sample.build().secrets = {{"a", "a"}};
  CHECK(build_limits(sample.build(), "1.41").refused == std::vector<std::string>{"additional_contexts"});
  CHECK(build_limits(sample.build(), "1.41").ignored == std::vector<std::string>{"shm_size"});
  CHECK(build_limits(sample.build(), "1.43").refused.empty());
  CHECK(buildkit_keys(sample.build()) == std::vector<std::string>{"secrets", "additional_contexts"});
}

TEST_CASE("several platforms are for build alone: what an up runs is built for one of them",
          "[translate][build]") {
  Sample sample;
  auto& build = sample.build();
  build.platforms = {"linux/arm64", "linux/amd64"};
  CHECK(sample.request({.platform = "linux/amd64"}).attributes.at("platform") == "linux/amd64");
  CHECK(sample.request({.platform = "linux/s390x"}).attributes.at("platform") == "linux/arm64");
  CHECK(sample.request({.all_platforms = true}).attributes.at("platform") == "linux/arm64,linux/amd64");
  CHECK(containerd_keys(build, false).empty());
  CHECK(containerd_keys(build, true) == std::vector<std::string>{"platforms"});
}

TEST_CASE("attestations and caches that go elsewhere need containerd's images, an inline cache does not",
          "[translate][build]") {
  Sample sample;
  auto& build = sample.build();
  build.cache_to = {"type=inline"};
  build.sbom = "false";
  CHECK(containerd_keys(build, true).empty());
  build.provenance = "mode=max";
  build.sbom = "true";
  build.cache_to.push_back("type=registry,ref=r.example/c");
  CHECK(containerd_keys(build, true) == std::vector<std::string>{"provenance", "sbom", "cache_to"});
  const auto request = sample.request();
  CHECK(request.attributes.at("attest:provenance") == "mode=max");
  CHECK(request.attributes.at("attest:sbom").empty());
  CHECK(request.cache_to.size() == 2);
}

TEST_CASE("ssh is the caller's agent, a socket, or files of keys; the command line's is over the file's",
          "[translate][build]") {
  Sample sample;
  sample.facts.caller["SSH_AUTH_SOCK"] = "/run/agent";
  sample.build().ssh = {{"default", ""}, {"deploy", "/k/one"}};
  const auto request = sample.request({.ssh = {{"deploy", "/k/a,/k/b"}}});
  REQUIRE(request.agents.size() == 2);
  CHECK(request.agents[0].paths == std::vector<std::string>{"/run/agent"});
  CHECK(request.agents[1].paths == std::vector<std::string>{"/k/a", "/k/b"});
  sample.facts.caller.clear();
  CHECK(sample.request().agents[0].paths.empty());
}
