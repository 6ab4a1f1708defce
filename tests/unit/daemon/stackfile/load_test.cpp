#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

#include "daemon/resolve/identity.hpp"

using namespace stackd;
using test::Loading;
using Strings = std::vector<std::string>;

namespace {

const std::string k_web = "services:\n  web: {image: nginx}\n";

Strings names(const std::vector<std::filesystem::path>& files) {
  Strings out;
  for (const auto& file : files) out.push_back(file.filename());
  return out;
}

}  // namespace

TEST_CASE("the first stack file from the directory upwards is taken, in the order of their names",
          "[stackfile][load]") {
  test::TempDir directory;
  const auto below = directory.path() / "a" / "b";
  directory.write("a/b/x", "");
  directory.write("moat.yaml", "");
  CHECK(names(stackfile::find_files(below)) == Strings{"moat.yaml"});
  directory.write("docker-compose.yml", "");
  directory.write("docker-compose.override.yml", "");
  CHECK(names(stackfile::find_files(below)) == Strings{"docker-compose.yml", "docker-compose.override.yml"});
  directory.write("compose.yaml", "");
  directory.write("compose.override.yaml", "");
  CHECK(names(stackfile::find_files(below)) == Strings{"compose.yaml", "compose.override.yaml"});
  directory.write("lich.yaml", "");
  CHECK(names(stackfile::find_files(below)) == Strings{"lich.yaml"});
  directory.write("stackd.yaml", "");
  CHECK(names(stackfile::find_files(below)) == Strings{"stackd.yaml"});
  directory.write("a/compose.yml", "");
  CHECK(names(stackfile::find_files(below)) == Strings{"compose.yml"});
}

TEST_CASE("no stack file, and a named one that is not there, are not_found", "[stackfile][load]") {
  const auto kind = [](const stackfile::LoadRequest& request) {
    try {
      stackfile::load(request);
    } catch (const util::Error& error) {
      return error.kind();
    }
    return util::ErrorKind::internal;
  };
  Loading loading;
  loading.request.files = {"gone.yaml"};
  CHECK(kind(loading.request) == util::ErrorKind::not_found);
  CHECK(loading.mistakes().find("cannot find the stack file") == 0);
}

TEST_CASE("-f names files: the format by their name, else by what they hold", "[stackfile][load]") {
  Loading loading;
  loading.directory.write("sub/app.yaml", k_web);
  loading.directory.write("sub/more.yaml", "services:\n  web: {image: other}\n  db: {image: d}\n");
  loading.request.files = {"sub/app.yaml", "sub/more.yaml"};
  const auto spec = loading.load();
  CHECK(spec.format == "compose");
  CHECK(spec.directory == loading.path("sub"));
  CHECK(spec.files == Strings{loading.path("sub/app.yaml"), loading.path("sub/more.yaml")});
  CHECK(spec.find("web")->container->image == "other");
  CHECK(spec.services.at(1).name == "db");
}

TEST_CASE("services keep the order of the file", "[stackfile][load]") {
  const auto spec = Loading("services:\n  z: {image: a}\n  a: {image: a}\n  m: {image: a}\n").load();
  CHECK(spec.services.at(0).name == "z");
  CHECK(spec.services.at(2).name == "m");
}

TEST_CASE("C9.1: -p over COMPOSE_PROJECT_NAME over name over the directory", "[stackfile][load]") {
  Loading loading("name: from-file\n" + k_web);
  loading.directory.write(".env", "COMPOSE_PROJECT_NAME=from-env-file\n");
  CHECK(loading.load().name == "demo");
  loading.request.project_name = "";
  CHECK(loading.load().name == "from-env-file");
  loading.request.environment["COMPOSE_PROJECT_NAME"] = "from-env";
  CHECK(loading.load().name == "from-env");
  Loading named("name: from-$X\n" + k_web);
  named.request.project_name = "";
  named.request.environment["X"] = "x";
  CHECK(named.load().name == "from-x");
  Loading derived;
  derived.directory.write("__My App.2/compose.yaml", k_web);
  derived.request.project_name = "";
  derived.request.directory /= "__My App.2";
  CHECK(derived.load().name == "myapp2");
  CHECK(derived.load().networks.at("default").name == "myapp2_default");
}

TEST_CASE("a file can use the project's name as COMPOSE_PROJECT_NAME", "[stackfile][load]") {
  Loading loading("name: shop\nservices:\n  web: {image: '${COMPOSE_PROJECT_NAME}-web'}\n");
  loading.request.project_name = "";
  CHECK(loading.load().find("web")->container->image == "shop-web");
  loading.request.project_name = "demo";
  CHECK(loading.load().find("web")->container->image == "demo-web");
}

TEST_CASE("C9.1: an explicit name that does not fit is refused, with one that would", "[stackfile][load]") {
  Loading loading(k_web);
  loading.request.project_name = "My_App";
  CHECK(loading.mistakes().find("'my_app' would do") != std::string::npos);
  loading.request.project_name = "-x";
  CHECK(loading.mistakes().find("is not a project name") != std::string::npos);
}

TEST_CASE("C9.1: a file's own name becomes one that fits, as with Compose", "[stackfile][load]") {
  Loading named("name: My_Über Proj\n" + k_web);
  named.request.project_name = "";
  CHECK(named.load().name == "my_berproj");
}

TEST_CASE("the caller's environment wins over .env, and an unset variable is a warning",
          "[stackfile][load]") {
  Loading loading("services:\n  web: {image: '$A:$B', labels: {x: '$NONE', y: '$NONE'}}\n");
  loading.directory.write(".env", "A=file\nB=file\n");
  loading.request.environment["A"] = "caller";
  const auto spec = loading.load();
  CHECK(spec.find("web")->container->image == "caller:file");
  CHECK(spec.warnings ==
        Strings{"compose.yaml:2: the variable 'NONE' is not set, an empty string stands for it"});
  loading.directory.write(".env", "A=1\n!\n");
  CHECK(loading.mistakes().find(".env:2:1: expected NAME=value") != std::string::npos);
}

TEST_CASE("x-stackd in a compose.yaml is not interpolated", "[stackfile][load]") {
  Loading loading(k_web + "x-stackd:\n  lifecycle: {before_up: ['echo $HOME ${X:-y}']}\n");
  const auto spec = loading.load();
  CHECK(spec.warnings.empty());
  REQUIRE(spec.hooks.size() == 1);
  CHECK(spec.hooks[0].shell == "echo $HOME ${X:-y}");
}

TEST_CASE("in a stackd.yaml only Compose's parts are interpolated", "[stackfile][load]") {
  Loading loading(
      "services:\n  web:\n    image: '$IMAGE'\n    lifecycle: {before_start: ['echo $IMAGE']}\n"
      "    ready_when: {cmd: 'test $IMAGE'}\n"
      "owned:\n  api: {cmd: 'run $IMAGE', ready_when: {cmd: 'x $IMAGE'}}\n"
      "lifecycle: {after_up: ['echo $IMAGE']}\ncommands: {shell: {cmd: 'sh $IMAGE'}}\n",
      "stackd.yaml");
  loading.request.environment["IMAGE"] = "nginx";
  const auto spec = loading.load();
  CHECK(spec.format == "stackd");
  CHECK(spec.find("web")->container->image == "nginx");
  CHECK(spec.find("web")->hooks.at(0).shell == "echo $IMAGE");
  CHECK(spec.find("web")->ready_when->probes.at(model::ProbeKind::cmd) == "test $IMAGE");
  CHECK(spec.find("api")->process->cmd == "run $IMAGE");
  CHECK(spec.find("api")->ready_when->probes.at(model::ProbeKind::cmd) == "x $IMAGE");
  CHECK(spec.hooks.at(0).shell == "echo $IMAGE");
  CHECK(spec.commands.at("shell").cmd == "sh $IMAGE");
}

TEST_CASE("services that were asked for must exist; the others stay in the spec", "[stackfile][load]") {
  Loading loading("services:\n  web: {image: a}\n  worker: {image: b}\n");
  loading.request.services = {"web"};
  CHECK(loading.load().services.size() == 2);
  loading.request.services = {"wrker"};
  CHECK(loading.mistakes().find("did you mean 'worker'?") != std::string::npos);
  try {
    loading.load();
    FAIL("loaded");
  } catch (const util::Error& error) {
    CHECK(error.kind() == util::ErrorKind::not_found);
  }
}

TEST_CASE("bad input is refused with its place", "[stackfile][load]") {
  CHECK(Loading("services: [").mistakes().find("compose.yaml:1:") == 0);
  CHECK(Loading("services:\n\tweb: {image: a}\n").mistakes().find("a tab is not allowed") !=
        std::string::npos);
  CHECK(Loading("# nothing\n").mistakes() == "compose.yaml:1:1: the file has no 'services'\n");
  CHECK(Loading("- a\n- b\n").mistakes().find("compose.yaml:1:1: expected a mapping with 'services'") == 0);
  CHECK(Loading("just text\n").mistakes().find("compose.yaml:1:1: expected a mapping") == 0);
  CHECK(Loading("services: [web]\n").mistakes().find("'services': expected a mapping of names") !=
        std::string::npos);
  CHECK(Loading("services:\n  web: nginx\n")
            .mistakes()
            .find("service 'web': expected a mapping, found 'nginx'") != std::string::npos);
  CHECK(Loading("services:\n  'a b': {image: x}\n").mistakes().find("is not a service's name") !=
        std::string::npos);
  CHECK(Loading("services:\n  web: {image: [x]}\n").mistakes().find("expected a string, found a list") !=
        std::string::npos);
}
